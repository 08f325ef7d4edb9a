import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { type MarkCell, MarkPixels } from "./mark_pixels";

const CELL_PX = 5;
const WIDE_PX = 40;
const LANES = 3;

interface Color {
  readonly channels: readonly number[];
  readonly alpha: number;
}

function colorOf(pixel: number): Color {
  return { channels: [0, 8, 16].map((shift) => (pixel >>> shift) & 255), alpha: (pixel >>> 24) / 255 };
}

/** Source-over, by the book. */
function over(upper: Color, lower: Color): Color {
  const rest = lower.alpha * (1 - upper.alpha);
  const alpha = upper.alpha + rest;
  if (alpha === 0) return lower;
  const mix = (own: number, n: number) => (own * upper.alpha + (lower.channels[n] as number) * rest) / alpha;
  return { channels: upper.channels.map(mix), alpha };
}

function someCell(random: Random): MarkCell {
  return Int32Array.from({ length: CELL_PX * CELL_PX }, () => {
    const alpha = random.pick([0, 0, 255, 255, random.whole(256)]);
    return alpha === 0 ? 0 : (alpha << 24) | random.whole(1 << 24);
  });
}

/** The columns in view and those that marks reach into, by one mark after the other. */
function brute(marks: readonly { cell: MarkCell; lane: number; leftPx: number }[]): Color[] {
  const rowPx = WIDE_PX + 2 * CELL_PX;
  const found = Array.from({ length: rowPx * LANES * CELL_PX }, () => colorOf(0));
  for (const { cell, lane, leftPx } of marks) {
    cell.forEach((pixel, n) => {
      const [x, y] = [CELL_PX + leftPx + (n % CELL_PX), lane * CELL_PX + Math.floor(n / CELL_PX)];
      if (x < 0 || x >= rowPx) return;
      found[y * rowPx + x] = over(colorOf(pixel), found[y * rowPx + x] as Color);
    });
  }
  return found;
}

describe("marks put there together", () => {
  test("lie over each other as marks that are stamped one by one", () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed);
      const cells = Array.from({ length: 4 }, () => someCell(random));
      const marks = Array.from({ length: 25 }, () => ({
        cell: random.pick(cells),
        lane: random.whole(LANES),
        leftPx: random.whole(WIDE_PX + CELL_PX + 1) - CELL_PX,
      }));
      const strips = new MarkPixels();
      strips.begin(LANES, WIDE_PX, CELL_PX);
      for (const { cell, lane, leftPx } of marks) strips.stamp(cell, lane, leftPx);
      brute(marks).forEach(({ channels, alpha }, at) => {
        const seen = colorOf(strips.pixels[at] as number);
        expect(Math.abs(seen.alpha - alpha) * 255).toBeLessThan(4); // rounded with each mark
        if (alpha < 0.1) return; // too faint for its colour to be told
        channels.forEach((value, n) =>
          expect(Math.abs((seen.channels[n] as number) - value)).toBeLessThan(8),
        );
      });
    }
  });

  test("that are out of sight leave nothing, nor do those of a picture before", () => {
    const cell = new Int32Array(CELL_PX * CELL_PX).fill(-1);
    const strips = new MarkPixels();
    strips.begin(LANES, WIDE_PX, CELL_PX);
    strips.stamp(cell, 1, -CELL_PX - 1);
    strips.stamp(cell, 1, WIDE_PX + 1);
    expect(strips.pixels.some((pixel) => pixel !== 0)).toBe(false);
    strips.stamp(cell, 1, 3);
    expect(strips.pixels.filter((pixel) => pixel !== 0)).toHaveLength(cell.length);
    strips.begin(LANES, WIDE_PX, CELL_PX);
    expect(strips.pixels.some((pixel) => pixel !== 0)).toBe(false);
  });

  test("stand right in strips of another width", () => {
    const cell = new Int32Array(CELL_PX * CELL_PX);
    cell[CELL_PX + 1] = -1; // one pixel, in the second row
    const strips = new MarkPixels();
    for (const widePx of [WIDE_PX, 2 * WIDE_PX]) {
      strips.begin(1, widePx, CELL_PX);
      strips.stamp(cell, 0, 7);
      const rowPx = widePx + 2 * CELL_PX;
      expect(strips.pixels.indexOf(-1)).toBe(rowPx + CELL_PX + 7 + 1);
    }
  });
});
