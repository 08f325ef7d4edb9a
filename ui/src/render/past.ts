// The time of which the events are in the log and not on the page: a veil, and what the hub counted there.

import { toMs, toPx, type Viewport } from "../base/viewport";
import { type Bucket, bucketAt, type Past } from "../model/past";
import type { LaneBox } from "./layout";
import type { Hit } from "./hit_test";
import { boxesInSight, type LaneScene } from "./scene";
import type { Theme } from "./theme";

/** As in the dense picture, of which this is the rest. */
const ERROR_STRIP_PX = 3;
const PAD_PX = 3;
const LEAST_PX = 2;
const LEAST_PEAK = 8;

export function paintHoles(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme): void {
  for (const hole of scene.holes) {
    const leftPx = Math.max(0, toPx(scene.view, scene.widthPx, hole.fromMs));
    const endPx = Math.min(scene.widthPx, toPx(scene.view, scene.widthPx, hole.toMs));
    if (!(endPx > leftPx)) continue;
    ctx.fillStyle = theme.veil;
    ctx.fillRect(leftPx, 0, endPx - leftPx, scene.heightPx);
    ctx.fillStyle = theme.line;
    const { from, to } = boxesInSight(scene);
    for (const { topPx, heightPx } of scene.layout.boxes.slice(from, to))
      ctx.fillRect(leftPx, topPx + heightPx - scene.scrollPx - 1, endPx - leftPx, 1);
    if (scene.past) paintCounts(ctx, scene, scene.past, theme, { leftPx, endPx });
  }
}

function paintCounts(
  ctx: CanvasRenderingContext2D,
  scene: LaneScene,
  past: Past,
  theme: Theme,
  { leftPx, endPx }: { readonly leftPx: number; readonly endPx: number },
): void {
  const { layout, journal, scrollPx } = scene;
  const sight = boxesInSight(scene);
  const lanes = layout.boxes.slice(sight.from, sight.to).flatMap((box) => {
    const buckets = past.byAgent.get(journal.agents.name(box.agent));
    return buckets ? [{ box, buckets }] : [];
  });
  let peak = LEAST_PEAK;
  for (const { buckets } of lanes) for (const [, events] of buckets) peak = Math.max(peak, events);
  const scale = 1 / Math.log2(1 + peak);
  const last = theme.densityInks.length - 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(leftPx, 0, endPx - leftPx, scene.heightPx);
  ctx.clip();
  for (const { box, buckets } of lanes) {
    const footPx = box.topPx - scrollPx + box.heightPx - PAD_PX;
    const roomPx = box.heightPx - 2 * PAD_PX;
    const { from, to } = inView(buckets, past.stepMs, scene.view);
    for (let n = from; n < to; n++) {
      const [startMs, events, errors] = buckets[n] as Bucket;
      const fromPx = Math.round(toPx(scene.view, scene.widthPx, startMs));
      const widePx = Math.max(1, Math.round(toPx(scene.view, scene.widthPx, startMs + past.stepMs)) - fromPx);
      const share = Math.min(1, Math.log2(1 + events) * scale);
      const tallPx = Math.max(LEAST_PX, Math.round(share * roomPx));
      ctx.fillStyle = theme.densityInks[Math.round(share * last)] ?? theme.pulse;
      ctx.fillRect(fromPx, footPx - tallPx, widePx, tallPx);
      if (errors === 0) continue;
      ctx.fillStyle = theme.error;
      ctx.fillRect(fromPx, footPx - ERROR_STRIP_PX, widePx, ERROR_STRIP_PX);
    }
  }
  ctx.restore();
}

/** The counts under the pointer, where there is a hole. */
export function hitPast(scene: LaneScene, xPx: number, yPx: number): Hit | null {
  const { past, holes, layout, journal } = scene;
  const timeMs = toMs(scene.view, scene.widthPx, xPx);
  const box: LaneBox | undefined = layout.boxes[layout.indexAt(yPx + scene.scrollPx)];
  if (!past || !box || !holes.some(({ fromMs, toMs: endMs }) => fromMs <= timeMs && timeMs < endMs))
    return null;
  const buckets = past.byAgent.get(journal.agents.name(box.agent)) ?? [];
  const found = bucketAt(buckets, past.stepMs, timeMs);
  if (!found) return null;
  const [fromMs, events, errors] = found;
  return { kind: "bin", box, fromMs, toMs: fromMs + past.stepMs, events, errors };
}

/** The buckets that a view shows: [from, to). */
export function inView(
  buckets: readonly Bucket[],
  stepMs: number,
  view: Viewport,
): { readonly from: number; readonly to: number } {
  return { from: firstAfter(buckets, view.fromMs - stepMs), to: firstAfter(buckets, view.toMs) };
}

/** The first bucket that starts after a moment. */
function firstAfter(buckets: readonly Bucket[], timeMs: number): number {
  let from = 0;
  let to = buckets.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((buckets[middle] as Bucket)[0] > timeMs) to = middle;
    else from = middle + 1;
  }
  return from;
}
