import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Pulse } from "../api/report";
import type { Hole } from "../model/journal";
import { History, MOST_EVENTS } from "./history.svelte";

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

/** A log that holds `inView` events in each second, event n at n seconds. */
function stage(inView: number, query = "") {
  const asked: Record<string, string>[] = [];
  const filled: number[][] = [];
  let holes: Hole[] = [HOLE];
  const pulse = (given: Readonly<Record<string, string>>): Promise<Pulse> => {
    asked.push(given);
    const from = Date.parse(given["since"] as string);
    const to = Date.parse(given["until"] as string);
    const buckets = [];
    for (let ms = from; ms < to; ms += 1000) buckets.push([ms, inView, 0] as const);
    return Promise.resolve({
      step_ms: 1000,
      accuracy: "exact",
      buckets,
      series: [{ name: "coder", buckets }],
    });
  };
  const events = (given: Readonly<Record<string, string>>) => {
    const ms = Date.parse((given["order"] === "oldest" ? given["since"] : given["until"]) as string);
    const event = { seq: ms / 1000, timestamp: "", agent: "coder", event: "log" };
    return Promise.resolve({ events: [event], next: null });
  };
  const history = new History(
    {
      holes: () => holes,
      query: () => query,
      nowMs: () => 200_000_000,
      isLoading: () => false,
      fill: (hole, from, to) => {
        filled.push([hole.from, from, to]);
        return Promise.resolve(true);
      },
      hearOf: () => undefined,
      changed: () => undefined,
    },
    { pulse, events },
  );
  return { history, asked, filled, close: () => (holes = []) };
}

test("counts what is missing once the view rests, and asks no more while the answer covers it", async () => {
  const { history, asked } = stage(MOST_EVENTS);
  for (let n = 0; n < 5; n++)
    history.look({ fromMs: VIEW.fromMs - n * 100_000, toMs: VIEW.toMs - n * 100_000 });
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.length).toBe(1);
  expect(history.past?.byAgent.get("coder")?.length).toBe(120);
  history.look({ fromMs: VIEW.fromMs + 10_000, toMs: VIEW.toMs + 10_000 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.length).toBe(1);
});

test("fetches the events of the view, and a little beside it, where they are few", async () => {
  const { history, filled } = stage(1);
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(filled).toEqual([[1, 49_970, 50_091]]);
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(filled.length).toBe(1); // what was tried is not tried again
});

test("fetches nothing where there is too much, or nothing", async () => {
  for (const count of [MOST_EVENTS, 0]) {
    const { history, filled } = stage(count);
    history.look(VIEW);
    await vi.advanceTimersByTimeAsync(1000);
    history.look(VIEW);
    await vi.advanceTimersByTimeAsync(1000);
    expect(filled).toEqual([]);
  }
});

test("counts what a filter finds, and decides by all that is there", async () => {
  const { history, asked } = stage(1, "agent:coder");
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.map(({ q }) => q)).toEqual(["agent:coder", undefined]);
});

test("asks nothing where nothing is missing", async () => {
  const { history, asked, close } = stage(1);
  close();
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toEqual([]);
});

test("asks for what the pulse shows, and again when it shows something else", async () => {
  const { history, asked } = stage(MOST_EVENTS, "agent:coder");
  history.show({ measure: "tokens", stack: "kind" });
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.map((one) => [one["of"], one["by"], one["q"]])).toEqual([
    [undefined, "agent", "agent:coder"],
    [undefined, undefined, undefined],
    ["tokens", "event", "agent:coder"],
  ]);
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.length).toBe(3);
  history.show({ measure: "latency", stack: "agent" });
  history.look(VIEW);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.at(-1)).toMatchObject({ of: "durations", event: "tool_result" });
  expect(history.past?.pulse.length).toBe(1);
});
