import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { SpanTable } from "./span_table";

const PLAIN = { agent: 0, kind: 0, label: -1, depth: 0, id: "", parent: "", openSeq: 1, closeSeq: -1 };

describe("the table of spans", () => {
  test("scans each span that touches a range, however long ago it began", () => {
    const random = new Random(5);
    const table = new SpanTable(1 << 12);
    for (let n = 0; n < 12_000; n++) {
      const startMs = n * 10;
      const span = table.add({
        ...PLAIN,
        startMs,
        endMs: random.chance(0.5) ? Infinity : startMs + random.next() * 400,
      });
      if (random.chance(0.9))
        table.close(span, startMs + (random.chance(0.02) ? 30_000 : random.next() * 500), n);
    }
    for (let n = 0; n < 60; n++) {
      const fromMs = table.first * 10 + random.next() * 40_000;
      const toMs = fromMs + random.next() * 3000;
      const minMs = random.chance(0.5) ? 0 : 350;
      const found = new Set<number>();
      table.scan(fromMs, toMs, minMs, (from, to) => {
        for (let span = from; span < to; span++) found.add(span);
      });
      for (let span = table.first; span < table.end; span++) {
        const i = table.slot(span);
        const startMs = table.startMs[i] as number;
        const endMs = table.endMs[i] as number;
        const isWanted = startMs <= toMs && endMs >= fromMs && endMs - startMs >= minMs;
        if (isWanted) expect(found.has(span)).toBe(true);
      }
    }
  });

  test("counts open spans, and forgets those that leave the ring", () => {
    const table = new SpanTable(1 << 12);
    for (let n = 0; n < 1000; n++) table.add({ ...PLAIN, startMs: n, endMs: Infinity });
    table.close(3, 9, 2);
    table.close(3, 9, 2);
    expect(table.openCount).toBe(999);

    for (let n = 0; n < 1 << 13; n++) table.add({ ...PLAIN, startMs: n, endMs: n });
    expect(table.openCount).toBe(0);
  });

  test("never ends a span before it began", () => {
    const table = new SpanTable();
    const span = table.add({ ...PLAIN, startMs: 100, endMs: Infinity });
    table.close(span, 40, 2);

    expect(table.endMs[table.slot(span)]).toBe(100);
  });

  test("names parents and children", () => {
    const table = new SpanTable();
    table.add({ ...PLAIN, startMs: 0, endMs: 9, id: "a" });
    table.add({ ...PLAIN, startMs: 1, endMs: 2, id: "b", parent: "a" });
    table.add({ ...PLAIN, startMs: 3, endMs: 4, id: "c", parent: "a" });

    expect([table.find("a"), table.find("x"), table.find("")]).toEqual([0, -1, -1]);
    expect([table.childrenOf("a", 10), table.childrenOf("a", 1), table.childrenOf("", 10)]).toEqual([
      [1, 2],
      [1],
      [],
    ]);
  });
});
