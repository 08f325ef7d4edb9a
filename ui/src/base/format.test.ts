import { describe, expect, test } from "vitest";
import { age, duration, plural, short } from "./format";

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

test.each([
  [0, "0 ms"],
  [0.44, "0.4 ms"],
  [834.2, "834 ms"],
  [999.6, "1 s"],
  [12_400, "12.4 s"],
  [59_960, "1 m"],
  [185_000, "3 m 05 s"],
  [300_000, "5 m"],
  [7_800_000, "2 h 10 m"],
  [273_600_000, "3 d 04 h"],
])("duration(%d) is %s", (ms, wanted) => {
  expect(duration(ms)).toBe(wanted);
});

test.each([
  [0, "now"],
  [1999, "now"],
  [12_000, "12s"],
  [240_000, "4m"],
  [1.1e7, "3h"],
  [2e8, "2d"],
])("age(%d) is %s", (ms, wanted) => {
  expect(age(ms)).toBe(wanted);
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
