// What the lane painters are given: everything they may look at, and nothing that belongs to the page.

import type { Viewport } from "../base/viewport";
import type { BinGrid } from "../model/bin_grid";
import type { Journal } from "../model/journal";
import type { Past } from "../model/past";
import type { Layout } from "./layout";

/** Above this many events in sight a mark an event is noise, and too slow; see `isDense`. */
const DENSE_EVENTS = 6000;
/** Back to marks only well below, so that the picture does not flicker at the limit. */
const SPARSE_EVENTS = 4800;

export interface Selection {
  /** Bar and row numbers, -1 for none. */
  readonly bar: number;
  readonly row: number;
}

export interface LaneScene {
  readonly journal: Journal;
  readonly layout: Layout;
  readonly view: Viewport;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly scrollPx: number;
  /** Where open bars end. */
  readonly nowMs: number;
  readonly isFollowing: boolean;
  readonly isDense: boolean;
  /** Another one where other events match. */
  readonly filterVersion: number;
  /** A line an agent. */
  readonly grid: BinGrid;
  readonly selection: Selection;
  /** What the pointer is on. */
  readonly pointed: Selection;
  /** Where events are missing: they are in the log and not in memory. */
  readonly holes: readonly Viewport[];
  /** What the hub counted of the holes; null before it was asked. */
  readonly past: Past | null;
}

/** Nothing is chosen, or pointed at. */
export const NOTHING: Selection = { bar: -1, row: -1 };

/** Whether the bar is the one that the reader chose or points at; `isLitRow` the same of a mark. */
export function isLitBar({ selection, pointed }: LaneScene, bar: number): boolean {
  return selection.bar === bar || pointed.bar === bar;
}

export function isLitRow({ selection, pointed }: LaneScene, row: number): boolean {
  return selection.row === row || pointed.row === row;
}

/** The boxes in sight: [from, to). */
export function boxesInSight(scene: LaneScene): { from: number; to: number } {
  const { layout, scrollPx, heightPx } = scene;
  return {
    from: layout.indexAt(scrollPx),
    to: Math.min(layout.boxes.length, layout.indexAt(scrollPx + heightPx) + 1),
  };
}

/** Whether these lanes hold too many events in the view to be drawn one by one. */
export function tooDense(
  grid: BinGrid,
  view: Viewport,
  boxes: readonly { readonly agent: number }[],
  wasDense: boolean,
): boolean {
  const limit = wasDense ? SPARSE_EVENTS : DENSE_EVENTS;
  const fromBin = Math.max(0, grid.binAt(view.fromMs));
  const toBin = Math.min(grid.bins, grid.binAt(view.toMs) + 1);
  let sum = 0;
  for (const { agent } of boxes) {
    for (let bin = fromBin; bin < toBin; bin++) sum += grid.at(agent, bin);
    if (sum > limit) return true;
  }
  return false;
}
