// The visible stretch of time, half-open, in Unix milliseconds. Immutable: a change is a new one.

export interface Viewport {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One pixel is then still many microseconds wide: below, float64 Unix milliseconds lose their grip. */
export const MIN_SPAN_MS = 1;
export const MAX_SPAN_MS = 10 * 366 * 86_400_000;

export function spanMs(view: Viewport): number {
  return view.toMs - view.fromMs;
}

export function toPx(view: Viewport, widthPx: number, timeMs: number): number {
  return ((timeMs - view.fromMs) / (view.toMs - view.fromMs)) * widthPx;
}

export function toMs(view: Viewport, widthPx: number, xPx: number): number {
  return view.fromMs + (xPx / widthPx) * (view.toMs - view.fromMs);
}

/** Zooms by `factor` (> 1 shows more time) and keeps `anchorMs` where it is on screen. */
export function zoom(view: Viewport, factor: number, anchorMs: number): Viewport {
  const before = spanMs(view);
  const after = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, before * factor));
  const fromMs = anchorMs - ((anchorMs - view.fromMs) / before) * after;
  return { fromMs, toMs: fromMs + after };
}

export function pan(view: Viewport, byMs: number): Viewport {
  return { fromMs: view.fromMs + byMs, toMs: view.toMs + byMs };
}

export function endingAt(view: Viewport, toMs: number): Viewport {
  return { fromMs: toMs - spanMs(view), toMs };
}

/** The range between two times in either order, at least `MIN_SPAN_MS` wide. */
export function between(oneMs: number, otherMs: number): Viewport {
  const fromMs = Math.min(oneMs, otherMs);
  return { fromMs, toMs: Math.max(fromMs + MIN_SPAN_MS, oneMs, otherMs) };
}

/** `[fromMs, toMs)` with a little air on both sides, so that marks at the edges are whole. */
export function around(fromMs: number, toMs: number, airRatio = 0.04): Viewport {
  const airMs = Math.max(MIN_SPAN_MS, (toMs - fromMs) * airRatio);
  return { fromMs: fromMs - airMs, toMs: toMs + airMs };
}
