import { describe, expect, it } from "vitest";
import { Random } from "../../testing/random";
import { besideOf } from "./beside";

const CARD = { width: 330, height: 140 };
const WINDOW = { width: 1600, height: 900 };

describe("the card of the tour", () => {
  it("stands below what it speaks of", () => {
    const place = besideOf({ left: 100, top: 40, width: 1200, height: 60 }, CARD, WINDOW);
    expect(place).toEqual({ left: 100, top: 110 });
  });

  it("stands above where there is no room below", () => {
    const place = besideOf({ left: 0, top: 600, width: 1600, height: 300 }, CARD, WINDOW);
    expect(place.top).toBe(600 - 10 - 140);
  });

  it("stays in the window whatever it speaks of", () => {
    const random = new Random(7);
    for (let round = 0; round < 2_000; round++) {
      const [left, top] = [random.whole(4500) - 500, random.whole(4500) - 500];
      const box = { left, top, width: random.whole(4000), height: random.whole(4000) };
      const place = besideOf(box, CARD, WINDOW);
      expect(place.left).toBeGreaterThanOrEqual(0);
      expect(place.top).toBeGreaterThanOrEqual(0);
      expect(place.left + CARD.width).toBeLessThanOrEqual(WINDOW.width);
      expect(place.top + CARD.height).toBeLessThanOrEqual(WINDOW.height);
    }
  });
});
