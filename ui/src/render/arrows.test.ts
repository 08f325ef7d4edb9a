import { describe, expect, test } from "vitest";
import { arrowsOf } from "./arrows";
import { BinGrid, octaveStep } from "../model/bin_grid";
import { Journal } from "../model/journal";
import { order } from "../model/tree";
import { batch, hello, type Said } from "../testing/frames";
import { BarList } from "./bar_list";
import { Layout } from "./layout";
import type { LaneScene } from "./scene";

const VIEW = { fromMs: 1000, toMs: 11_000 };
const WIDTH_PX = 1000;

function sceneOf(said: readonly Said[], isDense = false): { scene: LaneScene; bars: BarList } {
  const journal = new Journal();
  journal.takeHello(
    hello({
      agents: [
        ["a", -1],
        ["b", 0],
        ["c", -1],
      ],
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
    lines: branches.length,
    lineOf: (agent: number) => layout.indexOf(agent),
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
    selection: { bar: -1, row: -1 },
    knownFromMs: -Infinity,
  };
  const bars = new BarList();
  bars.collect(scene);
  return { scene, bars };
}

describe("arrows between lanes", () => {
  const whole = (agent: number, at: number, dur: number, span: string, parent = ""): Said => ({
    at,
    agent,
    kind: 2,
    dur,
    span,
    parent,
    flag: 2,
  });

  test("lead from the work around to the start of the work it set others to", () => {
    const { scene, bars } = sceneOf([
      whole(0, 9000, 7000, "p"),
      whole(1, 6000, 3000, "c", "p"),
      whole(0, 5000, 1000, "own", "p"),
      whole(2, 8000, 1000, "alone", "gone"),
    ]);
    const arrows = arrowsOf(scene, bars);
    expect(arrows.length).toBe(1);
    const [arrow] = arrows;
    expect(arrow?.xPx).toBeCloseTo(200);
    expect(arrow?.toPx).toBeGreaterThan(arrow?.fromPx ?? Infinity);
  });

  test("are not drawn where bars are too many, or are a histogram", () => {
    const said = [whole(0, 9000, 7000, "p"), whole(1, 6000, 3000, "c", "p")];
    const { scene, bars } = sceneOf(said, true);
    expect(arrowsOf(scene, bars)).toEqual([]);
  });
});
