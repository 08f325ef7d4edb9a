import { describe, expect, test } from "vitest";
import type { BinGrid } from "../model/bin_grid";
import { batch, type Said } from "../testing/frames";
import { Random } from "../testing/random";
import { sceneOf, VIEW, WIDTH_PX } from "../testing/scene";
import { DensityPixels } from "./density_pixels";
import type { LaneScene } from "./scene";
import type { Theme } from "./theme";

const BG = 0xff000001;
const ERROR = 0xff0000ff;
const THEME = {
  ground: { bg: BG, grid: 0xff000002, line: 0xff000003 },
  density: Array.from({ length: 8 }, (_, level) => 0xff000010 + level),
  densityError: ERROR,
} as unknown as Theme;

/** Pixels of the columns in view that are others in `anew`, which begins with them. */
function differing(kept: DensityPixels, offsetPx: number, widePx: number, anew: DensityPixels): number {
  let found = 0;
  for (let y = 0; y < kept.heightPx; y++)
    for (let x = 0; x < widePx; x++)
      if (kept.pixels[y * kept.widthPx + offsetPx + x] !== anew.pixels[y * anew.widthPx + x]) found++;
  return found;
}

function recount(scene: LaneScene): void {
  const source = {
    events: scene.journal.events,
    version: "1",
    lines: scene.journal.lanes.length,
    lineOf: (agent: number) => agent,
  };
  (scene.grid as BinGrid).refresh(source, scene.view.fromMs, scene.view.toMs, scene.grid.stepMs);
}

function someSaid(random: Random, nowMs: number, count: number): Said[] {
  return Array.from({ length: count }, () => ({
    at: nowMs - (random.chance(0.05) ? random.next() * 6000 : random.next() * 30),
    agent: random.whole(3),
    flag: random.chance(0.05) ? 4 : 0,
  }));
}

describe("the dense picture", () => {
  const said = { at: 1520, agent: 0 };

  test.each([1, 1.5])("that follows is the one that is drawn anew, at %d pixels to one", (unit) => {
    const random = new Random(12);
    const kept = new DensityPixels();
    let { scene } = sceneOf([said, { at: 1510, agent: 1 }, { at: 1520, agent: 2 }], true);
    let redrawn = 0;
    for (let round = 0; round < 80; round++) {
      const nowMs = VIEW.toMs + round * 17.3;
      scene.journal.takeBatch(batch(scene.journal.lastSeq + 1, someSaid(random, nowMs, 12)));
      scene = { ...scene, view: { fromMs: nowMs - 9700, toMs: nowMs + 300 } };
      recount(scene);
      const drawn = kept.update(scene, THEME, unit);
      const widePx = WIDTH_PX * unit;
      if (drawn.toPx - drawn.fromPx === widePx) redrawn++;
      const offMs = Math.abs(drawn.view.fromMs - scene.view.fromMs);
      expect(offMs).toBeLessThanOrEqual(0.5001 * (10_000 / widePx));

      const anew = new DensityPixels();
      anew.update({ ...scene, view: drawn.view }, THEME, unit);
      expect(differing(kept, drawn.offsetPx, widePx, anew)).toBe(0);
    }
    expect(redrawn).toBeLessThan(20);
  });

  test("shows what is elsewhere in time, longer, scrolled or of another scheme by drawing all of it", () => {
    const { scene } = sceneOf([said], true);
    const picture = new DensityPixels();
    const draws = (other: Partial<LaneScene>, theme = THEME) => {
      picture.update(scene, THEME, 1);
      const { fromPx, toPx } = picture.update({ ...scene, ...other }, theme, 1);
      return toPx - fromPx;
    };
    expect(draws({})).toBe(0);
    expect(draws({ view: { fromMs: 1100, toMs: 11_100 } })).toBe(10);
    expect(draws({ view: { fromMs: 900, toMs: 10_900 } })).toBe(WIDTH_PX);
    expect(draws({ view: { fromMs: 1000, toMs: 12_000 } })).toBe(WIDTH_PX);
    expect(draws({ scrollPx: 3 })).toBe(WIDTH_PX);
    expect(draws({}, { ...THEME })).toBe(WIDTH_PX);
  });

  test("has the errors at the foot of the lane, and nothing where nothing happened", () => {
    const { scene } = sceneOf([said, { at: 6000, agent: 0, flag: 4 }], true);
    const picture = new DensityPixels();
    picture.update(scene, THEME, 1);
    const box = scene.layout.boxes[0] as { heightPx: number };
    const pixelAt = (xPx: number) => picture.pixels[(box.heightPx - 4) * picture.widthPx + xPx];
    const columnOf = (timeMs: number) => Math.round(((timeMs - VIEW.fromMs) / 10_000) * WIDTH_PX);
    expect(pixelAt(columnOf(6000))).toBe(ERROR);
    expect(THEME.density).toContain(pixelAt(columnOf(1520)));
    expect(pixelAt(columnOf(3330))).toBe(BG);
  });
});
