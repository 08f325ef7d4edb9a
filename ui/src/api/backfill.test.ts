import { describe, expect, test } from "vitest";
import { Journal } from "../model/journal";
import type { StoredEvent } from "../model/stored";
import { fetchGap } from "./backfill";

const BEFORE_MS = Date.parse("2026-11-23T10:00:00Z");

function stored(seq: number): StoredEvent {
  return {
    seq,
    timestamp: new Date(BEFORE_MS - 1e6 + seq).toISOString(),
    agent: "planner",
    event: "log",
    content: `event ${seq}`,
  };
}

/** A log of events 1 to `newest` that answers pages, newest first. */
function logOf(newest: number, queries: Record<string, string>[] = []) {
  return (query: Record<string, string>) => {
    queries.push(query);
    const from = Number(query["cursor"] ?? newest);
    const limit = Number(query["limit"]);
    const events = Array.from({ length: Math.min(limit, from) }, (_, n) => stored(from - n));
    const next = from - limit;
    return Promise.resolve({ events, next: next > 0 ? String(next) : null });
  };
}

describe("filling a gap", () => {
  test("takes just the events that are missing", async () => {
    const queries: Record<string, string>[] = [];
    const { rows, remaining } = await fetchGap(
      { type: "gap", from: 40, to: 45 },
      5,
      BEFORE_MS,
      new Journal(),
      logOf(100, queries),
    );

    expect(rows.map((row) => row.seq).sort()).toEqual([40, 41, 42, 43, 44]);
    expect(remaining).toEqual([]);
    expect(queries).toEqual([
      { q: "seq>=40 seq<45", order: "newest", limit: "1000", until: "2026-11-23T10:00:05.000Z" },
    ]);
  });

  test("stops after some pages, and leaves the older part a gap", async () => {
    const { rows, remaining } = await fetchGap(
      { type: "gap", from: 1, to: 9001 },
      9000,
      BEFORE_MS,
      new Journal(),
      logOf(9000),
    );

    expect(rows.length).toBe(5000);
    expect(remaining).toEqual([{ type: "gap", from: 1, to: 4001 }]);
  });

  test("closes for good what the log no longer holds", async () => {
    const answer = () => Promise.resolve({ events: [stored(44)], next: null });
    const { rows, remaining } = await fetchGap(
      { type: "gap", from: 40, to: 45 },
      5,
      BEFORE_MS,
      new Journal(),
      answer,
    );

    expect([rows.length, remaining]).toEqual([1, []]);
  });

  test("ends with the events that its reader may see, and asks for none where there are none", async () => {
    const gap = { type: "gap", from: 1, to: 9001 } as const;
    const queries: Record<string, string>[] = [];
    const some = logOf(9000, queries);
    const { rows, remaining } = await fetchGap(gap, 900, BEFORE_MS, new Journal(), some);
    expect([rows.length, remaining, queries.length]).toEqual([1000, [], 1]);

    const none = await fetchGap(gap, 0, BEFORE_MS, new Journal(), some);
    expect([none, queries.length]).toEqual([{ rows: [], remaining: [] }, 1]);
  });
});
