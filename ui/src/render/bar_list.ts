// The bars in sight as pixel boxes, collected once a frame into columns that are reused.

import { spanMs } from "../base/viewport";
import { SESSION_DEPTH } from "../model/packing";
import type { LaneBox } from "./layout";
import { RowNeed } from "./row_need";
import { boxesInSight, type LaneScene } from "./scene";

/** More bars than this would cost more than a frame has; the shortest are then left to the density. */
export const MAX_BARS = 6000;
/** Of those out of sight: what is in sight may be the work of one of them. */
const MAX_BEYOND = 1200;
/** In the dense picture a bar must be this wide to be told apart from the histogram. */
const DENSE_BAR_PX = 16;

export class BarList {
  length = 0;
  readonly span = new Float64Array(MAX_BARS);
  readonly leftPx = new Float32Array(MAX_BARS);
  readonly widthPx = new Float32Array(MAX_BARS);
  readonly topPx = new Float32Array(MAX_BARS);
  /** Bars of lanes above and below those in sight, and their tops. */
  beyond = 0;
  readonly beyondSpan = new Float64Array(MAX_BEYOND);
  readonly beyondTopPx = new Float32Array(MAX_BEYOND);
  /** The shortest bar that is drawn; doubles until all that is longer fits in the list. */
  private minPx = 0;

  /** What the walk found out about the height of lanes. */
  readonly need = new RowNeed();

  collect(scene: LaneScene): void {
    this.minPx = scene.isDense ? DENSE_BAR_PX : 0;
    while (!this.tryCollect(scene)) this.minPx = Math.max(1, this.minPx * 2);
  }

  private tryCollect(scene: LaneScene): boolean {
    const { spans } = scene.journal;
    const { view, widthPx } = scene;
    const msPerPx = spanMs(view) / widthPx;
    const minMs = this.minPx * msPerPx;
    const sight = boxesInSight(scene);
    let isWhole = true;
    this.length = this.beyond = 0;
    this.need.begin();
    spans.scan(view.fromMs, view.toMs, minMs, (from, to) => {
      if (isWhole) isWhole = this.collectRun(scene, from, to, minMs, sight);
    });
    return isWhole;
  }

  private collectRun(
    scene: LaneScene,
    from: number,
    to: number,
    minMs: number,
    sight: { from: number; to: number },
  ): boolean {
    const { view, layout, nowMs, scrollPx, widthPx } = scene;
    const { spans } = scene.journal;
    const pxPerMs = widthPx / spanMs(view);
    for (let span = from; span < to; span++) {
      const i = spans.slot(span);
      const startMs = spans.startMs[i] as number;
      const knownEndMs = spans.endMs[i] as number;
      const endMs = knownEndMs === Infinity ? Math.max(nowMs, startMs) : knownEndMs;
      if (startMs > view.toMs || endMs < view.fromMs) continue;
      if (endMs - startMs < minMs && knownEndMs !== Infinity) continue;
      const agent = spans.agent[i] as number;
      const depth = spans.depth[i] as number;
      if (depth !== SESSION_DEPTH) this.need.note(agent, depth);
      const boxIndex = layout.indexOf(agent);
      const isBeyond = boxIndex < sight.from || boxIndex >= sight.to;
      if (boxIndex < 0 || (isBeyond && this.beyond === MAX_BEYOND)) continue;
      const box = layout.boxes[boxIndex] as LaneBox;
      const topPx = box.topPx - scrollPx + layout.barTopPx(box, depth);
      if (isBeyond) {
        this.beyondSpan[this.beyond] = span;
        this.beyondTopPx[this.beyond++] = topPx;
        continue;
      }
      if (this.length === MAX_BARS) return false;
      const leftPx = (startMs - view.fromMs) * pxPerMs;
      const n = this.length++;
      this.span[n] = span;
      this.leftPx[n] = leftPx;
      this.widthPx[n] = Math.max(1, (endMs - view.fromMs) * pxPerMs - leftPx);
      this.topPx[n] = topPx;
    }
    return true;
  }
}
