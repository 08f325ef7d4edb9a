// Many marks at once, a strip a lane: their pixels are written into memory and put on the canvas together. To stamp
// each of thousands took more than a frame has.

import type { LaneBox } from "./layout";
import { boxesInSight, type LaneScene } from "./scene";

/** A square of little-endian RGBA, row by row, as ImageData has it. */
export type MarkCell = Int32Array;

/** A mark's pixels that are not empty, and where each stands from the corner of the mark. */
interface Stamp {
  readonly offset: Int32Array;
  readonly color: Int32Array;
}

export class MarkPixels {
  widthPx = 0;
  /** A cell high for each lane in sight. */
  heightPx = 0;
  pixels = new Int32Array(0);
  /** For rows of this width. */
  private stamps = new WeakMap<MarkCell, Stamp>();
  private cellPx = 0;
  private widePx = 0;
  private used = new Uint8Array(0);
  private image: ImageData | null = null;
  private canvas: HTMLCanvasElement | null = null;

  /** Empties the strips. All is counted in pixels of the screen. */
  begin(lanes: number, widePx: number, cellPx: number): void {
    const [widthPx, heightPx] = [widePx + 2 * cellPx, lanes * cellPx];
    this.cellPx = cellPx;
    this.widePx = widePx;
    if (widthPx === this.widthPx && heightPx === this.heightPx) this.pixels.fill(0);
    else this.pixels = new Int32Array(widthPx * heightPx);
    if (widthPx !== this.widthPx) this.stamps = new WeakMap();
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.used = new Uint8Array(lanes);
  }

  /** Puts a mark over those that are there, its cell `leftPx` from the left edge of the view. */
  stamp(cell: MarkCell, lane: number, leftPx: number): void {
    const { cellPx, pixels, widthPx } = this;
    if (leftPx < -cellPx || leftPx > this.widePx) return;
    this.used[lane] = 1;
    const corner = lane * cellPx * widthPx + cellPx + leftPx;
    const { offset, color } = this.stampOf(cell);
    for (let n = 0; n < color.length; n++) {
      const at = corner + (offset[n] as number);
      const own = color[n] as number;
      const there = pixels[at] as number;
      pixels[at] = own >>> 24 === 255 || there === 0 ? own : over(own, there);
    }
  }

  private stampOf(cell: MarkCell): Stamp {
    const known = this.stamps.get(cell);
    if (known) return known;
    const filled = [...cell.keys()].filter((n) => (cell[n] as number) >>> 24 > 0);
    const { cellPx, widthPx } = this;
    const stamp = {
      offset: Int32Array.from(filled, (n) => Math.floor(n / cellPx) * widthPx + (n % cellPx)),
      color: Int32Array.from(filled, (n) => cell[n] as number),
    };
    this.stamps.set(cell, stamp);
    return stamp;
  }

  paint(ctx: CanvasRenderingContext2D, scene: LaneScene, scale: number): void {
    const { cellPx, widthPx, heightPx, widePx } = this;
    if (heightPx === 0) return;
    const canvas = (this.canvas ??= document.createElement("canvas"));
    if (this.image?.data.buffer !== this.pixels.buffer) {
      this.image = new ImageData(new Uint8ClampedArray(this.pixels.buffer), widthPx, heightPx);
      canvas.width = widthPx;
      canvas.height = heightPx;
    }
    (canvas.getContext("2d") as CanvasRenderingContext2D).putImageData(this.image, 0, 0);
    const { from } = boxesInSight(scene);
    this.used.forEach((isUsed, lane) => {
      if (!isUsed) return;
      const box = scene.layout.boxes[from + lane] as LaneBox;
      const sizePx = cellPx / scale;
      const topPx = Math.round((box.topPx - scene.scrollPx + box.railPx - sizePx / 2) * scale) / scale;
      const wide = widePx / scale;
      ctx.drawImage(canvas, cellPx, lane * cellPx, widePx, cellPx, 0, topPx, wide, sizePx);
    });
  }
}

/** One colour over another that shows through, as a canvas has it. */
function over(upper: number, lower: number): number {
  const share = upper >>> 24;
  const rest = ((lower >>> 24) * (255 - share)) / 255;
  const alpha = share + rest;
  const red = ((upper & 255) * share + (lower & 255) * rest) / alpha;
  const green = (((upper >>> 8) & 255) * share + ((lower >>> 8) & 255) * rest) / alpha;
  const blue = (((upper >>> 16) & 255) * share + ((lower >>> 16) & 255) * rest) / alpha;
  return ((alpha + 0.5) << 24) | ((blue + 0.5) << 16) | ((green + 0.5) << 8) | (red + 0.5);
}
