import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { AS_GAP, AS_INSTANT, emptyRow, EventTable } from "./event_table";

function fill(table: EventTable, count: number, random: Random): number[] {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const tsMs = n * 10 + (random.chance(0.05) ? -random.next() * 3000 : random.next() * 10);
    times.push(tsMs);
    table.add({ ...emptyRow(), seq: n + 1, tsMs, text: `event ${n}` }, AS_INSTANT);
  }
  return times;
}

describe("the table of events", () => {
  test("keeps each row over growth and over the turn of the ring", () => {
    const table = new EventTable(1 << 14);
    fill(table, 40_000, new Random(3));

    expect(table.length).toBeLessThanOrEqual(1 << 14);
    expect(table.length).toBeGreaterThan((1 << 14) - 1024);
    for (let row = table.first; row < table.end; row += 97) {
      expect(table.read(row, emptyRow())).toMatchObject({ seq: row + 1, text: `event ${row}` });
    }
  });

  test("scans no row outside and misses none inside a range, late ones included", () => {
    const random = new Random(4);
    const table = new EventTable(1 << 13);
    const times = fill(table, 20_000, random);
    for (let n = 0; n < 60; n++) {
      const fromMs = random.next() * 210_000;
      const toMs = fromMs + random.next() * 5000;
      const found = new Set<number>();
      table.scan(fromMs, toMs, (from, to) => {
        for (let row = from; row < to; row++) {
          const tsMs = table.tsMs[table.slot(row)] as number;
          if (tsMs >= fromMs && tsMs <= toMs) found.add(row);
        }
      });
      const wanted = times.flatMap((tsMs, row) =>
        row >= table.first && tsMs >= fromMs && tsMs <= toMs ? [row] : [],
      );

      expect([...found]).toEqual(wanted);
    }
  });

  test("finds a row by its seq, and no gap", () => {
    const table = new EventTable();
    table.add({ ...emptyRow(), seq: 5, tsMs: 0 }, AS_INSTANT);
    table.add({ ...emptyRow(), seq: 6, tsMs: 0, durMs: 4 }, AS_GAP);
    table.add({ ...emptyRow(), seq: 10, tsMs: 0 }, AS_INSTANT);

    expect([4, 5, 6, 7, 10, 11].map((seq) => table.rowOfSeq(seq))).toEqual([-1, 0, -1, -1, 2, -1]);
  });
});
