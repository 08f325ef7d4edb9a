import { describe, expect, it } from "vitest";
import { bucketAt, type Bucket, countWithin, covers, pastStep } from "./past";

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
    const past = { query: "a", fromMs: 0, toMs: 100, stepMs: 10 };
    expect(covers(past, { query: "a", fromMs: 10, toMs: 90, stepMs: 10 })).toBe(true);
    expect(covers(past, { query: "b", fromMs: 10, toMs: 90, stepMs: 10 })).toBe(false);
    expect(covers(past, { query: "a", fromMs: -1, toMs: 90, stepMs: 10 })).toBe(false);
    expect(covers(past, { query: "a", fromMs: 10, toMs: 90, stepMs: 1 })).toBe(false);
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
