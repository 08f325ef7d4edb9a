// The pulse: events a step over the visible range, errors in their own colour at the foot.

import { short } from "../base/format";
import { stepFor } from "../base/tick";
import { spanMs, toPx, type Viewport } from "../base/viewport";
import type { BinGrid } from "../model/bin_grid";
import type { Surface } from "./surface";
import type { Theme } from "./theme";

const MIN_BAR_PX = 4;
const HEAD_PX = 4;

/** A step that people can name, wide enough for a bar. */
export function pulseStep(view: Viewport, widthPx: number): number {
  return stepFor((spanMs(view) / Math.max(1, widthPx)) * MIN_BAR_PX);
}

/** Draws line 0 of the grid; returns the count that reaches the top. */
export function paintPulse(surface: Surface, view: Viewport, grid: BinGrid, theme: Theme): number {
  const { widthPx, heightPx } = surface;
  const ctx = surface.begin(theme.bg);
  const fromBin = Math.max(0, grid.binAt(view.fromMs));
  const toBin = Math.min(grid.bins, grid.binAt(view.toMs) + 1);
  let peak = 1;
  for (let bin = fromBin; bin < toBin; bin++) peak = Math.max(peak, grid.at(0, bin));
  const top = niceCeiling(peak);
  const roomPx = heightPx - HEAD_PX;
  const columns = { view, widthPx, heightPx, roomPx, top, fromBin, toBin };
  ctx.fillStyle = theme.pulse;
  fillColumns(ctx, grid, columns, (bin) => grid.at(0, bin), 1);
  ctx.fillStyle = theme.error;
  fillColumns(ctx, grid, columns, (bin) => grid.errorsAt(0, bin), 2);
  return top;
}

function fillColumns(
  ctx: CanvasRenderingContext2D,
  grid: BinGrid,
  at: {
    view: Viewport;
    widthPx: number;
    heightPx: number;
    roomPx: number;
    top: number;
    fromBin: number;
    toBin: number;
  },
  countOf: (bin: number) => number,
  minPx: number,
): void {
  ctx.beginPath();
  for (let bin = at.fromBin; bin < at.toBin; bin++) {
    const count = countOf(bin);
    if (count === 0) continue;
    const leftPx = Math.round(toPx(at.view, at.widthPx, grid.startMs(bin)));
    const rightPx = Math.round(toPx(at.view, at.widthPx, grid.startMs(bin + 1)));
    const barPx = Math.max(minPx, (count / at.top) * at.roomPx);
    ctx.rect(leftPx, at.heightPx - barPx, Math.max(1, rightPx - leftPx - 1), barPx);
  }
  ctx.fill();
}

/** 1, 2, 5, 10, 20, 50, … */
export function niceCeiling(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  const factor = [1, 2, 5, 10].find((nice) => nice * size >= value) ?? 10;
  return factor * size;
}

/** `120/s`: what the top of the strip stands for. */
export function rateLabel(top: number, stepMs: number): string {
  const perSecond = (top * 1000) / stepMs;
  return perSecond >= 1 ? `${short(perSecond)}/s` : `${short(perSecond * 60)}/min`;
}
