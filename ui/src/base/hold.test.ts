import { describe, expect, test } from "vitest";
import { Hold, HOLD_MS } from "./hold";

describe("a list that is held", () => {
  test("stays still while a mouse moves over it, and for a while after", () => {
    const hold = new Hold();
    expect(hold.leftMs(0)).toBe(0);
    hold.move(10, 10, 1000);
    hold.move(11, 10, 3000);
    expect(hold.leftMs(3000 + HOLD_MS - 1)).toBe(1);
    expect(hold.leftMs(3000 + HOLD_MS)).toBe(0);
  });

  test("is not held by a mouse that rests while the list moves beneath it", () => {
    const hold = new Hold();
    hold.move(10, 10, 0);
    hold.move(10, 10, HOLD_MS);
    expect(hold.leftMs(HOLD_MS)).toBe(0);
  });

  test("stays still while it is pressed, however long", () => {
    const hold = new Hold();
    hold.press();
    expect(hold.leftMs(100 * HOLD_MS)).toBeGreaterThan(0);
    hold.release(100 * HOLD_MS);
    expect(hold.leftMs(101 * HOLD_MS)).toBe(0);
  });

  test("goes on at once when the mouse leaves, and is held again when it comes back to the same place", () => {
    const hold = new Hold();
    hold.move(10, 10, 0);
    hold.end();
    expect(hold.leftMs(1)).toBe(0);
    hold.move(10, 10, 2);
    expect(hold.leftMs(2)).toBe(HOLD_MS);
  });
});
