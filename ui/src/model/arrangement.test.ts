import { describe, expect, it } from "vitest";
import { Random } from "../testing/random";
import { type Arrangement, arrange, AS_IT_COMES, brothersOf, ORDERS } from "./arrangement";

const NAMES = ["planner", "coder", "tester", "memory"];
const TREE = [
  { agent: 0, depth: 0 },
  { agent: 1, depth: 1 },
  { agent: 2, depth: 2 },
  { agent: 3, depth: 0 },
];
const facts = {
  name: (agent: number) => NAMES[agent] ?? `agent-${agent}`,
  events: (agent: number) => [5, 9, 1, 7][agent] ?? 0,
  errors: (agent: number) => [0, 0, 3, 1][agent] ?? 0,
  tokens: (agent: number) => [0, 10, 30, 20][agent] ?? 0,
  lastMs: (agent: number) => [10, 40, 30, 20][agent] ?? 0,
  isIdle: (agent: number) => agent === 3,
};
const told = (wanted: Partial<Arrangement>) =>
  arrange(TREE, { ...AS_IT_COMES, ...wanted }, facts).placed.map(
    (lane) => `${lane.depth} ${facts.name(lane.agent)}`,
  );

describe("the arrangement of lanes", () => {
  it("is the tree where nobody asked for another", () => {
    expect(told({})).toEqual(["0 planner", "1 coder", "2 tester", "0 memory"]);
  });

  it("has pinned lanes above all others, in their own order", () => {
    expect(told({ pinned: ["memory", "tester"] })).toEqual(["0 memory", "0 tester", "0 planner", "1 coder"]);
  });

  it("leaves out what is hidden, what is folded away, and what is idle, and counts it", () => {
    expect(told({ hidden: new Set(["coder"]) })).toEqual(["0 planner", "2 tester", "0 memory"]);
    expect(told({ folded: new Set(["planner"]) })).toEqual(["0 planner", "0 memory"]);
    expect(told({ folded: new Set(["planner"]), pinned: ["tester"] })).toEqual([
      "0 tester",
      "0 planner",
      "0 memory",
    ]);
    const { idle, placed } = arrange(TREE, { ...AS_IT_COMES, hidesIdle: true }, facts);
    expect([idle, placed.length]).toEqual([1, 3]);
    expect(arrange(TREE, AS_IT_COMES, facts).placed.map((lane) => lane.below)).toEqual([2, 1, 0, 0]);
  });

  it("is flat where it is sorted by a number or a name", () => {
    expect(told({ order: "events" })).toEqual(["0 coder", "0 memory", "0 planner", "0 tester"]);
    expect(told({ order: "errors" })).toEqual(["0 tester", "0 memory", "0 planner", "0 coder"]);
    expect(told({ order: "tokens" })).toEqual(["0 tester", "0 memory", "0 coder", "0 planner"]);
    expect(told({ order: "active" })).toEqual(["0 coder", "0 tester", "0 memory", "0 planner"]);
    expect(told({ order: "name" })).toEqual(["0 coder", "0 memory", "0 planner", "0 tester"]);
  });

  it("has brothers in the order that was given them, each with all that is under it", () => {
    expect(told({ own: ["memory", "planner"] })).toEqual(["0 memory", "0 planner", "1 coder", "2 tester"]);
    expect(told({ own: ["tester", "memory"] })).toEqual(["0 memory", "0 planner", "1 coder", "2 tester"]);
  });

  it("moves a lane among its brothers only, and not where another order rules", () => {
    const placed = (wanted: Partial<Arrangement>) =>
      arrange(TREE, { ...AS_IT_COMES, ...wanted }, facts).placed;
    const brothers = (wanted: Partial<Arrangement>, agent: number) =>
      brothersOf(placed(wanted), agent, wanted.order ?? "tree").map((lane) => facts.name(lane.agent));
    expect(brothers({}, 0)).toEqual(["planner", "memory"]);
    expect(brothers({}, 2)).toEqual(["tester"]);
    expect(brothers({ order: "name" }, 0)).toEqual([]);
    expect(brothers({ order: "name", pinned: ["coder", "memory"] }, 3)).toEqual(["coder", "memory"]);
    expect(brothers({ pinned: ["coder"] }, 0)).toEqual(["planner", "memory"]);
  });

  it("shows each lane once or counts it, whatever is asked", () => {
    const random = new Random(5);
    for (let round = 0; round < 300; round++) {
      const tree: { agent: number; depth: number }[] = [];
      for (let agent = 0; agent < 1 + random.whole(12); agent++)
        tree.push({ agent, depth: agent === 0 ? 0 : random.whole((tree.at(-1)?.depth ?? 0) + 2) });
      const some = () => tree.filter(() => random.chance(0.3)).map(({ agent }) => facts.name(agent));
      const wanted = {
        pinned: some(),
        hidden: new Set(some()),
        folded: new Set<string>(),
        order: ORDERS[random.whole(ORDERS.length)] ?? "tree",
        own: some(),
        hidesIdle: random.chance(0.5),
      };
      const { placed, hidden, idle } = arrange(tree, wanted, facts);
      expect(placed.length + hidden + idle).toBe(tree.length);
      expect(new Set(placed.map((lane) => lane.agent)).size).toBe(placed.length);
      const pins = placed.findLastIndex((lane) => lane.isPinned);
      expect(placed.slice(0, pins + 1).every((lane) => lane.isPinned)).toBe(true);
    }
  });
});
