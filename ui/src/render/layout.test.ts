import { describe, expect, test } from "vitest";
import { Lane } from "../model/lane";
import { Random } from "../testing/random";
import { Layout } from "./layout";
import { RowNeed } from "./row_need";

function layoutOf(rows: number[], hasMarks = true): Layout {
  const lanes = rows.map((_, agent) => {
    const lane = new Lane(agent);
    lane.events = 1;
    lane.instants = hasMarks ? 1 : 0;
    return lane;
  });
  return new Layout(
    lanes.map(({ agent }) => ({ agent, depth: 0 })),
    lanes,
    rows,
  );
}

describe("the layout", () => {
  test("stacks lanes without holes, and finds the one at a height", () => {
    const random = new Random(11);
    for (let n = 0; n < 50; n++) {
      const layout = layoutOf(Array.from({ length: 1 + random.whole(60) }, () => random.whole(9)));
      let topPx = 0;
      layout.boxes.forEach((box, i) => {
        expect(box.topPx).toBe(topPx);
        expect([layout.indexAt(topPx), layout.indexAt(topPx + box.heightPx - 1)]).toEqual([i, i]);
        topPx += box.heightPx;
      });
      expect(layout.heightPx).toBe(topPx);
      expect(layout.indexAt(topPx)).toBe(layout.boxes.length);
    }
  });

  test("keeps every bar and mark within its lane", () => {
    for (const count of [1, 12, 60]) {
      const layout = layoutOf(Array.from({ length: count }, (_, n) => n % 9));
      for (const box of layout.boxes) {
        for (let depth = 0; depth < box.rows; depth++) {
          const topPx = layout.barTopPx(box, depth);
          expect(topPx).toBeGreaterThanOrEqual(0);
          expect(topPx + layout.metrics.barPx).toBeLessThanOrEqual(box.heightPx);
          if (depth === 0) expect(topPx).toBeGreaterThan(box.railPx);
        }
      }
    }
  });

  test("gives fifty lanes less room each than five", () => {
    const height = (count: number) => layoutOf(Array<number>(count).fill(2)).boxes[0]?.heightPx ?? 0;

    expect(height(5)).toBeGreaterThan(height(20));
    expect(height(20)).toBeGreaterThan(height(50));
    expect(50 * height(50)).toBeLessThan(1500);
  });

  test("knows no box of an agent without a lane", () => {
    expect(layoutOf([1, 1]).indexOf(7)).toBe(-1);
  });
});

describe("the need for sub-rows", () => {
  function see(need: RowNeed, depths: number[], nowMs: number): boolean {
    need.begin();
    for (const depth of depths) need.note(0, depth);
    return need.settle(nowMs);
  }

  test("grows at once, and shrinks when it was not needed for a while", () => {
    const need = new RowNeed();
    expect([see(need, [0, 2], 0), need.rows[0]]).toEqual([true, 3]);
    expect([see(need, [0], 1000), need.rows[0]]).toEqual([false, 3]);
    expect([see(need, [2], 2000), need.rows[0]]).toEqual([false, 3]);
    expect([see(need, [0], 4000), need.rows[0]]).toEqual([false, 3]);
    expect([see(need, [0], 4600), need.rows[0]]).toEqual([true, 1]);
    expect([see(need, [0], 9000), need.rows[0]]).toEqual([false, 1]);
  });
});
