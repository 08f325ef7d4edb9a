import { describe, expect, test, vi } from "vitest";
import { Random } from "../testing/random";
import { dayNumber, rangeLabel, stepFor, tickLabel, ticks } from "./tick";

describe("ticks", () => {
  test("are all multiples of the step within the range, and only these", () => {
    const random = new Random(1);
    for (let n = 0; n < 500; n++) {
      const stepMs = stepFor(10 ** (random.next() * 9));
      const fromMs = random.next() * 1e12;
      const toMs = fromMs + stepMs * (1 + random.whole(40));
      const found = ticks(fromMs, toMs, stepMs);

      expect(found.every((tick) => tick >= fromMs && tick < toMs)).toBe(true);
      expect(found.length).toBe(Math.ceil(toMs / stepMs) - Math.ceil(fromMs / stepMs));
      found.slice(1).forEach((tick, i) => expect(tick - (found[i] as number)).toBeCloseTo(stepMs, 3));
    }
  });

  test("of whole days stand at local midnight", () => {
    const day = 86_400_000;
    const offsetMs = 5.5 * 3_600_000;

    expect(ticks(0, 2 * day, day, offsetMs)).toEqual([day - offsetMs, 2 * day - offsetMs]);
  });

  test("have a step that is at least as long as asked for", () => {
    for (const wanted of [0.01, 1, 7, 950, 61_000, 4e6, 9e7, 1e12]) {
      const stepMs = stepFor(wanted);
      expect(stepMs >= wanted || stepMs === 728 * 86_400_000).toBe(true);
    }
  });
});

describe("the label of a tick", () => {
  const atMs = new Date(2026, 10, 23, 9, 5, 7, 250).getTime();

  test.each([
    [60_000, "09:05"],
    [1000, "09:05:07"],
    [100, "09:05:07.3"],
    [10, "09:05:07.25"],
    [1, "09:05:07.250"],
  ])("at a step of %d ms is %s", (stepMs, wanted) => {
    expect(tickLabel(atMs, stepMs)).toBe(wanted);
  });
});

describe("a range in words", () => {
  const at = (day: number, hour: number, month = 10, year = 2026) =>
    new Date(year, month, day, hour, 5, 9).getTime();
  const now = at(27, 20);
  test.each([
    ["today", at(27, 9), at(27, 10), "09:05:09 – 10:05:09"],
    ["another day", at(26, 9), at(26, 10), "Nov 26, 09:05:09 – 10:05:09"],
    ["until today", at(26, 9), at(27, 10), "Nov 26, 09:05 – 10:05"],
    ["over a night", at(24, 9), at(25, 10), "Nov 24, 09:05 – Nov 25, 10:05"],
    ["until this year", at(24, 9, 2, 2019), at(25, 10), "Mar 24, 2019 – Nov 25, 2026"],
    ["years", at(24, 9, 2, 2019), at(25, 10, 4, 2020), "Mar 24, 2019 – May 25, 2020"],
  ])("%s", (_, fromMs, toMs, wanted) => {
    vi.setSystemTime(now);
    expect(rangeLabel(fromMs, toMs, now)).toBe(wanted);
    vi.useRealTimers();
  });
});

describe("days", () => {
  test("are counted from local midnight to local midnight", () => {
    const at = (day: number, hour: number) => dayNumber(new Date(2026, 10, day, hour).getTime());

    expect(at(26, 0)).toBe(at(26, 23));
    expect(at(27, 0)).toBe(at(26, 23) + 1);
  });
});
