import { describe, expect, it } from "vitest";
import { Random } from "../testing/random";
import { TimeScale } from "./time_scale";

describe("the scale of a story", () => {
  it("is even without pauses", () => {
    const scale = new TimeScale(100, 200);
    expect([scale.at(0), scale.at(100), scale.at(150), scale.at(200), scale.at(300)]).toEqual([
      0, 0, 0.5, 1, 1,
    ]);
  });

  it("draws a long pause narrow and a short one as it is", () => {
    const scale = new TimeScale(0, 100_200, [{ fromMs: 100, toMs: 100_100 }]);
    expect(scale.at(100_100) - scale.at(100)).toBeLessThan(0.05);
    expect(scale.at(100)).toBeGreaterThan(0.45);
  });

  it("takes a story of one moment", () => {
    const scale = new TimeScale(5, 5);
    expect(scale.at(5)).toBe(0);
    expect(scale.timeAt(0.5)).toBeCloseTo(5);
  });

  it("never runs backwards, and leads back to where it came from", () => {
    const random = new Random(9);
    for (let round = 0; round < 200; round++) {
      const pauses = [];
      let atMs = random.whole(50);
      for (let n = random.whole(5); n > 0; n--) {
        const fromMs = atMs + random.whole(3) * 100;
        atMs = fromMs + 1 + random.whole(5000);
        pauses.push({ fromMs, toMs: atMs });
      }
      const endMs = atMs + random.whole(500) + 1;
      const scale = new TimeScale(0, endMs, pauses);
      let last = 0;
      for (let timeMs = 0; timeMs <= endMs; timeMs += Math.max(1, endMs / 50)) {
        expect(scale.at(timeMs)).toBeGreaterThanOrEqual(last);
        last = scale.at(timeMs);
        expect(scale.timeAt(last)).toBeCloseTo(timeMs, 3);
      }
    }
  });

  it("is marked at round times, apart from each other, also around a pause", () => {
    const offsets = (scale: TimeScale) => scale.marks(5).map(({ offsetMs }) => offsetMs);
    expect(offsets(new TimeScale(7, 7 + 5_080))).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(offsets(new TimeScale(0, 1_180))).toEqual([0, 200, 400, 600, 800, 1000]);
    const packed = new TimeScale(0, 3_610_000, [{ fromMs: 5_000, toMs: 3_605_000 }]);
    const places = packed.marks(5).map(({ place }) => place);
    expect(places.every((place, n) => n === 0 || place - (places[n - 1] as number) > 0.1)).toBe(true);
  });
});
