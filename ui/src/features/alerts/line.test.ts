import { describe, expect, test } from "vitest";
import { sparkline } from "./line";
import { condition, durationMs, figure } from "./words";
import type { Rule } from "../../api/alert";

const SIZE = { width: 100, height: 20 };

describe("a sparkline", () => {
  test("has its limit in view whatever the values are", () => {
    expect(sparkline([0, 0], 10, SIZE).limitY).toBeGreaterThan(1);
    expect(sparkline([1000], 10, SIZE).limitY).toBeLessThan(20);
  });

  test("stands at the right end while it is short", () => {
    expect(sparkline([1, 2], 10, SIZE, 11).path.startsWith("M90 ")).toBe(true);
  });

  test("of nothing is nothing", () => {
    expect(sparkline([], 10, SIZE).path).toBe("");
    expect(sparkline([0], 0, SIZE).path).not.toMatch(/NaN|Infinity/);
  });
});

test("a duration is read as the hub reads it", () => {
  expect([durationMs("5m"), durationMs("1.5 h"), durationMs("30"), durationMs("soon")]).toEqual([
    300_000,
    5_400_000,
    30_000,
    NaN,
  ]);
});

test("a rule is told in words", () => {
  const rule = { kind: "count", limit: 10, window: "5m", by: "agent" } as Rule;
  expect(condition(rule)).toBe("more than 10 events in 5 m, by agent");
  expect(condition({ ...rule, below: true, by: "" })).toBe("fewer than 10 events in 5 m");
  expect(figure("open", 90)).toBe("1 m 30 s");
  expect(figure("error_rate", 12.34)).toBe("12.3 %");
  expect(figure("tokens", 1_234_567)).toBe("1.2M");
});
