import { expect, test } from "vitest";
import { Random } from "../testing/random";
import { Interner } from "./interner";

test("a name has one index, whatever it is", () => {
  const names = new Interner();

  expect(["a", "__proto__", "a", "b"].map((name) => names.index(name))).toEqual([0, 1, 0, 2]);
  expect([names.name(1), names.name(-1), names.name(9), names.find("c")]).toEqual(["__proto__", "", "", -1]);
});

test("names that are forgotten make room, and those that are kept stay what they were", () => {
  const random = new Random(4);
  const names = new Interner();
  const held = new Map<string, number>();
  let most = 0;
  for (let round = 0; round < 50; round++) {
    for (let n = 0; n < 40; n++) {
      const name = `name ${round}.${random.whole(60)}`;
      held.set(name, names.index(name));
    }
    for (const [name, index] of held) expect([names.name(index), names.find(name)]).toEqual([name, index]);
    expect(new Set(held.values()).size).toBe(held.size);
    most = Math.max(most, held.size);

    const used = new Uint8Array(names.end);
    for (const [name, index] of [...held]) {
      if (random.chance(0.3)) used[index] = 1;
      else held.delete(name);
    }
    names.keep(used);
    expect([...names.names].sort()).toEqual([...held.keys()].sort());
  }
  expect(names.end).toBeLessThanOrEqual(most);
});
