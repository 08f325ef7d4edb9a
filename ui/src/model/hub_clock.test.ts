import { expect, test } from "vitest";
import { HubClock } from "./hub_clock";

test("before the first word there is no time", () => {
  expect(new HubClock().at(5)).toBeNaN();
});

test("a word that came late does not set the clock back", () => {
  const clock = new HubClock();
  clock.hear(10_000, 100);
  clock.hear(11_000, 1_900); // 800 ms on its way, or the page was busy
  expect(clock.at(2_100)).toBe(12_000);
});

test("a first word that came late is mended by the next", () => {
  const clock = new HubClock();
  clock.hear(10_000, 900);
  clock.hear(11_000, 1_100);
  expect(clock.at(1_100)).toBe(11_000);
});

test("a clock that was set back is believed after some words, and at once on another link", () => {
  const clock = new HubClock();
  clock.hear(10_000, 100);
  for (let n = 1; n <= 8; n++) clock.hear(4_000 + n * 1_000, 100 + n * 1_000);
  expect(clock.at(8_100)).toBe(12_000);
  clock.hear(90_000, 9_000);
  clock.restart();
  clock.hear(15_000, 9_100);
  expect(clock.at(9_100)).toBe(15_000);
});
