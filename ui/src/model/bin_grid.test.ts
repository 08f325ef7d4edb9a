import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { BinGrid, octaveStep } from "./bin_grid";
import { AS_GAP, AS_INSTANT, emptyRow, EventTable } from "./event_table";

const LINES = 7;

function source(events: EventTable, version = "1") {
  return { events, version, lines: LINES, lineOf: (agent: number) => (agent < LINES ? agent : -1) };
}

function addSome(events: EventTable, random: Random, nowMs: number, count: number): number {
  for (let n = 0; n < count; n++) {
    nowMs += random.next() * 8;
    const tsMs = random.chance(0.1) ? nowMs - random.next() * 2000 : nowMs;
    const flag = random.chance(0.1) ? 4 : 0;
    const row = { ...emptyRow(), seq: events.end + 1, tsMs, agent: random.whole(LINES + 2), flag };
    const number = events.add(row, random.chance(0.01) ? AS_GAP : AS_INSTANT);
    events.match[events.slot(number)] = random.chance(0.8) ? 1 : 0;
  }
  return nowMs;
}

/** What the grid should hold, counted the plain way. */
function countAll(events: EventTable, stepMs: number): Map<string, [number, number]> {
  const cells = new Map<string, [number, number]>();
  for (let row = events.first; row < events.end; row++) {
    const i = events.slot(row);
    const line = events.agent[i] as number;
    if (events.match[i] === 0 || events.drawn[i] === AS_GAP || line >= LINES) continue;
    const key = `${line}/${Math.floor((events.tsMs[i] as number) / stepMs)}`;
    const [count, errors] = cells.get(key) ?? [0, 0];
    cells.set(key, [count + 1, errors + ((events.flag[i] as number) & 4 ? 1 : 0)]);
  }
  return cells;
}

describe("the grid of counts", () => {
  test("agrees with a recount of everything while rows arrive and the view follows", () => {
    const random = new Random(6);
    const events = new EventTable();
    const grid = new BinGrid();
    let nowMs = 1e6;
    for (let round = 0; round < 60; round++) {
      nowMs = addSome(events, random, nowMs, 40);
      const fromMs = nowMs - 4000;
      grid.refresh(source(events), fromMs, nowMs + 100, 64);
      const wanted = countAll(events, 64);
      for (let line = 0; line < LINES; line++) {
        for (let bin = grid.binAt(fromMs); bin <= grid.binAt(nowMs); bin++) {
          const [count, errors] = wanted.get(`${line}/${grid.firstBin + bin}`) ?? [0, 0];
          expect([grid.at(line, bin), grid.errorsAt(line, bin)]).toEqual([count, errors]);
        }
      }
    }
    expect(grid.recounts).toBeLessThan(10); // it counted what was new, not all
  });

  test("counts anew when the filter, the step or the lines changed", () => {
    const events = new EventTable();
    addSome(events, new Random(7), 1000, 500);
    const grid = new BinGrid();
    grid.refresh(source(events, "1"), 1000, 3000, 16);
    grid.refresh(source(events, "1"), 1100, 3100, 16);
    expect(grid.recounts).toBe(1);

    grid.refresh(source(events, "2"), 1100, 3100, 16);
    grid.refresh(source(events, "2"), 1100, 3100, 32);
    grid.refresh(source(events, "2"), 90_000, 92_000, 32);
    expect(grid.recounts).toBe(4);
  });
});

test("a step of an octave is at least as wide as asked and under twice that", () => {
  for (let spanMs = 1; spanMs < 1e9; spanMs *= 3.7) {
    const binPx = (octaveStep(spanMs, 1400, 2) / spanMs) * 1400;
    expect(binPx).toBeGreaterThanOrEqual(2);
    expect(binPx).toBeLessThan(4.0001);
  }
});
