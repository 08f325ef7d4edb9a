// The time axis: ticks, and the day at its left end.

import { clock, day, localOffsetMs, stepFor, tickLabel, ticks } from "../base/tick";
import { spanMs, toPx, type Viewport } from "../base/viewport";
import type { Surface } from "./surface";
import type { Theme } from "./theme";

/** Room for `10:50:03.250` and air. */
const MIN_TICK_PX = 92;

export interface Ticks {
  readonly stepMs: number;
  readonly timesMs: readonly number[];
}

export function viewTicks(view: Viewport, widthPx: number): Ticks {
  const stepMs = stepFor((spanMs(view) / Math.max(1, widthPx)) * MIN_TICK_PX);
  return { stepMs, timesMs: ticks(view.fromMs, view.toMs, stepMs, localOffsetMs(view.fromMs)) };
}

export class AxisPainter {
  private drawn: { view: Viewport; theme: Theme } | null = null;

  constructor(private readonly surface: Surface) {}

  /** Where nothing changed since, nothing is drawn. */
  paint(view: Viewport, theme: Theme): void {
    const { surface, drawn } = this;
    const isFitted = surface.fit();
    const isSame =
      drawn?.theme === theme && drawn.view.fromMs === view.fromMs && drawn.view.toMs === view.toMs;
    if (isSame && !isFitted) return;
    this.drawn = { view, theme };
    paintAxis(surface, view, theme);
  }
}

function paintAxis(surface: Surface, view: Viewport, theme: Theme): void {
  const { widthPx, heightPx } = surface;
  const ctx = surface.begin(theme.bg);
  const { stepMs, timesMs } = viewTicks(view, widthPx);
  ctx.font = `11px ${theme.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const timeMs of timesMs) {
    const xPx = Math.round(toPx(view, widthPx, timeMs));
    ctx.fillStyle = theme.line;
    ctx.fillRect(xPx, heightPx - 6, 1, 6);
    ctx.fillStyle = isMidnight(timeMs) ? theme.text : theme.faint;
    ctx.fillText(isMidnight(timeMs) ? day(timeMs) : tickLabel(timeMs, stepMs), xPx + 4, heightPx / 2);
  }
  ctx.fillStyle = theme.line;
  ctx.fillRect(0, heightPx - 1, widthPx, 1);
}

function isMidnight(timeMs: number): boolean {
  return timeMs % 1000 === 0 && clock(timeMs) === "00:00:00";
}
