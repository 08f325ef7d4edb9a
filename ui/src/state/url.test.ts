import { expect, test } from "vitest";
import { LIVE } from "./place.svelte";
import { isStep, readUrl, writeUrl } from "./url";

const NOTHING = { place: LIVE, query: "", lastMs: NaN, sinceMs: NaN, untilMs: NaN, selected: "", pinned: [] };

test("an empty address asks for nothing, and nothing makes an empty address", () => {
  expect(readUrl("")).toEqual(NOTHING);
  expect(writeUrl(NOTHING)).toBe("");
});

test("what is written is read back", () => {
  const state = {
    place: { view: "session" as const, id: "s/1&x=y", other: "s 2" },
    query: 'agent:"a&b=c#d ü" -event:log disk "full" ~"100%" level>=error',
    lastMs: NaN,
    sinceMs: 1795425712112,
    untilMs: 1795425812112,
    selected: "@42",
    pinned: ["the coder", "a&b=c ü"],
  };

  expect(readUrl(writeUrl(state))).toEqual(state);
});

test("a followed range is a length, a fixed one two moments", () => {
  expect(writeUrl({ ...NOTHING, lastMs: 60_000 })).toBe("?last=60000");
  expect(writeUrl({ ...NOTHING, sinceMs: 1.2, untilMs: 9.7 })).toBe("?since=1&until=10");
});

test("values that are no numbers ask for nothing", () => {
  expect(readUrl("?since=abc&last=").sinceMs).toBeNaN();
  expect(readUrl("?since=abc&last=").lastMs).toBeNaN();
});

test("a view stands in the address, and one that nobody knows is the live one", () => {
  for (const place of [{ view: "insights" }, { view: "sessions" }, { view: "trace", id: "4bf9" }] as const)
    expect(readUrl(writeUrl({ ...NOTHING, place })).place).toEqual(place);
  expect(readUrl("?view=constructor").place).toEqual(LIVE);
});

test("another query, an opened event and another time are steps; a gesture, a pause and following are none", () => {
  const nowMs = 1_000_000;
  const live = { ...NOTHING, lastMs: 60_000 };
  const range = (sinceMs: number, untilMs: number) => ({ ...NOTHING, sinceMs, untilMs });
  const paused = range(nowMs - 59_000, nowMs + 1000);
  expect(isStep(live, { ...live, query: "agent:a" }, nowMs)).toBe(true);
  expect(isStep(live, { ...live, selected: "@1" }, nowMs)).toBe(true);
  expect(isStep({ ...live, selected: "@1" }, { ...live, selected: "@2" }, nowMs)).toBe(false);
  expect(isStep({ ...live, selected: "@1" }, live, nowMs)).toBe(false);
  expect(isStep(live, { ...live, lastMs: 300_000 }, nowMs)).toBe(true);
  expect(isStep(live, paused, nowMs)).toBe(false);
  expect(isStep(paused, live, nowMs)).toBe(false);
  expect(isStep(live, range(0, 60_000), nowMs)).toBe(true);
  expect(isStep(range(0, 60_000), range(7000, 67_000), nowMs)).toBe(false);
  expect(isStep(range(0, 60_000), range(0, 40_000), nowMs)).toBe(false);
  expect(isStep(range(0, 60_000), range(20_000, 25_000), nowMs)).toBe(true);
});
