import { describe, expect, it } from "vitest";
import { coarser, stepsOf } from "./period";

describe("the period of the insights", () => {
  it("is cut at whole steps, as the hub counts them", () => {
    expect(stepsOf(3_700_000, 10_900_000, 3_600_000)).toEqual([3_600_000, 7_200_000, 10_800_000]);
    expect(stepsOf(5, 4, 10)).toEqual([0]);
    expect(stepsOf(0, 1e12, 1000).length).toBe(400);
  });

  it("is counted in whole multiples of a step where there are too many", () => {
    expect(coarser(1000, 10_000, 48)).toBe(1000);
    expect(coarser(1000, 100_000, 48)).toBe(3000);
  });
});
