// Keeps layout and counts in step with the journal, and hands the painters their scene.

import { spanMs, type Viewport } from "../base/viewport";
import { BinGrid, octaveStep } from "../model/bin_grid";
import type { Journal } from "../model/journal";
import { arrange, type Placed } from "../model/arrangement";
import { type Branch, order } from "../model/tree";
import type { Verdict } from "../model/verdict";
import type { LaneChoice } from "./lane_choice.svelte";
import { Layout, layoutKey } from "../render/layout";
import { pulseStep } from "../render/pulse";
import { type LaneScene, type Selection, tooDense } from "../render/scene";

const DENSE_BIN_PX = 2;
/** Lanes that are sorted by what happens change places this often at most. */
const REORDER_MS = 2000;

export class Picture {
  branches: Placed[] = [];
  /** Lanes that are not shown: on request, and since they were idle. */
  hidden = 0;
  idle = 0;
  private tree: Branch[] = [];
  private treeKey = "";
  layout = new Layout([], [], []);
  readonly laneGrid = new BinGrid();
  readonly pulseGrid = new BinGrid();
  isDense = false;
  private orderKey = "";
  private layoutKey = "";
  private layoutVersion = 0;

  constructor(
    private readonly journal: Journal,
    private readonly choice: LaneChoice,
  ) {}

  /** Makes the layout anew if lanes came, moved or grew; returns whether it did. A filter has the lanes of
      those agents that did something that matches. */
  refreshLayout(
    verdict: Verdict | null,
    filterVersion: number,
    rows: readonly number[],
    view: Viewport,
  ): boolean {
    const { journal } = this;
    const treeKey = `${journal.treeVersion}/${filterVersion}/${verdict?.agents.size ?? ""}`;
    if (treeKey !== this.treeKey) {
      this.treeKey = treeKey;
      const present = journal.present();
      this.tree = order(
        journal.parents,
        (agent) => present.has(agent) && (!verdict || verdict.agents.has(agent)),
      );
    }
    const { current, version } = this.choice;
    const moves = current.hidesIdle || (current.order !== "tree" && current.order !== "name");
    const tick = moves ? Math.floor(performance.now() / REORDER_MS) : 0;
    const orderKey = `${treeKey}/${version}/${tick}`;
    if (orderKey !== this.orderKey) {
      this.orderKey = orderKey;
      const { placed, hidden, idle } = arrange(this.tree, current, {
        name: (agent) => journal.agents.name(agent),
        events: (agent) => journal.lanes[agent]?.events ?? 0,
        errors: (agent) => journal.lanes[agent]?.errors ?? 0,
        tokens: (agent) => journal.lanes[agent]?.tokens ?? 0,
        lastMs: (agent) => journal.lanes[agent]?.lastMs ?? 0,
        isIdle: (agent) => {
          const lane = journal.lanes[agent];
          return !lane || (lane.open === 0 && lane.lastMs < view.fromMs);
        },
      });
      this.branches = placed;
      this.hidden = hidden;
      this.idle = idle;
    }
    const key = `${treeKey}/${version}/${layoutKey(this.branches, journal.lanes, rows)}`;
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
