// A scene for tests: a few events of three agents, laid out over ten seconds.

import { BinGrid, octaveStep } from "../model/bin_grid";
import { Journal } from "../model/journal";
import { order } from "../model/tree";
import { batch, hello, type Said } from "./frames";
import { BarList } from "../render/bar_list";
import { Layout } from "../render/layout";
import { type LaneScene, NOTHING } from "../render/scene";

export const VIEW = { fromMs: 1000, toMs: 11_000 };
export const WIDTH_PX = 1000;

/** `spawned`: so many more agents below the first. */
export function sceneOf(
  said: readonly Said[],
  isDense = false,
  spawned = 0,
): { scene: LaneScene; bars: BarList } {
  const journal = new Journal();
  journal.takeHello(
    hello({
      agents: [
        ["a", -1],
        ["b", 0],
        ["c", -1],
        ...Array.from({ length: spawned }, (_, n): [string, number] => [`s-${n}`, 0]),
      ],
      kinds: ["log", "tool_invocation", "tool_result", "error", "handoff"],
    }),
  );
  journal.takeBatch(batch(1, said));
  const branches = order(journal.parents, (agent) => journal.present().has(agent));
  const rows = journal.lanes.map((lane) => lane.packer.depth);
  const layout = new Layout(branches, journal.lanes, rows);
  const grid = new BinGrid();
  const source = {
    events: journal.events,
    version: "1",
    lines: journal.lanes.length,
    lineOf: (agent: number) => agent,
  };
  grid.refresh(source, VIEW.fromMs, VIEW.toMs, octaveStep(10_000, WIDTH_PX, 2));
  const scene: LaneScene = {
    journal,
    layout,
    grid,
    isDense,
    view: VIEW,
    widthPx: WIDTH_PX,
    heightPx: 600,
    scrollPx: 0,
    nowMs: 10_900,
    isFollowing: true,
    filterVersion: 0,
    selection: NOTHING,
    pointed: NOTHING,
    holes: [],
    past: null,
  };
  const bars = new BarList();
  bars.collect(scene);
  return { scene, bars };
}
