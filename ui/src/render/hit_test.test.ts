import { describe, expect, test } from "vitest";
import type { Said } from "../testing/frames";
import { sceneOf, WIDTH_PX } from "../testing/scene";
import { Random } from "../testing/random";
import { hitTest } from "./hit_test";

function randomWork(random: Random, count: number): Said[] {
  return Array.from({ length: count }, (_, n) => {
    const at = random.next() * 12_000;
    if (random.chance(0.4)) return { at, agent: random.whole(3), text: `mark ${n}` };
    if (random.chance(0.1)) return { at, agent: random.whole(3), kind: 1, span: `s${n}`, flag: 1 };
    return { at, agent: random.whole(3), kind: 2, dur: random.next() * 900 };
  });
}

describe("the hit test", () => {
  test("finds a bar wherever one was drawn under the pointer, and never one elsewhere", () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = new Random(seed);
      const { scene, bars } = sceneOf(randomWork(random, 60));
      const { barPx } = scene.layout.metrics;
      for (let n = 0; n < 80; n++) {
        const xPx = random.next() * WIDTH_PX;
        const yPx = random.next() * scene.layout.heightPx;
        const under = (slopPx: number) => {
          const found: number[] = [];
          for (let bar = 0; bar < bars.length; bar++) {
            const [left, width, top] = [bars.leftPx[bar], bars.widthPx[bar], bars.topPx[bar]] as [
              number,
              number,
              number,
            ];
            const isIn =
              xPx >= left - slopPx && xPx <= left + width + slopPx && yPx >= top && yPx <= top + barPx;
            if (isIn) found.push(bars.span[bar] as number);
          }
          return found;
        };
        const hit = hitTest(scene, bars, xPx, yPx);
        if (hit?.kind === "mark") continue; // marks lie above bars
        if (under(0).length > 0) expect(hit?.kind === "bar" && under(0).includes(hit.bar)).toBe(true);
        else if (hit?.kind === "bar") expect(under(3.5)).toContain(hit.bar);
      }
    }
  });

  test("finds the nearest mark of the lane, and an error before others", () => {
    const { scene, bars } = sceneOf([
      { at: 5000, agent: 0 },
      { at: 5030, agent: 0, flag: 4 },
      { at: 5001, agent: 2 },
    ]);
    const box = scene.layout.boxes[0];
    const hit = hitTest(scene, bars, 401.6, (box?.topPx ?? 0) + (box?.railPx ?? 0));

    expect(hit).toMatchObject({ kind: "mark", row: 1 });
  });

  test("tells the counts of a bin where the picture is dense", () => {
    const { scene, bars } = sceneOf([{ at: 5000 }, { at: 5001, flag: 4 }, { at: 9000 }], true);
    const hit = hitTest(scene, bars, 400.05, 10);

    expect(hit).toMatchObject({ kind: "bin", events: 2, errors: 1 });
    expect(hitTest(scene, bars, 700, 10)).toBeNull();
  });

  test("finds nothing below the last lane", () => {
    const { scene, bars } = sceneOf([{ at: 5000 }]);

    expect(hitTest(scene, bars, 400, scene.layout.heightPx + 5)).toBeNull();
  });
});

describe("the bars in sight", () => {
  test("are those that touch the range, those that began before it included", () => {
    const { bars, scene } = sceneOf([
      { at: 100, kind: 1, span: "open", flag: 1 },
      { at: 1500, kind: 2, dur: 1400 },
      { at: 900, kind: 2, dur: 500 },
      { at: 20_000, kind: 2, dur: 5000 },
    ]);
    const found = [...bars.span.slice(0, bars.length)];

    expect(found).toEqual([0, 1]);
    expect((bars.leftPx[0] as number) + (bars.widthPx[0] as number)).toBeCloseTo(
      ((scene.nowMs - 1000) / 10_000) * WIDTH_PX,
      1,
    );
  });
});
