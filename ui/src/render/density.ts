// The zoomed-out picture of the lanes: per lane a histogram of events, and its errors as a strip of
// their own at the foot. One pixel column a bin, written into memory and put on the canvas in one go.

import type { BinGrid } from "../model/bin_grid";
import type { Viewport } from "../base/viewport";
import { spanMs, toPx } from "../base/viewport";
import type { LaneBox, Layout } from "./layout";
import type { Theme } from "./theme";

const ERROR_STRIP_PX = 3;
const PAD_PX = 3;
/** The picture grows in steps of this many bins: following moves the number by one, and memory is dear. */
const BIN_STEP = 128;

export class Density {
  private readonly canvas = document.createElement("canvas");
  private image: ImageData | null = null;
  private pixels = new Uint32Array(0);

  /** Draws the boxes [fromBox, toBox) as they stand when scrolled by `scrollPx`. */
  paint(
    ctx: CanvasRenderingContext2D,
    scene: { grid: BinGrid; layout: Layout; view: Viewport; theme: Theme },
    area: { widthPx: number; heightPx: number; scrollPx: number; fromBox: number; toBox: number },
  ): void {
    const { grid, layout, view, theme } = scene;
    const fromBin = Math.max(0, grid.binAt(view.fromMs));
    const bins = Math.min(grid.bins, grid.binAt(view.toMs) + 1) - fromBin;
    const heightPx = Math.ceil(area.heightPx);
    if (bins <= 0 || heightPx <= 0) return;
    this.resize(bins, heightPx);
    this.pixels.fill(0);
    const boxes = layout.boxes.slice(area.fromBox, area.toBox);
    const peak = ceilingOf(grid, boxes, fromBin, bins);
    for (const box of boxes)
      this.drawLine(grid, theme, { fromBin, bins, peak, heightPx, box, scrollPx: area.scrollPx });
    this.put(ctx, grid, view, { fromBin, bins, heightPx, widthPx: area.widthPx });
  }

  private drawLine(
    grid: BinGrid,
    theme: Theme,
    at: {
      fromBin: number;
      bins: number;
      peak: number;
      heightPx: number;
      box: LaneBox;
      scrollPx: number;
    },
  ): void {
    const { pixels } = this;
    const strideCells = this.canvas.width;
    const footPx = Math.round(at.box.topPx - at.scrollPx + at.box.heightPx - PAD_PX);
    const roomPx = at.box.heightPx - 2 * PAD_PX;
    const scale = 1 / Math.log2(1 + at.peak);
    const last = theme.density.length - 1;
    for (let bin = 0; bin < at.bins; bin++) {
      const count = grid.at(at.box.agent, at.fromBin + bin);
      if (count === 0) continue;
      const share = Math.min(1, Math.log2(1 + count) * scale);
      const color = theme.density[Math.round(share * last)] as number;
      const topPx = Math.max(0, footPx - Math.max(2, Math.round(share * roomPx)));
      const endPx = Math.min(at.heightPx, footPx);
      for (let y = topPx; y < endPx; y++) pixels[y * strideCells + bin] = color;
      if (grid.errorsAt(at.box.agent, at.fromBin + bin) === 0) continue;
      const stripPx = Math.max(0, endPx - ERROR_STRIP_PX);
      for (let y = stripPx; y < endPx; y++) pixels[y * strideCells + bin] = theme.densityError;
    }
  }

  private resize(bins: number, heightPx: number): void {
    const widthPx = Math.ceil(bins / BIN_STEP) * BIN_STEP;
    if (this.image?.width === widthPx && this.image.height === heightPx) return;
    this.canvas.width = widthPx;
    this.canvas.height = heightPx;
    this.image = new ImageData(widthPx, heightPx);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  private put(
    ctx: CanvasRenderingContext2D,
    grid: BinGrid,
    view: Viewport,
    at: { fromBin: number; bins: number; heightPx: number; widthPx: number },
  ): void {
    const own = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    own.putImageData(this.image as ImageData, 0, 0);
    const leftPx = toPx(view, at.widthPx, grid.startMs(at.fromBin));
    const binPx = (grid.stepMs / spanMs(view)) * at.widthPx;
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.canvas, 0, 0, at.bins, at.heightPx, leftPx, 0, binPx * at.bins, at.heightPx);
    ctx.imageSmoothingEnabled = true;
  }
}

/** The largest count in sight, rounded up to a power of two so that heights do not dance. */
function ceilingOf(grid: BinGrid, boxes: readonly LaneBox[], fromBin: number, bins: number): number {
  let peak = 8;
  for (const { agent } of boxes) {
    for (let bin = fromBin; bin < fromBin + bins; bin++) {
      const count = grid.at(agent, bin);
      if (count > peak) peak = count;
    }
  }
  return 2 ** Math.ceil(Math.log2(peak));
}
