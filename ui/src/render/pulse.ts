// The pulse: a measure by step of time over the visible range, piled by layer.

import { duration, short, whole } from "../base/format";
import { stepFor } from "../base/tick";
import { spanMs, toPx, type Viewport } from "../base/viewport";
import type { Step } from "../model/past";
import type { Measure, PulseGrid } from "../model/pulse_grid";
import { type Layers, pile } from "../model/pulse_layers";
import type { Surface } from "./surface";
import type { Theme } from "./theme";

const MIN_BAR_PX = 4;
const HEAD_PX = 4;
/** Of errors under all events: one among thousands is still to be seen. */
const LEAST_ERROR_PX = 2;
/** Under a pile of other colours, where something failed. */
const ERROR_TICK_PX = 3;

/** What is drawn, and with which ink for each layer. */
export interface PulseLook {
  readonly measure: Measure;
  readonly layers: Layers;
  readonly inks: readonly string[];
  /** Where events are missing, and what the hub counted there. */
  readonly holes: readonly Viewport[];
  readonly past: PulsePast | null;
}

/** By layer, as `stepsOf` tells it. */
export interface PulsePast {
  readonly stepMs: number;
  readonly steps: readonly Step[];
}

/** A step of the past, or what of it lies in a hole. */
interface Counted extends Viewport {
  readonly values: readonly number[];
  readonly total: number;
  readonly errors: number;
}

/** A step that people can name, wide enough for a bar. */
export function pulseStep(view: Viewport, widthPx: number): number {
  return stepFor((spanMs(view) / Math.max(1, widthPx)) * MIN_BAR_PX);
}

/** Returns the value that reaches the top. */
export function paintPulse(
  surface: Surface,
  view: Viewport,
  grid: PulseGrid,
  theme: Theme,
  look: PulseLook,
): number {
  const { widthPx, heightPx } = surface;
  const ctx = surface.begin(theme.bg);
  const { measure } = look;
  const fromBin = Math.max(0, grid.binAt(view.fromMs));
  const toBin = Math.min(grid.bins, grid.binAt(view.toMs) + 1);
  const count = Math.max(0, toBin - fromBin);
  let peak = measure === "latency" ? 1e-3 : 1;
  for (let bin = fromBin; bin < toBin; bin++) peak = Math.max(peak, grid.total(measure, bin));
  const counted = countsIn(view, grid.stepMs, look);
  for (const { total } of counted) peak = Math.max(peak, total);
  const top = niceCeiling(peak);
  const scale = (heightPx - HEAD_PX) / top;
  const base = new Float64Array(count);
  const fill = (ink: string, valueOf: (bin: number) => number, minPx: number) => {
    ctx.fillStyle = ink;
    ctx.beginPath();
    for (let n = 0; n < count; n++) {
      const value = valueOf(fromBin + n);
      if (value <= 0) continue;
      const leftPx = Math.round(toPx(view, widthPx, grid.startMs(fromBin + n)));
      const rightPx = Math.round(toPx(view, widthPx, grid.startMs(fromBin + n + 1)));
      const lowPx = (base[n] as number) * scale;
      base[n] = (base[n] as number) + value;
      const tallPx = Math.max(minPx, value * scale);
      ctx.rect(leftPx, heightPx - lowPx - tallPx, Math.max(1, rightPx - leftPx - 1), tallPx);
    }
    ctx.fill();
  };
  if (measure === "latency") fill(theme.pulse, (bin) => grid.meanMs(bin), 1);
  else if (look.layers.stack === "none") {
    fill(measure === "errors" ? theme.error : theme.pulse, (bin) => grid.at(measure, 0, bin), 1);
    base.fill(0);
    if (measure === "events") fill(theme.error, (bin) => grid.at("errors", 0, bin), LEAST_ERROR_PX);
  } else {
    for (const line of pile(look.layers))
      fill(look.inks[line] ?? theme.pulse, (bin) => grid.at(measure, line, bin), 0);
    base.fill(0);
    if (measure === "events")
      fill(theme.error, (bin) => Math.min(1e-9, grid.total("errors", bin)), ERROR_TICK_PX);
  }
  const box = (one: Counted, ink: string, value: number, leastPx: number, baseValue = 0) => {
    if (value <= 0) return;
    const leftPx = Math.round(toPx(view, widthPx, one.fromMs));
    const widePx = Math.max(1, Math.round(toPx(view, widthPx, one.toMs)) - leftPx - 1);
    const tallPx = Math.max(leastPx, value * scale);
    ctx.fillStyle = ink;
    ctx.fillRect(leftPx, heightPx - baseValue * scale - tallPx, widePx, tallPx);
  };
  const isPile = look.layers.stack !== "none" && measure !== "latency";
  const order = isPile ? pile(look.layers) : [0];
  for (const one of counted) {
    let sum = 0;
    for (const line of order) {
      const value = one.values[line] ?? 0;
      const ink = isPile ? look.inks[line] : measure === "errors" ? theme.error : theme.pulse;
      box(one, ink ?? theme.pulse, value, isPile ? 0 : 1, sum);
      sum += value;
    }
    if (measure === "events")
      box(
        one,
        theme.error,
        isPile ? Math.min(1e-9, one.errors) : one.errors,
        isPile ? ERROR_TICK_PX : LEAST_ERROR_PX,
      );
  }
  return top;
}

/** What the hub counted in the holes, by the length of the pulse's own steps: a rate is as high in both. */
function countsIn(view: Viewport, stepMs: number, { measure, past, holes }: PulseLook): Counted[] {
  if (!past) return [];
  const isRate = measure !== "open" && measure !== "latency";
  const share = isRate ? stepMs / past.stepMs : 1;
  return past.steps
    .filter(({ startMs }) => startMs + past.stepMs > view.fromMs && startMs < view.toMs)
    .flatMap(({ startMs, values, errors }) =>
      holes
        .map((hole) => ({
          fromMs: Math.max(startMs, hole.fromMs),
          toMs: Math.min(startMs + past.stepMs, hole.toMs),
          values: values.map((value) => value * share),
          total: values.reduce((sum, value) => sum + value, 0) * share,
          errors: errors * share,
        }))
        .filter((one) => one.toMs > one.fromMs),
    );
}

/** 1, 2, 5, 10, 20, 50, … and the same below 1. */
export function niceCeiling(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1e-3, value)));
  const factor = [1, 2, 5, 10].find((nice) => nice * size >= value * (1 - 1e-9)) ?? 10;
  return factor * size;
}

const PER: readonly (readonly [seconds: number, name: string])[] = [
  [1, "s"],
  [60, "min"],
  [3600, "h"],
  [86_400, "day"],
];

/** What the top of the strip stands for: `120/s`, `4.5k tokens/s`, `3 open`, `2.5 s`. */
export function scaleLabel(measure: Measure, top: number, stepMs: number): string {
  if (measure === "latency") return duration(top);
  if (measure === "open") return `${short(top)} open`;
  const perSecond = (top * 1000) / stepMs;
  const unit = measure === "tokens" ? " tokens" : "";
  const [per, name] = PER.find(([seconds]) => perSecond * seconds >= 1) ?? (PER.at(-1) as [number, string]);
  return `${short(perSecond * per)}${unit}/${name}`;
}

const UNITS: Record<Measure, string> = {
  events: "event",
  errors: "error",
  tokens: "token",
  open: "open",
  latency: "",
};

/** An exact value: `1,204 events`, `12 open`, `834 ms`. */
export function valueLabel(measure: Measure, value: number): string {
  if (measure === "latency") return value > 0 ? duration(value) : "no call ended";
  if (measure === "open") return `${whole(value)} open`;
  return `${whole(value)} ${UNITS[measure]}${value === 1 ? "" : "s"}`;
}
