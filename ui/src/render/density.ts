// The zoomed-out picture of the lanes on the canvas: its pixels are written into memory, and what changed of
// them is put onto a canvas that keeps the rest.

import type { Viewport } from "../base/viewport";
import { DensityPixels } from "./density_pixels";
import type { LaneScene } from "./scene";
import type { Theme } from "./theme";

/** From two pixels of the screen to one of the page, the picture is made in those of the page. */
const COARSE_FROM_SCALE = 2;

export class Density {
  private readonly canvas = document.createElement("canvas");
  private readonly own = this.canvas.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
  private readonly picture = new DensityPixels();
  private image: ImageData | null = null;

  /** Fills the canvas, ground and all. Returns the view that is drawn: it moves by whole pixels. */
  paint(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme, scale: number): Viewport {
    const { picture } = this;
    const unit = scale < COARSE_FROM_SCALE ? scale : 1;
    const drawn = picture.update(scene, theme, unit);
    if (this.image?.data.buffer !== picture.pixels.buffer) {
      this.canvas.width = picture.widthPx;
      this.canvas.height = picture.heightPx;
      const bytes = new Uint8ClampedArray(picture.pixels.buffer);
      this.image = new ImageData(bytes, picture.widthPx, picture.heightPx);
    }
    const { offsetPx, fromPx, toPx } = drawn;
    if (fromPx < toPx) this.own.putImageData(this.image, 0, 0, fromPx, 0, toPx - fromPx, picture.heightPx);
    const wide = Math.ceil(scene.widthPx * unit);
    const tall = picture.heightPx;
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.canvas, offsetPx, 0, wide, tall, 0, 0, wide / unit, tall / unit);
    ctx.imageSmoothingEnabled = true;
    return drawn.view;
  }
}
