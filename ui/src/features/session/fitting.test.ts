import { expect, test } from "vitest";
import { fitting } from "./fitting";

const tenEach = (name: string) => 10 * name.length;

test("all names are shown where they fit without a rest", () => {
  expect(fitting(["planner", "coder"], 200, tenEach)).toBe(2);
});

test("room is kept for the number of those left out", () => {
  const names = ["planner", "coder", "memory"];
  expect(fitting(names, 72 + 22 + 50 + 22 + 30, tenEach)).toBe(2);
  expect(fitting(names, 72 + 22 + 50 + 22, tenEach)).toBe(1);
});

test("a name that is too long for any cell is shown as far as it goes", () => {
  expect(fitting(["x".repeat(200), "coder"], 60, tenEach)).toBe(1);
  expect(fitting(["x".repeat(200), "coder"], 140 + 22 + 50 + 22, tenEach)).toBe(2);
});

test("nobody is nobody", () => {
  expect(fitting([], 100, tenEach)).toBe(0);
});
