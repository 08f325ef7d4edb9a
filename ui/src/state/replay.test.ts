import { describe, expect, it } from "vitest";
import { Random } from "../testing/random";
import { advance, Replay } from "./replay.svelte";

const course = {
  startMs: 1000,
  endMs: 21_000,
  momentsMs: [1000, 2000, 12_000, 21_000],
  pauses: [
    { fromMs: 2000, toMs: 12_000 },
    { fromMs: 12_000, toMs: 21_000 },
  ],
};

describe("the clock of a replay", () => {
  it("begins at the end, and plays from the start", () => {
    const replay = new Replay(course);
    expect(replay.isAtEnd).toBe(true);
    replay.play();
    expect(replay.atMs).toBe(1000);
    replay.tick(0);
    replay.tick(100);
    expect(replay.atMs).toBe(1100);
  });

  it("goes at the speed that was asked for, and crosses pauses quickly if it may", () => {
    expect(advance(1000, 100, course, { speed: 4, skipsPauses: true })).toBe(1400);
    expect(advance(2000, 250, course, { speed: 1, skipsPauses: true })).toBe(7000);
    expect(advance(2000, 250, course, { speed: 1, skipsPauses: false })).toBe(2250);
    expect(advance(1900, 250, course, { speed: 1, skipsPauses: true })).toBe(2000);
  });

  it("steps from moment to moment, and stays within the story", () => {
    const replay = new Replay(course);
    replay.seek(-5);
    expect(replay.atMs).toBe(1000);
    replay.step(1);
    replay.step(1);
    expect(replay.atMs).toBe(12_000);
    replay.step(-1);
    expect(replay.atMs).toBe(2000);
    replay.seek(1e9);
    replay.step(1);
    expect(replay.atMs).toBe(21_000);
  });

  it("goes on to the new end when more of the story came", () => {
    const replay = new Replay(course);
    replay.extend({ ...course, endMs: 30_000 });
    expect(replay.atMs).toBe(30_000);
    replay.seek(5000);
    replay.extend({ ...course, endMs: 40_000 });
    expect(replay.atMs).toBe(5000);
  });

  it("never goes back, and always arrives", () => {
    const random = new Random(3);
    for (let round = 0; round < 100; round++) {
      const replay = new Replay(course);
      replay.speed = [1, 2, 32][random.whole(3)] as number;
      replay.skipsPauses = random.whole(2) === 0;
      replay.play();
      let nowMs = 0;
      let before = replay.atMs;
      for (let tick = 0; replay.tick((nowMs += 16 + random.whole(300))); tick++) {
        expect(replay.atMs).toBeGreaterThanOrEqual(before);
        before = replay.atMs;
        expect(tick).toBeLessThan(5000);
      }
      expect(replay.atMs).toBe(course.endMs);
    }
  });
});
