import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { order } from "./tree";

const all = () => true;

describe("the order of lanes", () => {
  test("puts each agent under its parent, in order of appearance", () => {
    const lanes = order([-1, 0, -1, 0, 1], all);

    expect(lanes).toEqual([
      { agent: 0, depth: 0 },
      { agent: 1, depth: 1 },
      { agent: 4, depth: 2 },
      { agent: 3, depth: 1 },
      { agent: 2, depth: 0 },
    ]);
  });

  test("shows every agent once, whatever the parents say", () => {
    const random = new Random(8);
    for (let n = 0; n < 200; n++) {
      const size = 1 + random.whole(30);
      const parents = Array.from({ length: size }, () => random.whole(size + 1) - 1);
      const lanes = order(parents, all).map((branch) => branch.agent);

      expect([...lanes].sort((one, other) => one - other)).toEqual(parents.map((_, agent) => agent));
    }
  });

  test("leaves out who is hidden, and moves their children up", () => {
    expect(order([-1, 0, 1], (agent) => agent !== 1)).toEqual([
      { agent: 0, depth: 0 },
      { agent: 2, depth: 1 },
    ]);
  });
});
