// Keeps layout and counts in step with the journal, and hands the painters their scene.

import { spanMs, type Viewport } from "../base/viewport";
import { BinGrid, octaveStep } from "../model/bin_grid";
import type { Journal } from "../model/journal";
import { type Branch, order } from "../model/tree";
import type { Verdict } from "../model/verdict";
import { Layout, layoutKey } from "../render/layout";
import { pulseStep } from "../render/pulse";
import { type LaneScene, type Selection, tooDense } from "../render/scene";

const DENSE_BIN_PX = 2;

export class Picture {
  branches: Branch[] = [];
  layout = new Layout([], [], []);
  readonly laneGrid = new BinGrid();
  readonly pulseGrid = new BinGrid();
  isDense = false;
  private orderKey = "";
  private layoutKey = "";
  private layoutVersion = 0;

  constructor(private readonly journal: Journal) {}

  /** Makes the layout anew if lanes came, moved or grew; returns whether it did. A filter has the lanes of
      those agents that did something that matches. */
  refreshLayout(verdict: Verdict | null, filterVersion: number, rows: readonly number[]): boolean {
    const { journal } = this;
    const orderKey = `${journal.treeVersion}/${filterVersion}/${verdict?.agents.size ?? ""}`;
    if (orderKey !== this.orderKey) {
      this.orderKey = orderKey;
      const present = journal.present();
      this.branches = order(
        journal.parents,
        (agent) => present.has(agent) && (!verdict || verdict.agents.has(agent)),
      );
    }
    const key = `${orderKey}/${layoutKey(this.branches, journal.lanes, rows)}`;
    if (key === this.layoutKey) return false;
    this.layoutKey = key;
    this.layoutVersion++;
    this.layout = new Layout(this.branches, journal.lanes, rows);
    return true;
  }

  scene(
    view: Viewport,
    area: { widthPx: number; heightPx: number; scrollPx: number },
    state: {
      nowMs: number;
      isFollowing: boolean;
      selection: Selection;
      filterVersion: number;
      knownFromMs: number;
    },
  ): LaneScene {
    const { journal, layout, laneGrid } = this;
    const stepMs = octaveStep(spanMs(view), area.widthPx, DENSE_BIN_PX);
    const source = {
      events: journal.events,
      version: `${journal.rebuildVersion}/${state.filterVersion}/${this.layoutVersion}`,
      lineOf: (agent: number) => layout.indexOf(agent),
      lines: layout.boxes.length,
    };
    laneGrid.refresh(source, view.fromMs, view.toMs, stepMs);
    const from = layout.indexAt(area.scrollPx);
    const to = Math.min(layout.boxes.length, layout.indexAt(area.scrollPx + area.heightPx) + 1);
    this.isDense = tooDense(laneGrid, view, from, to, this.isDense);
    return { journal, layout, view, ...area, ...state, isDense: this.isDense, grid: laneGrid };
  }

  refreshPulse(view: Viewport, widthPx: number, filterVersion: number): BinGrid {
    const { journal } = this;
    const source = {
      events: journal.events,
      version: `${journal.rebuildVersion}/${filterVersion}`,
      lineOf: () => 0,
      lines: 1,
    };
    this.pulseGrid.refresh(source, view.fromMs, view.toMs, pulseStep(view, widthPx));
    return this.pulseGrid;
  }
}
