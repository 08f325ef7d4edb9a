import { describe, expect, it } from "vitest";
import { bucketAt, type Bucket, countWithin, covers, pastStep, type Series, stepsOf } from "./past";
import type { Measure } from "./pulse_grid";
import { OTHER, type Stack } from "./pulse_layers";

const BUCKETS: Bucket[] = [
  [0, 5, 0],
  [1000, 7, 1],
  [4000, 2, 0],
];

describe("what was counted of the past", () => {
  it("has buckets that people can name, and none finer than the hub counts", () => {
    expect(pastStep({ fromMs: 0, toMs: 60_000 })).toBe(1000);
    expect(pastStep({ fromMs: 0, toMs: 86_400_000 })).toBe(300_000);
  });

  it("holds for a smaller range of the same query and step", () => {
    const choice = { measure: "events", stack: "none" } as const;
    const past = { query: "a", fromMs: 0, toMs: 100, stepMs: 10, choice };
    const inner = { ...past, fromMs: 10, toMs: 90 };
    expect(covers(past, inner)).toBe(true);
    expect(covers(past, { ...inner, query: "b" })).toBe(false);
    expect(covers(past, { ...inner, fromMs: -1 })).toBe(false);
    expect(covers(past, { ...inner, stepMs: 1 })).toBe(false);
    expect(covers(past, { ...inner, choice: { measure: "tokens", stack: "none" } })).toBe(false);
    expect(covers(past, { ...inner, choice: { measure: "events", stack: "agent" } })).toBe(false);
  });

  it("is piled as the pulse is, what has no layer of its own among the others", () => {
    const layers = {
      stack: "agent",
      layers: [
        { name: "coder", index: 3 },
        { name: OTHER, index: -1 },
      ],
      key: "",
      lineOf: () => 0,
    } as const;
    const past = (measure: Measure, stack: Stack, pulse: Series[]) =>
      ({
        query: "",
        fromMs: 0,
        toMs: 1,
        stepMs: 1000,
        choice: { measure, stack },
        all: [],
        found: BUCKETS,
        byAgent: new Map(),
        pulse,
      }) as const;
    const series: Series[] = [
      { name: "coder", buckets: [[1000, 7, 2]] },
      { name: "planner", buckets: [[0, 1, 1]] },
      {
        name: null,
        buckets: [
          [1000, 4, 0],
          [0, 3, 0],
        ],
      },
    ];
    const choice = { measure: "tokens", stack: "agent" } as const;
    expect(stepsOf(past("tokens", "agent", series), choice, layers)).toEqual([
      { startMs: 0, values: [0, 5], errors: 0 },
      { startMs: 1000, values: [9, 4], errors: 1 },
    ]);
    expect(stepsOf(past("tokens", "none", series), choice, layers)).toEqual([]);
    const one = { ...layers, stack: "none", layers: [{ name: "", index: -1 }] } as const;
    const latency = past("latency", "none", [{ name: null, buckets: [[0, 4, 10]] }]);
    expect(stepsOf(latency, latency.choice, one)).toEqual([{ startMs: 0, values: [2.5], errors: 0 }]);
  });

  it("counts whole buckets, so never too few", () => {
    expect(countWithin(BUCKETS, 1000, 500, 1001)).toBe(12);
    expect(countWithin(BUCKETS, 1000, 2000, 4000)).toBe(0);
    expect(countWithin(BUCKETS, 1000, -10, 9999)).toBe(14);
  });

  it("finds the bucket of a moment", () => {
    expect(bucketAt(BUCKETS, 1000, 1999)).toEqual([1000, 7, 1]);
    expect(bucketAt(BUCKETS, 1000, 2000)).toBeUndefined();
  });
});
