// The zoomed-out picture of the lanes as pixels: per lane a histogram of events, and its errors as a strip of
// their own at the foot, on the ground that all pictures of the lanes have. What was drawn is kept: a view that
// follows the present needs its newest columns only.

import { localOffsetMs, ticks } from "../base/tick";
import { spanMs, type Viewport } from "../base/viewport";
import type { BinGrid } from "../model/bin_grid";
import { viewTicks } from "./axis";
import type { LaneBox, Layout } from "./layout";
import { boxesInSight, type LaneScene } from "./scene";
import type { Theme } from "./theme";

const ERROR_STRIP_PX = 3;
const PAD_PX = 3;
const LEAST_PX = 2;
/** Room beyond the right edge: a view that follows moves through it before all is drawn again. */
const SPARE_PX = 256;
/** A length of time that changed by less is the same one, rounded otherwise. */
const SAME_RATIO = 1e-7;

/** What was drawn: columns [fromPx, toPx), of which the view begins at `offsetPx`. */
export interface DrawnColumns {
  readonly offsetPx: number;
  readonly fromPx: number;
  readonly toPx: number;
  readonly view: Viewport;
}

/** What the pixels show; with another one they are void. */
interface Look {
  readonly grid: BinGrid;
  readonly recounts: number;
  readonly layout: Layout;
  readonly theme: Theme;
  /** Of the picture to one of the page. */
  readonly unit: number;
  readonly widePx: number;
  readonly scrollPx: number;
  readonly spanMs: number;
  /** The count that fills a lane. */
  readonly peak: number;
}

export class DensityPixels {
  widthPx = 0;
  heightPx = 0;
  /** Little-endian RGBA, row by row. */
  pixels = new Uint32Array(0);
  private look: Look | null = null;
  private pxPerMs = 0;
  /** The time at column 0. */
  private originMs = 0;
  private offsetPx = 0;
  private drawnPx = 0;

  /** Brings the columns in view up to date. `unit`: pixels of the picture to one of the page. */
  update(scene: LaneScene, theme: Theme, unit: number): DrawnColumns {
    const look = this.lookOf(scene, theme, unit);
    this.resize(look.widePx + SPARE_PX, Math.ceil(scene.heightPx * unit));
    const changedBin = scene.grid.takeChanged();
    if (!this.look || !isSame(look, this.look) || !this.reach(scene.view)) {
      this.look = look;
      this.pxPerMs = look.widePx / look.spanMs;
      this.originMs = scene.view.fromMs;
      this.offsetPx = this.drawnPx = 0;
    }
    const { offsetPx, originMs, pxPerMs } = this;
    const toPx = offsetPx + look.widePx;
    const changedPx = changedBin < scene.grid.bins ? this.columnOf(scene.grid.startMs(changedBin)) : Infinity;
    const fromPx = Math.max(offsetPx, Math.min(this.drawnPx, changedPx));
    if (fromPx < toPx) this.draw(scene, this.look, fromPx, toPx);
    this.drawnPx = toPx;
    const fromMs = originMs + offsetPx / pxPerMs;
    return { offsetPx, fromPx, toPx, view: { fromMs, toMs: fromMs + this.look.spanMs } };
  }

  private lookOf(scene: LaneScene, theme: Theme, unit: number): Look {
    const { grid, layout, view, scrollPx } = scene;
    return {
      grid,
      recounts: grid.recounts,
      layout,
      theme,
      unit,
      widePx: Math.ceil(scene.widthPx * unit),
      scrollPx,
      spanMs: spanMs(view),
      peak: ceilingOf(scene),
    };
  }

  /** Moves to `view`, if what is kept goes on there: to the right, and not too far. */
  private reach({ fromMs }: Viewport): boolean {
    const offsetPx = this.columnOf(fromMs);
    if (offsetPx < this.offsetPx || offsetPx > SPARE_PX) return false;
    this.offsetPx = offsetPx;
    return true;
  }

  private columnOf(timeMs: number): number {
    return Math.round((timeMs - this.originMs) * this.pxPerMs);
  }

  private resize(widthPx: number, heightPx: number): void {
    if (widthPx === this.widthPx && heightPx === this.heightPx) return;
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.pixels = new Uint32Array(widthPx * heightPx);
    this.look = null;
  }

  private draw(scene: LaneScene, look: Look, fromPx: number, toPx: number): void {
    const { from, to } = boxesInSight(scene);
    const boxes = scene.layout.boxes.slice(from, to);
    this.drawGround(scene, look, boxes, fromPx, toPx);
    for (const box of boxes) this.drawLane(look, box, fromPx, toPx);
  }

  private drawGround(
    scene: LaneScene,
    { theme, unit, scrollPx }: Look,
    boxes: readonly LaneBox[],
    fromPx: number,
    toPx: number,
  ): void {
    const { pixels, widthPx, heightPx, originMs, pxPerMs } = this;
    for (let y = 0; y < heightPx; y++) pixels.fill(theme.ground.bg, y * widthPx + fromPx, y * widthPx + toPx);
    const linePx = Math.max(1, Math.round(unit));
    const last = boxes.at(-1);
    const footPx = last ? Math.round((last.topPx + last.heightPx - scrollPx) * unit) : 0;
    const { stepMs } = viewTicks(scene.view, scene.widthPx);
    const startMs = originMs + (fromPx - linePx) / pxPerMs;
    const offsetMs = localOffsetMs(scene.view.fromMs);
    for (const timeMs of ticks(startMs, originMs + toPx / pxPerMs, stepMs, offsetMs)) {
      const leftPx = this.columnOf(timeMs);
      this.fill(theme.ground.grid, fromPx, toPx, leftPx, 0, leftPx + linePx, footPx);
    }
    for (const box of boxes) {
      const topPx = Math.round((box.topPx + box.heightPx - scrollPx - 1) * unit);
      this.fill(theme.ground.line, fromPx, toPx, fromPx, topPx, toPx, topPx + linePx);
    }
  }

  private drawLane(look: Look, box: LaneBox, fromPx: number, toPx: number): void {
    const { grid, theme, unit } = look;
    const { originMs, pxPerMs } = this;
    const footPx = Math.round((box.topPx - look.scrollPx + box.heightPx - PAD_PX) * unit);
    const roomPx = (box.heightPx - 2 * PAD_PX) * unit;
    const leastPx = Math.round(LEAST_PX * unit);
    const stripPx = footPx - Math.round(ERROR_STRIP_PX * unit);
    const scale = 1 / Math.log2(1 + look.peak);
    const lastShade = theme.density.length - 1;
    const line = box.agent * grid.bins;
    const endBin = Math.min(grid.bins, grid.binAt(originMs + toPx / pxPerMs) + 1);
    for (let bin = Math.max(0, grid.binAt(originMs + fromPx / pxPerMs) - 1); bin < endBin; bin++) {
      const count = grid.counts[line + bin] ?? 0;
      if (count === 0) continue;
      const share = Math.min(1, Math.log2(1 + count) * scale);
      const color = theme.density[Math.round(share * lastShade)] as number;
      const leftPx = this.columnOf(grid.startMs(bin));
      const rightPx = this.columnOf(grid.startMs(bin + 1));
      const topPx = footPx - Math.max(leastPx, Math.round(share * roomPx));
      this.fill(color, fromPx, toPx, leftPx, topPx, rightPx, footPx);
      if ((grid.errors[line + bin] ?? 0) > 0)
        this.fill(theme.densityError, fromPx, toPx, leftPx, stripPx, rightPx, footPx);
    }
  }

  /** A box of one colour, as far as it lies within the columns [fromPx, toPx). */
  private fill(
    color: number,
    fromPx: number,
    toPx: number,
    leftPx: number,
    topPx: number,
    rightPx: number,
    endPx: number,
  ): void {
    const { pixels, widthPx } = this;
    const left = Math.max(fromPx, leftPx);
    const right = Math.min(toPx, rightPx);
    const end = Math.min(this.heightPx, endPx);
    for (let y = Math.max(0, topPx); y < end; y++)
      for (let at = y * widthPx + left; at < y * widthPx + right; at++) pixels[at] = color;
  }
}

function isSame(one: Look, other: Look): boolean {
  return (
    one.grid === other.grid &&
    one.recounts === other.recounts &&
    one.layout === other.layout &&
    one.theme === other.theme &&
    one.unit === other.unit &&
    one.widePx === other.widePx &&
    one.scrollPx === other.scrollPx &&
    one.peak === other.peak &&
    Math.abs(one.spanMs / other.spanMs - 1) < SAME_RATIO
  );
}

/** The largest count in sight, rounded up to a power of two so that heights do not dance. */
function ceilingOf(scene: LaneScene): number {
  const { grid, view, layout } = scene;
  const { from, to } = boxesInSight(scene);
  const fromBin = Math.max(0, grid.binAt(view.fromMs));
  const toBin = Math.min(grid.bins, grid.binAt(view.toMs) + 1);
  const { counts } = grid;
  let peak = 8;
  for (let n = from; n < to; n++) {
    const line = (layout.boxes[n] as LaneBox).agent * grid.bins;
    for (let bin = fromBin; bin < toBin; bin++) {
      const count = counts[line + bin] ?? 0;
      if (count > peak) peak = count;
    }
  }
  return 2 ** Math.ceil(Math.log2(peak));
}
