import { describe, expect, test } from "vitest";
import { batch, type Said } from "../testing/frames";
import { Random } from "../testing/random";
import { sceneOf, VIEW, WIDTH_PX } from "../testing/scene";
import { AS_INSTANT } from "../model/event_table";
import { FLAG_ERROR } from "../model/protocol";
import { MarkStrips } from "./mark_strips";
import { boxesInSight, type LaneScene } from "./scene";
import type { Theme } from "./theme";

const CELL_PX = 11;
const THEME = {} as Theme;

/** A canvas that knows where what was stamped: `strip/category/left`. */
class FakeCanvas {
  stamped = new Set<string>();
  stamps = 0;
  moves = 0;
  globalCompositeOperation = "source-over";
  readonly canvas = this;

  set width(_px: number) {
    this.stamped.clear();
  }

  set height(_px: number) {
    this.stamped.clear();
  }

  getContext(): this {
    return this;
  }

  /** Of itself: all that was there moves. */
  drawImage(_itself: unknown, leftPx: number): void {
    expect(this.globalCompositeOperation).toBe("copy");
    this.moves++;
    this.stamped = new Set(
      [...this.stamped].map((one) => {
        const [strip, category, px] = one.split("/");
        return `${strip}/${category}/${Number(px) + leftPx}`;
      }),
    );
  }
}

/** Strips of lanes, and what of them is in view. */
class Bench {
  readonly canvas = new FakeCanvas();
  readonly strips = new MarkStrips(
    {
      cellPx: CELL_PX,
      stampCell: (_ctx, category, leftPx, topPx) => {
        this.canvas.stamps++;
        this.canvas.stamped.add(`${topPx / CELL_PX}/${category}/${leftPx + Math.round(CELL_PX / 2)}`);
      },
    },
    () => this.canvas as unknown as HTMLCanvasElement,
  );

  /** The marks of which the middle is in view, by strip, category and column there. */
  inView(scene: LaneScene): Set<string> {
    let offsetPx = NaN;
    const sink = { drawImage: (_canvas: unknown, leftPx: number) => (offsetPx = leftPx) };
    this.strips.paint(sink as unknown as CanvasRenderingContext2D, scene);
    const found = [...this.canvas.stamped].map((one) => {
      const [strip, category, px] = one.split("/");
      return [strip, category, Number(px) - offsetPx] as const;
    });
    return new Set(
      found
        .filter(([, , px]) => px > 0 && px < WIDTH_PX)
        .map(([strip, category, px]) => `${strip}/${category}/${px}`),
    );
  }
}

/** The same from the rows themselves, with room for what is rounded otherwise. */
function wanted(scene: LaneScene, slackPx: number): Set<string> {
  const { journal, layout, view } = scene;
  const { events } = journal;
  const { from, to } = boxesInSight(scene);
  const found = new Set<string>();
  for (let row = events.first; row < events.end; row++) {
    const i = events.slot(row);
    const box = layout.indexOf(events.agent[i] as number);
    const isError = ((events.flag[i] as number) & FLAG_ERROR) !== 0;
    if (events.drawn[i] !== AS_INSTANT || isError || events.match[i] === 0 || box < from || box >= to)
      continue;
    const xPx = (((events.tsMs[i] as number) - view.fromMs) / (view.toMs - view.fromMs)) * WIDTH_PX;
    const px = Math.round(xPx + slackPx);
    if (px > 1 && px < WIDTH_PX - 1)
      found.add(`${box - from}/${journal.category(events.kind[i] as number)}/${px}`);
  }
  return found;
}

/** Whether the same mark is there, or one column beside. */
function isNear(one: string, shown: ReadonlySet<string>): boolean {
  const [strip, category, px] = one.split("/");
  return [-1, 0, 1].some((by) => shown.has(`${strip}/${category}/${Number(px) + by}`));
}

function said(random: Random, nowMs: number, count: number): Said[] {
  return Array.from({ length: count }, () => ({
    at:
      nowMs -
      (random.chance(0.05) ? random.next() * 6000 : random.next() * 30) +
      (random.chance(0.02) ? 4000 : 0),
    agent: random.whole(3),
    flag: random.chance(0.05) ? FLAG_ERROR : 0,
  }));
}

function viewAt(scene: LaneScene, toMs: number): LaneScene {
  return { ...scene, view: { fromMs: toMs - 10_000, toMs } };
}

describe("the strips of marks", () => {
  test("show in a view that follows what stands in the rows", () => {
    const random = new Random(7);
    const bench = new Bench();
    let { scene } = sceneOf([
      { at: 1520, agent: 0 },
      { at: 1510, agent: 1 },
      { at: 1520, agent: 2 },
    ]);
    let drawn = 0;
    for (let round = 0; round < 160; round++) {
      const nowMs = VIEW.toMs + round * 51.7;
      scene.journal.takeBatch(batch(scene.journal.lastSeq + 1, said(random, nowMs, 6)));
      scene = viewAt(scene, nowMs + 300);
      if (!bench.strips.update(scene, THEME, 1)) continue;
      drawn++;
      const shown = bench.inView(scene);
      const exact = wanted(scene, 0);
      const maybe = new Set([...wanted(scene, -1), ...exact, ...wanted(scene, 1)]);
      const isKnown = (one: string) => maybe.has(one) || /\/(1|999)$/.test(one);
      expect([...shown].filter((one) => !isKnown(one))).toEqual([]);
      expect([...exact].filter((one) => !isNear(one, shown))).toEqual([]);
    }
    expect(drawn).toBe(159);
    expect(bench.canvas.moves).toBeGreaterThan(1);
    expect(bench.canvas.stamps).toBeLessThan(2 * 160 * 6);
  });

  test("have the errors of the view, each once", () => {
    const bench = new Bench();
    let { scene } = sceneOf([
      { at: 1520, agent: 0, flag: FLAG_ERROR },
      { at: 9000, agent: 1, flag: FLAG_ERROR },
      { at: 9100, agent: 2 },
    ]);
    for (let toMs = 11_000; toMs < 16_000; toMs += 100) {
      scene = viewAt(scene, toMs);
      bench.strips.update(scene, THEME, 1);
    }
    expect(bench.strips.errors).toEqual([1]);
    expect(bench.strips.xOf(scene.view.fromMs)).toBe(0);
  });

  test("are left out where the look is a new one or the view goes back, and begun anew after it", () => {
    const bench = new Bench();
    const { scene } = sceneOf([{ at: 5000 }]);
    expect(bench.strips.update(scene, THEME, 1)).toBe(false);
    expect(bench.strips.update(scene, THEME, 1)).toBe(true);
    const zoomed = { ...scene, view: { fromMs: 3000, toMs: 8000 } };
    expect(bench.strips.update(zoomed, THEME, 1)).toBe(false);
    expect(bench.strips.update(zoomed, THEME, 1)).toBe(true);
    expect(bench.inView(zoomed)).toEqual(new Set([...wanted(zoomed, 0)]));
    expect(bench.strips.update({ ...zoomed, view: { fromMs: 2990, toMs: 7990 } }, THEME, 1)).toBe(false);
    expect(bench.strips.update({ ...zoomed, filterVersion: 1 }, THEME, 1)).toBe(false);
  });

  test("show no event that the filter leaves out, nor one that memory has let go", () => {
    const bench = new Bench();
    const { scene } = sceneOf([{ at: 5000 }, { at: 6000 }]);
    const { events } = scene.journal;
    events.match[events.slot(1)] = 0;
    const filtered = { ...scene, filterVersion: 1 };
    bench.strips.update(filtered, THEME, 1);
    bench.strips.update(filtered, THEME, 1);
    expect(bench.inView(filtered).size).toBe(1);
    events.first = 1;
    expect(bench.strips.update(filtered, THEME, 1)).toBe(true);
    expect(bench.inView(filtered).size).toBe(0);
  });
});
