import { describe, expect, test } from "vitest";
import { foundingStep, stepFor } from "../base/tick";
import { Random } from "../testing/random";
import { BinGrid, type BinSource, octaveStep } from "./bin_grid";
import { AS_INSTANT, emptyRow, EventTable } from "./event_table";
import { GridShelf } from "./grid_shelf";
import { PulseGrid, type PulseSource } from "./pulse_grid";
import { SpanTable } from "./span_table";

type AnyGrid = BinGrid | PulseGrid;
const CLOSES = 2;
const ERROR = 4;

function laneShelf(): GridShelf<BinSource, BinGrid> {
  return new GridShelf(
    () => new BinGrid(),
    (atLeastMs) => octaveStep(atLeastMs, 1, 1),
  );
}

function addMany(events: EventTable, random: Random, count: number, spanMs: number): void {
  for (let n = 0; n < count; n++) {
    const flag = (random.chance(0.3) ? CLOSES : 0) | (random.chance(0.05) ? ERROR : 0);
    const told = { tsMs: 1e9 + random.next() * spanMs, agent: random.whole(6), flag };
    const more = { durMs: random.whole(900), tokens: random.whole(50) };
    events.add({ ...emptyRow(), ...told, ...more, seq: events.end + 1 }, AS_INSTANT);
  }
}

describe("of few events", () => {
  const events = new EventTable();
  const source = { events, version: "1", lines: 1, lineOf: () => 0 };

  test("zooming out and in again counts nothing twice, and what came meanwhile once", () => {
    const shelf = laneShelf();
    for (let n = 0; n < 100; n++)
      events.add({ ...emptyRow(), seq: n + 1, tsMs: n * 10, agent: 0 }, AS_INSTANT);
    const look = (stepMs: number) => shelf.take(source, 0, 1000, stepMs);
    const fine = look(16);
    look(32);
    events.add({ ...emptyRow(), seq: 101, tsMs: 5, agent: 0 }, AS_INSTANT);
    expect(look(16)).toBe(fine);
    expect(fine.recounts).toBe(1);
    expect(fine.at(0, fine.binAt(0))).toBe(3);
  });

  test("only so many grids are kept, the latest used ones", () => {
    const shelf = laneShelf();
    const look = (stepMs: number) => shelf.take(source, 0, 1000, stepMs);
    const first = look(1);
    const second = look(2);
    for (let step = 3; step < 18; step++) {
      look(step);
      look(2);
    }
    expect(look(2)).toBe(second);
    expect(look(1)).not.toBe(first);
  });
});

describe("of more events than are read in one go", () => {
  const SPAN_MS = 40_000_000;
  const random = new Random(31);
  const events = new EventTable();
  addMany(events, random, 70_000, SPAN_MS);

  const LINES = 6;

  /** Sums by line and bin of the view, by looking at every event. */
  function brute(
    grid: AnyGrid,
    fromMs: number,
    toMs: number,
    valueOf: (slot: number) => number,
  ): Float64Array {
    const from = Math.floor(fromMs / grid.stepMs);
    const bins = Math.floor(toMs / grid.stepMs) - from + 1;
    const cells = new Float64Array(LINES * bins);
    for (let row = events.first; row < events.end; row++) {
      const i = events.slot(row);
      const bin = Math.floor((events.tsMs[i] as number) / grid.stepMs) - from;
      if (bin < 0 || bin >= bins) continue;
      const cell = (events.agent[i] as number) * bins + bin;
      cells[cell] = (cells[cell] as number) + valueOf(i);
    }
    return cells;
  }

  /** The same cells as the grid has them. */
  function held(grid: AnyGrid, fromMs: number, toMs: number, at: (line: number, bin: number) => number) {
    const found: number[] = [];
    for (let line = 0; line < LINES; line++)
      for (let bin = grid.binAt(fromMs); bin <= grid.binAt(toMs); bin++) found.push(at(line, bin));
    return Float64Array.from(found);
  }

  function* views(): Generator<{ fromMs: number; toMs: number }> {
    for (let round = 0; round < 6; round++) {
      const lengthMs = SPAN_MS * 1.2 * (round % 3 === 0 ? 1 : random.next());
      const fromMs = 1e9 - 0.1 * SPAN_MS + random.next() * (SPAN_MS * 1.2 - lengthMs);
      yield { fromMs, toMs: fromMs + lengthMs };
      if (round === 2) addMany(events, random, 3000, SPAN_MS);
    }
  }

  test("the lanes' counts are those of looking at every event, at any zoom and while more come", () => {
    const shelf = laneShelf();
    const source = { events, version: "1", lines: 8, lineOf: (agent: number) => agent };
    for (const { fromMs, toMs } of views()) {
      const grid = shelf.take(source, fromMs, toMs, octaveStep(toMs - fromMs, 800, 2));
      const isError = (i: number) => ((events.flag[i] as number) & ERROR ? 1 : 0);
      expect(held(grid, fromMs, toMs, (line, bin) => grid.at(line, bin))).toEqual(
        brute(grid, fromMs, toMs, () => 1),
      );
      expect(held(grid, fromMs, toMs, (line, bin) => grid.errorsAt(line, bin))).toEqual(
        brute(grid, fromMs, toMs, isError),
      );
    }
  });

  test("and so are the pulse's sums", () => {
    const shelf = new GridShelf<PulseSource, PulseGrid>(() => new PulseGrid(), foundingStep);
    const spans = new SpanTable();
    const source = { events, spans, version: "1", lines: 6, lineOf: (agent: number) => agent };
    for (const { fromMs, toMs } of views()) {
      const step = stepFor((toMs - fromMs) / 300);
      const grid = shelf.take({ ...source, isToolEnd: () => true }, fromMs, toMs, step);
      const tokens = brute(grid, fromMs, toMs, (i) => events.tokens[i] as number);
      const ended = (i: number) => ((events.flag[i] as number) & CLOSES ? (events.durMs[i] as number) : 0);
      expect(held(grid, fromMs, toMs, (line, bin) => grid.at("tokens", line, bin))).toEqual(tokens);
      expect(
        held(grid, fromMs, toMs, (line, bin) => grid.durations[line * grid.bins + bin] as number),
      ).toEqual(brute(grid, fromMs, toMs, ended));
    }
  });

  test("a longer step is added up from what was read, not read again", () => {
    const shelf = laneShelf();
    let read = 0;
    const source = { events, version: "1", lines: 8, lineOf: (agent: number) => (read++, agent) };
    shelf.take(source, 1e9, 1e9 + SPAN_MS, 65_536);
    expect(read).toBe(events.length);
    shelf.take(source, 1e9, 1e9 + SPAN_MS, 131_072);
    shelf.take(source, 1e9, 1e9 + SPAN_MS, 32_768);
    expect(read).toBe(events.length);
  });
});

test("a founding step divides every readable step that is longer", () => {
  for (let wantedMs = 0.1; wantedMs < 1e9; wantedMs *= 1.7) {
    const founding = foundingStep(wantedMs);
    expect(founding).toBeGreaterThanOrEqual(wantedMs);
    for (let longerMs = founding; longerMs < 1e9; longerMs *= 1.7) {
      const ratio = stepFor(longerMs) / founding;
      expect(Math.abs(ratio - Math.round(ratio))).toBeLessThan(1e-9);
    }
  }
});
