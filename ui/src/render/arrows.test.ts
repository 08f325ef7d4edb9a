import { describe, expect, test } from "vitest";
import { arrowsOf } from "./arrows";
import { handoffsOf, targetOf } from "./handoffs";
import type { Said } from "../testing/frames";
import { sceneOf } from "../testing/scene";
import type { LaneScene } from "./scene";

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

  test("are whole for the work that is chosen or pointed at, and hooks for all other", () => {
    const { scene, bars } = sceneOf([
      whole(0, 9000, 7000, "p"),
      whole(1, 6000, 3000, "c", "p"),
      whole(2, 8000, 1000, "d", "p"),
    ]);
    const { spans } = scene.journal;
    const barOf = (id: string) => [0, 1, 2].find((bar) => spans.id[spans.slot(bar)] === id) ?? -1;
    const lit = (some: Partial<LaneScene>) => arrowsOf({ ...scene, ...some }, bars).map(({ isLit }) => isLit);
    expect(lit({})).toEqual([false, false]);
    expect(lit({ selection: { bar: barOf("c"), row: -1 } })).toEqual([true, false]);
    expect(lit({ pointed: { bar: barOf("p"), row: -1 } })).toEqual([true, true]);
  });

  test("lead from a lane that is scrolled out of sight, too", () => {
    const { scene, bars } = sceneOf([whole(0, 9000, 7000, "p"), whole(1, 6000, 3000, "c", "p")]);
    const { topPx = NaN } = scene.layout.boxOf(1) ?? {};
    const scrolled = { ...scene, scrollPx: topPx };
    bars.collect(scrolled);
    expect(bars.length).toBe(1);
    const [arrow] = arrowsOf(scrolled, bars);
    expect(arrow?.xPx).toBeCloseTo(200);
    expect(arrow?.fromPx).toBeLessThan(0);
    expect(arrow?.toPx).toBeGreaterThan(0);
  });

  test("are not drawn where bars are too many, or are a histogram", () => {
    const said = [whole(0, 9000, 7000, "p"), whole(1, 6000, 3000, "c", "p")];
    const { scene, bars } = sceneOf(said, true);
    expect(arrowsOf(scene, bars)).toEqual([]);
  });
});

describe("hand-offs that no span tells of", () => {
  const railOf = (scene: ReturnType<typeof sceneOf>["scene"], agent: number) => {
    const box = scene.layout.boxOf(agent);
    return (box?.topPx ?? 0) + (box?.railPx ?? 0);
  };

  test("lead from an agent to the first sign of one it spawned", () => {
    const { scene } = sceneOf([
      { at: 2000, agent: 0, text: "go" },
      { at: 3000, agent: 1, text: "here" },
      { at: 4000, agent: 1, text: "more" },
      { at: 5000, agent: 2, text: "nobody's" },
    ]);
    const lines = handoffsOf(scene);
    expect(lines.length).toBe(1);
    expect(lines[0]?.xPx).toBeCloseTo(200, -1);
    expect([lines[0]?.fromPx, lines[0]?.toPx]).toEqual([railOf(scene, 0), railOf(scene, 1)]);
    expect(lines[0]?.isLit).toBe(true);
  });

  test("are hooks where one agent spawned many, but of the lane that is chosen or pointed at", () => {
    const many = Array.from({ length: 20 }, (_, n) => n + 3);
    const said = [
      { at: 2000, agent: 0, text: "go" },
      ...many.map((agent) => ({ at: 2900, agent, text: "here" })),
    ];
    const { scene } = sceneOf(said, false, many.length);
    const lit = (some: Partial<LaneScene>) => handoffsOf({ ...scene, ...some }).filter(({ isLit }) => isLit);
    expect(handoffsOf(scene).length).toBe(many.length);
    expect(lit({})).toEqual([]);
    expect(lit({ pointed: { bar: -1, row: 7 } }).map(({ toPx }) => toPx)).toEqual([
      railOf(scene, scene.journal.events.agent[scene.journal.events.slot(7)] as number),
    ]);
  });

  test("are left to the work's own line where the first event names the work around it", () => {
    const { scene } = sceneOf([
      { at: 2000, agent: 0, text: "go" },
      { at: 3000, agent: 1, parent: "work", text: "here" },
    ]);
    expect(handoffsOf(scene)).toEqual([]);
  });

  test("follow the name that an event tells", () => {
    const { scene } = sceneOf([
      { at: 2000, agent: 2, kind: 4, text: "→ a" },
      { at: 1500, agent: 0, text: "x" },
      { at: 1600, agent: 2, kind: 4, text: "→ nobody" },
    ]);
    const lines = handoffsOf(scene);
    expect(lines.map(({ fromPx, toPx }) => [fromPx, toPx])).toEqual([[railOf(scene, 2), railOf(scene, 0)]]);
    expect(lines[0]?.isLit).toBe(false);
    const row = [0, 1, 2].find((row) => scene.journal.events.text[scene.journal.events.slot(row)] === "→ a");
    expect(handoffsOf({ ...scene, pointed: { bar: -1, row: row ?? -1 } })[0]?.isLit).toBe(true);
  });

  test("know an agent by the longest name that fits", () => {
    const { scene } = sceneOf([]);
    const { agents } = scene.journal;
    const long = agents.index("a b");
    expect(targetOf({ agents }, "→ a b please")).toBe(long);
    expect(targetOf({ agents }, "→ a please")).toBe(agents.find("a"));
    expect([targetOf({ agents }, "a b"), targetOf({ agents }, "→ z")]).toEqual([-1, -1]);
  });
});
