// Keeps layout and counts in step with the journal, and hands the painters their scene.

import { foundingStep } from "../base/tick";
import { spanMs, type Viewport } from "../base/viewport";
import { BinGrid, type BinSource, octaveStep } from "../model/bin_grid";
import { CATEGORIES } from "../model/category";
import type { Journal } from "../model/journal";
import type { Past } from "../model/past";
import { PulseGrid, type PulseSource } from "../model/pulse_grid";
import { type Layers, layersOf, type Stack } from "../model/pulse_layers";
import { GridShelf } from "../model/grid_shelf";
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
/** Open work is counted anew this often at most: faster cannot be read. */
const OPEN_MS = 250;

const TOOL = CATEGORIES.indexOf("tool");

export class Picture {
  branches: Placed[] = [];
  /** Lanes that are not shown: on request, and since they were idle. */
  hidden = 0;
  idle = 0;
  private tree: Branch[] = [];
  private treeKey = "";
  layout = new Layout([], [], []);
  laneGrid = new BinGrid();
  private readonly laneGrids = new GridShelf<BinSource, BinGrid>(
    () => new BinGrid(),
    (atLeastMs) => octaveStep(atLeastMs, 1, 1),
  );
  pulseGrid = new PulseGrid();
  private readonly pulseGrids = new GridShelf<PulseSource, PulseGrid>(() => new PulseGrid(), foundingStep);
  pulseLayers: Layers;
  private rankedMs = 0;
  private openCountedMs = 0;
  isDense = false;
  private orderKey = "";
  private layoutKey = "";
  private layoutVersion = 0;

  constructor(
    private readonly journal: Journal,
    private readonly choice: LaneChoice,
  ) {
    this.pulseLayers = layersOf(journal, "none");
  }

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
      pointed: Selection;
      filterVersion: number;
      holes: readonly Viewport[];
      past: Past | null;
    },
  ): LaneScene {
    const { journal, layout } = this;
    const stepMs = octaveStep(spanMs(view), area.widthPx, DENSE_BIN_PX);
    const source = {
      events: journal.events,
      version: `${journal.rebuildVersion}/${state.filterVersion}`,
      lineOf: (agent: number) => agent,
      lines: roomFor(journal.lanes.length),
    };
    const laneGrid = this.laneGrids.take(source, view.fromMs, view.toMs, stepMs);
    this.laneGrid = laneGrid;
    const from = layout.indexAt(area.scrollPx);
    const to = Math.min(layout.boxes.length, layout.indexAt(area.scrollPx + area.heightPx) + 1);
    this.isDense = tooDense(laneGrid, view, layout.boxes.slice(from, to), this.isDense);
    return { journal, layout, view, ...area, ...state, isDense: this.isDense, grid: laneGrid };
  }

  /** The pulse, brought up to date for the view. `edgeMs`: also open work, up to this time; NaN without. */
  refreshPulse(
    view: Viewport,
    widthPx: number,
    filterVersion: number,
    stack: Stack,
    edgeMs: number,
  ): { grid: PulseGrid; layers: Layers } {
    const nowMs = performance.now();
    if (stack !== this.pulseLayers.stack || (stack === "agent" && nowMs - this.rankedMs >= REORDER_MS)) {
      const layers = layersOf(this.journal, stack);
      if (layers.key !== this.pulseLayers.key) this.pulseLayers = layers;
      this.rankedMs = nowMs;
    }
    const { pulseLayers: layers } = this;
    const source = this.sourceOf(layers, filterVersion);
    const { recounts } = this.pulseGrid;
    const pulseGrid = this.pulseGrids.take(source, view.fromMs, view.toMs, pulseStep(view, widthPx));
    const isOther = pulseGrid !== this.pulseGrid || recounts !== pulseGrid.recounts;
    this.pulseGrid = pulseGrid;
    const isStale = isOther || nowMs - this.openCountedMs >= OPEN_MS;
    if (!Number.isNaN(edgeMs) && isStale) {
      pulseGrid.countOpen(source, edgeMs);
      this.openCountedMs = nowMs;
    }
    return { grid: pulseGrid, layers };
  }

  /** For a grid of one's own. */
  pulseSource(stack: Stack, filterVersion: number): PulseSource {
    return this.sourceOf(layersOf(this.journal, stack), filterVersion);
  }

  private sourceOf(layers: Layers, filterVersion: number): PulseSource {
    const { journal } = this;
    return {
      events: journal.events,
      spans: journal.spans,
      version: `${journal.rebuildVersion}/${filterVersion}/${layers.key}`,
      lines: layers.layers.length,
      lineOf: layers.lineOf,
      isToolEnd: (kind) => journal.category(kind) === TOOL,
    };
  }
}

/** Lines for so many agents, and for some that are still to come: they should not have all counted anew. */
function roomFor(agents: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(8, agents)));
}
