import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { age, ago, duration, plural, short } from "./format";

const DURATIONS = resolve(import.meta.dirname, "../../../spec/vectors/durations.json");

test.each([
  [0, "0"],
  [987, "987"],
  [999.6, "1000"],
  [1000, "1k"],
  [12_345, "12.3k"],
  [99_960, "100k"],
  [999_600, "1M"],
  [4_500_000, "4.5M"],
  [2e9, "2G"],
  [5e12, "5000G"],
])("short(%d) is %s", (value, wanted) => {
  expect(short(value)).toBe(wanted);
});

test.each(JSON.parse(readFileSync(DURATIONS, "utf8")) as [number, string][])(
  "duration(%d) is %s",
  (ms, wanted) => {
    expect(duration(ms)).toBe(wanted);
  },
);

test.each([
  [500, "0 s"],
  [12_000, "12 s"],
  [240_000, "4 m"],
  [1.1e7, "3 h"],
  [2e8, "2 d"],
])("age(%d) is %s", (ms, wanted) => {
  expect(age(ms)).toBe(wanted);
});

test.each([
  [-5, "now"],
  [1999, "now"],
  [12_000, "12 s ago"],
])("ago(%d) is %s", (ms, wanted) => {
  expect(ago(ms)).toBe(wanted);
});

describe("plural", () => {
  test("says one event and 1,234 events", () => {
    expect([plural(1, "event"), plural(1234, "event"), plural(0, "event")]).toEqual([
      "1 event",
      "1,234 events",
      "0 events",
    ]);
  });
});
