// What lies under the pointer: a bar, a mark, or in the dense picture a bin.

import { spanMs, toMs } from "../base/viewport";
import { AS_INSTANT } from "../model/event_table";
import { FLAG_ERROR } from "../model/protocol";
import type { BarList } from "./bar_list";
import { SESSION_DEPTH } from "../model/packing";
import { type LaneBox, SESSION_PX } from "./layout";
import { MARK_PX } from "./mark";
import type { LaneScene } from "./scene";

export type Hit =
  | {
      readonly kind: "bar";
      readonly bar: number;
      readonly box: LaneBox;
      readonly leftPx: number;
      readonly widthPx: number;
      readonly topPx: number;
      readonly heightPx: number;
    }
  | { readonly kind: "mark"; readonly row: number; readonly box: LaneBox }
  | {
      readonly kind: "bin";
      readonly box: LaneBox;
      readonly fromMs: number;
      readonly toMs: number;
      readonly events: number;
      readonly errors: number;
    };

/** How far the pointer may be off: a bar of one pixel should still be caught. */
const SLOP_PX = 3;

/** `xPx`, `yPx` from the corner of the canvas; `bars` as drawn last. */
export function hitTest(scene: LaneScene, bars: BarList, xPx: number, yPx: number): Hit | null {
  const box = scene.layout.boxes[scene.layout.indexAt(yPx + scene.scrollPx)];
  if (!box) return null;
  const mark = scene.isDense ? null : hitMark(scene, box, xPx, yPx);
  return mark ?? hitBar(scene, bars, box, xPx, yPx) ?? (scene.isDense ? hitBin(scene, box, xPx) : null);
}

/** The bar under the pointer, or the nearest one on its sub-row; of several the last drawn. */
function hitBar(scene: LaneScene, bars: BarList, box: LaneBox, xPx: number, yPx: number): Hit | null {
  const { spans } = scene.journal;
  const { barPx } = scene.layout.metrics;
  let best = -1;
  let bestPx = SLOP_PX;
  for (let n = 0; n < bars.length; n++) {
    const topPx = bars.topPx[n] as number;
    const i = spans.slot(bars.span[n] as number);
    const tallPx = spans.depth[i] === SESSION_DEPTH ? SESSION_PX + 2 : barPx;
    if (yPx < topPx || yPx > topPx + tallPx || spans.agent[i] !== box.agent) continue;
    const leftPx = bars.leftPx[n] as number;
    const offPx = Math.max(0, leftPx - xPx, xPx - leftPx - (bars.widthPx[n] as number));
    if (offPx <= bestPx) {
      best = n;
      bestPx = offPx;
    }
  }
  if (best < 0) return null;
  return {
    kind: "bar",
    bar: bars.span[best] as number,
    box,
    leftPx: bars.leftPx[best] as number,
    widthPx: bars.widthPx[best] as number,
    topPx: bars.topPx[best] as number,
    heightPx: spans.depth[spans.slot(bars.span[best] as number)] === SESSION_DEPTH ? SESSION_PX : barPx,
  };
}

function hitMark(scene: LaneScene, box: LaneBox, xPx: number, yPx: number): Hit | null {
  const { events } = scene.journal;
  const offRailPx = Math.abs(yPx + scene.scrollPx - box.topPx - box.railPx);
  const isAloneInLane = box.rows === 0;
  if (!isAloneInLane && offRailPx > MARK_PX / 2 + SLOP_PX) return null;
  const msPerPx = spanMs(scene.view) / scene.widthPx;
  const timeMs = toMs(scene.view, scene.widthPx, xPx);
  const reachMs = (MARK_PX / 2 + SLOP_PX) * msPerPx;
  let best = -1;
  let bestMs = reachMs;
  events.scan(timeMs - reachMs, timeMs + reachMs, (from, to) => {
    for (let row = from; row < to; row++) {
      const i = events.slot(row);
      if (events.agent[i] !== box.agent || events.match[i] === 0 || events.drawn[i] !== AS_INSTANT) continue;
      const isError = ((events.flag[i] as number) & FLAG_ERROR) !== 0;
      const offMs = Math.abs((events.tsMs[i] as number) - timeMs) * (isError ? 0.5 : 1); // errors win
      if (offMs > bestMs) continue;
      best = row;
      bestMs = offMs;
    }
  });
  return best < 0 ? null : { kind: "mark", row: best, box };
}

function hitBin(scene: LaneScene, box: LaneBox, xPx: number): Hit | null {
  const { grid } = scene;
  const bin = grid.binAt(toMs(scene.view, scene.widthPx, xPx));
  const events = grid.at(box.agent, bin);
  if (events === 0) return null;
  const fromMs = grid.startMs(bin);
  return {
    kind: "bin",
    box,
    fromMs,
    toMs: fromMs + grid.stepMs,
    events,
    errors: grid.errorsAt(box.agent, bin),
  };
}
