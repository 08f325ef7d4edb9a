// The pulse: a measure by step of time over the visible range, piled by layer.

import { duration, short, whole } from "../base/format";
import { stepFor } from "../base/tick";
import { spanMs, toPx, type Viewport } from "../base/viewport";
import type { Past } from "../model/past";
import type { Measure, PulseGrid } from "../model/pulse_grid";
import { type Layers, pile } from "../model/pulse_layers";
import { inView } from "./past";
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
  readonly past: Past | null;
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
  for (const { value } of counted) peak = Math.max(peak, value);
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
  for (const isError of measure === "events" ? [false, true] : [measure === "errors"]) {
    ctx.fillStyle = isError ? theme.error : theme.pulse;
    for (const { fromMs, toMs, value, errors } of counted) {
      const shown = isError ? errors : value;
      if (shown <= 0) continue;
      const leftPx = Math.round(toPx(view, widthPx, fromMs));
      const widePx = Math.max(1, Math.round(toPx(view, widthPx, toMs)) - leftPx - 1);
      const tallPx = Math.max(isError ? LEAST_ERROR_PX : 1, shown * scale);
      ctx.fillRect(leftPx, heightPx - tallPx, widePx, tallPx);
    }
  }
  return top;
}

/** What the hub counted in the holes, by the length of the pulse's own steps: a rate is as high in both. */
function countsIn(
  view: Viewport,
  stepMs: number,
  { measure, past, holes }: PulseLook,
): { fromMs: number; toMs: number; value: number; errors: number }[] {
  if (!past || (measure !== "events" && measure !== "errors")) return [];
  const share = stepMs / past.stepMs;
  const { from, to } = inView(past.found, past.stepMs, view);
  return past.found.slice(from, to).flatMap(([startMs, events, failed]) =>
    holes
      .map((hole) => ({
        fromMs: Math.max(startMs, hole.fromMs),
        toMs: Math.min(startMs + past.stepMs, hole.toMs),
        value: (measure === "errors" ? failed : events) * share,
        errors: failed * share,
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

/** What the top of the strip stands for: `120/s`, `4.5k tokens/s`, `3 open`, `2.5 s`. */
export function scaleLabel(measure: Measure, top: number, stepMs: number): string {
  if (measure === "latency") return duration(top);
  if (measure === "open") return `${short(top)} open`;
  const perSecond = (top * 1000) / stepMs;
  const unit = measure === "tokens" ? " tokens" : "";
  return perSecond >= 1 ? `${short(perSecond)}${unit}/s` : `${short(perSecond * 60)}${unit}/min`;
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
