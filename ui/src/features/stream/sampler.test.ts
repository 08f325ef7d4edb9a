import { expect, test } from "vitest";
import { powerOfTwo, Sampler } from "./sampler";

function factorAt(perSecond: number, rows: number): number {
  const sampler = new Sampler();
  let factor = 1;
  for (let ms = 1000; ms <= 5000; ms += 100) factor = sampler.factorFor((perSecond * ms) / 1000, rows, ms, 1);
  return factor;
}

test("a stream that can be read is shown whole", () => {
  expect(factorAt(2, 15)).toBe(1);
  expect(factorAt(30, 15)).toBe(1);
});

test("a fast one is thinned out by a power of two", () => {
  expect(factorAt(100, 15)).toBe(4);
  expect(factorAt(5000, 15)).toBe(256);
});

test("history that came in one go is no speed", () => {
  expect(new Sampler().factorFor(10_000, 15, 4000, 1)).toBe(1);
});

test("a list that begins anew, as under another filter, is shown whole until its speed is known", () => {
  const sampler = new Sampler();
  for (let ms = 1000; ms <= 5000; ms += 100) sampler.factorFor(ms, 15, ms, 1);
  expect(sampler.factorFor(5010, 15, 5010, 1)).toBeGreaterThan(1);
  expect(sampler.factorFor(9, 15, 5020, 2)).toBe(1);
  expect(sampler.factorFor(10_000, 15, 5030, 3)).toBe(1);
  expect(sampler.factorFor(10_010, 15, 6100, 3)).toBe(1);
});

test.each([
  [0, 1],
  [1, 1],
  [1.01, 2],
  [2, 2],
  [3, 4],
  [200, 256],
])("powerOfTwo(%d) is %d", (value, wanted) => {
  expect(powerOfTwo(value)).toBe(wanted);
});
