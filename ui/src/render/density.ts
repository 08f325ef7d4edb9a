// The zoomed-out picture of the lanes on the canvas: its pixels are written into memory and put there in one go.

import type { Viewport } from "../base/viewport";
import { DensityPixels } from "./density_pixels";
import type { LaneScene } from "./scene";
import type { Theme } from "./theme";

/** From two pixels of the screen to one of the page, the picture is made in those of the page. */
const COARSE_FROM_SCALE = 2;

export class Density {
  private readonly picture = new DensityPixels();
  private image: ImageData | null = null;
  /** Where the picture has other pixels than the screen: it is stretched from here. */
  private readonly coarse = document.createElement("canvas");

  /** Fills the canvas, ground and all. Returns the view that is drawn: it moves by whole pixels. */
  paint(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme, scale: number): Viewport {
    const { picture } = this;
    const unit = scale < COARSE_FROM_SCALE ? scale : 1;
    const { offsetPx, fromPx, toPx, view } = picture.update(scene, theme, unit);
    if (picture.widthPx < 1 || picture.heightPx < 1) return view; // not laid out yet
    const isFresh = this.image?.data.buffer !== picture.pixels.buffer;
    if (isFresh || !this.image)
      this.image = new ImageData(
        new Uint8ClampedArray(picture.pixels.buffer),
        picture.widthPx,
        picture.heightPx,
      );
    const wide = Math.ceil(scene.widthPx * unit);
    const { image } = this;
    if (unit === scale) ctx.putImageData(image, -offsetPx, 0, offsetPx, 0, wide, picture.heightPx);
    else this.stretch(ctx, image, { offsetPx, fromPx, toPx, wide }, isFresh);
    return view;
  }

  /** Puts the columns that changed onto a canvas that keeps the rest, and that one onto the page's. */
  private stretch(
    ctx: CanvasRenderingContext2D,
    image: ImageData,
    at: { offsetPx: number; fromPx: number; toPx: number; wide: number },
    isFresh: boolean,
  ): void {
    const { coarse } = this;
    if (isFresh) {
      coarse.width = image.width;
      coarse.height = image.height;
    }
    const own = coarse.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
    if (at.fromPx < at.toPx) own.putImageData(image, 0, 0, at.fromPx, 0, at.toPx - at.fromPx, image.height);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(coarse, at.offsetPx, 0, at.wide, image.height, 0, 0, at.wide, image.height);
    ctx.imageSmoothingEnabled = true;
  }
}
