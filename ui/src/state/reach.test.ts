import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Hole } from "../model/journal";
import type { StoredEvent } from "../model/stored";
import { Reach } from "./reach";

const HOLE: Hole = { from: 1, to: 100_001, fromMs: -Infinity, toMs: 100_000_000 };
const VIEW = { fromMs: 50_000_000, toMs: 50_060_000 };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function ended(seq: number, atMs: number, tookMs: number): StoredEvent {
  const timestamp = new Date(atMs).toISOString();
  return { seq, timestamp, agent: "coder", event: "agent_end", duration_ms: tookMs };
}

function stage(query = "", holes: readonly Hole[] = [HOLE]) {
  const asked: Record<string, string>[] = [];
  const taken: number[][] = [];
  const started = { seq: 7, timestamp: "", agent: "coder", event: "agent_start" };
  const reach = new Reach(
    {
      holes: () => holes,
      query: () => query,
      nowMs: () => 200_000_000,
      take: (running, ends) => taken.push([...running, ...ends].map(({ seq }) => seq)),
    },
    {
      events: (given) => {
        asked.push(given);
        return Promise.resolve({ events: [started], next: null });
      },
      slowest: (given) => {
        asked.push(given);
        // One that began before the end of what was asked for (30 s after the view), and one after it.
        return Promise.resolve([ended(8, 50_100_000, 60_000), ended(9, 50_100_000, 1_000)]);
      },
    },
  );
  return { reach, asked, taken };
}

test("asks for work without an end, and for what ended after the view and began before its end", async () => {
  const { reach, asked, taken } = stage();
  for (let n = 0; n < 5; n++) reach.look({ fromMs: VIEW.fromMs - n, toMs: VIEW.toMs - n });
  reach.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(taken).toEqual([[7, 8]]);
  expect(asked.map(({ q }) => q)).toEqual(["is:open", undefined, undefined, undefined]);
  expect(asked[0]?.["since"]).toBe(new Date(VIEW.fromMs - 30_000 - 86_400_000).toISOString());

  reach.look({ fromMs: VIEW.fromMs + 10_000, toMs: VIEW.toMs + 10_000 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(taken.length).toBe(1); // it was asked beside the view, too
  reach.look({ fromMs: VIEW.fromMs, toMs: VIEW.fromMs + 5_000 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(taken.length).toBe(2); // shorter work reaches over the ends of a shorter view
});

test("asks once while the view follows the present, for work without an end alone", async () => {
  const { reach, asked, taken } = stage("agent:coder");
  for (let n = 0; n < 50; n++) {
    reach.look({ fromMs: 150_000_000 + n * 60_000, toMs: 150_060_000 + n * 60_000 });
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(asked.map(({ q }) => q)).toEqual(["(agent:coder) is:open"]);
  expect(taken).toEqual([[7]]);
});

test("asks nothing where nothing is missing", async () => {
  const { reach, asked } = stage("", []);
  reach.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toEqual([]);
});
