// Where each lane stands: heights from what the lanes hold, tops from their order.

import type { Lane } from "../model/lane";
import { SESSION_DEPTH } from "../model/packing";
import type { Placed } from "../model/arrangement";
import type { Branch } from "../model/tree";

/** A lane of the tree, and where one is, how it was arranged. */
type Shown = Branch & Partial<Placed>;

export interface LaneBox {
  readonly agent: number;
  /** Steps of indentation. */
  readonly depth: number;
  readonly below?: number;
  readonly isFolded?: boolean;
  readonly isPinned?: boolean;
  readonly topPx: number;
  readonly heightPx: number;
  /** Where the marks of instants are centred, from the top of the lane. */
  readonly railPx: number;
  /** Where the strip of sessions begins, from the top of the lane; -1 where there is none. */
  readonly sessionsPx: number;
  /** Where the first sub-row of bars begins, from the top of the lane. */
  readonly barsPx: number;
  readonly rows: number;
}

export interface Metrics {
  readonly minHeightPx: number;
  readonly padPx: number;
  readonly railHeightPx: number;
  readonly barPx: number;
  readonly gapPx: number;
  /** Sub-rows drawn at most; deeper bars share the last. */
  readonly maxRows: number;
}

/** Sessions are drawn as a line along the top of their lane. */
export const SESSION_PX = 3;
const ROOMY: Metrics = { minHeightPx: 34, padPx: 6, railHeightPx: 13, barPx: 17, gapPx: 2, maxRows: 8 };
const COMPACT: Metrics = { minHeightPx: 26, padPx: 4, railHeightPx: 10, barPx: 12, gapPx: 1, maxRows: 3 };
const TIGHT: Metrics = { minHeightPx: 24, padPx: 3, railHeightPx: 9, barPx: 6, gapPx: 1, maxRows: 2 };
/** With more lanes than this, each gets less room: 50 agents should be seen without much scrolling. */
const ROOMY_LANES = 10;
const COMPACT_LANES = 24;

export class Layout {
  readonly boxes: readonly LaneBox[];
  readonly heightPx: number;
  readonly metrics: Metrics;
  private readonly indexes: Int32Array;

  /** `rows[agent]`: sub-rows of bars that are wanted; see `RowNeed`. */
  constructor(branches: readonly Shown[], lanes: readonly Lane[], rows: readonly number[]) {
    this.metrics = metricsFor(branches.length);
    this.indexes = new Int32Array(lanes.length).fill(-1);
    const boxes: LaneBox[] = [];
    let topPx = 0;
    for (const branch of branches) {
      const box = makeBox(branch, lanes[branch.agent], rows[branch.agent] ?? 0, topPx, this.metrics);
      this.indexes[branch.agent] = boxes.push(box) - 1;
      topPx += box.heightPx;
    }
    this.boxes = boxes;
    this.heightPx = topPx;
  }

  /** Index of the box of an agent, or -1. */
  indexOf(agent: number): number {
    return this.indexes[agent] ?? -1;
  }

  boxOf(agent: number): LaneBox | undefined {
    return this.boxes[this.indexOf(agent)];
  }

  /** Index of the first box that reaches below `yPx`. */
  indexAt(yPx: number): number {
    let low = 0;
    let high = this.boxes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const box = this.boxes[middle] as LaneBox;
      if (box.topPx + box.heightPx <= yPx) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Top of a bar from the top of its lane. */
  barTopPx(box: LaneBox, depth: number): number {
    if (depth === SESSION_DEPTH) return box.sessionsPx;
    const row = Math.min(depth, box.rows - 1);
    return box.barsPx + row * (this.metrics.barPx + this.metrics.gapPx);
  }
}

function metricsFor(lanes: number): Metrics {
  if (lanes > COMPACT_LANES) return TIGHT;
  return lanes > ROOMY_LANES ? COMPACT : ROOMY;
}

function makeBox(
  branch: Shown,
  lane: Lane | undefined,
  wantedRows: number,
  topPx: number,
  metrics: Metrics,
): LaneBox {
  const rows = Math.min(wantedRows, metrics.maxRows);
  const railHeightPx = lane && (lane.instants > 0 || rows === 0) ? metrics.railHeightPx : 0;
  const barsHeightPx = rows > 0 ? rows * (metrics.barPx + metrics.gapPx) - metrics.gapPx : 0;
  const joinPx = railHeightPx > 0 && rows > 0 ? metrics.gapPx : 0;
  const stripPx = lane && lane.sessions > 0 ? SESSION_PX + 2 : 0;
  const contentPx = railHeightPx + joinPx + barsHeightPx;
  const heightPx = Math.max(metrics.minHeightPx, contentPx + 2 * metrics.padPx) + stripPx;
  const startPx = stripPx + Math.round((heightPx - stripPx - contentPx) / 2);
  return {
    ...branch,
    topPx,
    heightPx,
    rows,
    sessionsPx: stripPx > 0 ? 2 : -1,
    railPx: startPx + railHeightPx / 2,
    barsPx: startPx + railHeightPx + joinPx,
  };
}

/** Changes when the layout has to be made anew. */
export function layoutKey(
  branches: readonly Shown[],
  lanes: readonly Lane[],
  rows: readonly number[],
): string {
  let shape = branches.length;
  for (const { agent, depth } of branches) {
    const lane = lanes[agent];
    const flags = lane ? (lane.instants > 0 ? 1 : 0) + (lane.sessions > 0 ? 2 : 0) : 0;
    shape = (Math.imul(shape, 31) + (rows[agent] ?? 0) * 4 + flags) | 0;
    shape = (Math.imul(shape, 31) + agent * 16 + depth) | 0; // lanes may change places
  }
  return String(shape);
}
