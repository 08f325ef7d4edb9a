import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Pace } from "./pace";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a pace", () => {
  test("runs at once after a rest", () => {
    const run = vi.fn();
    const pace = new Pace(100, run);
    pace.ask();
    expect(run).toHaveBeenCalledTimes(1);

    vi.advanceTimersByTime(100);
    pace.ask();
    expect(run).toHaveBeenCalledTimes(2);
  });

  test("runs once more for all that was asked meanwhile, when its time has come", () => {
    const run = vi.fn();
    const pace = new Pace(100, run);
    for (let n = 0; n < 20; n++) {
      pace.ask();
      vi.advanceTimersByTime(2);
    }
    expect(run).toHaveBeenCalledTimes(1);

    vi.advanceTimersByTime(60);
    expect(run).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(2);
  });

  test("that was stopped runs no more by itself, and can be asked again", () => {
    const run = vi.fn();
    const pace = new Pace(100, run);
    pace.ask();
    pace.ask();
    pace.stop();
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(1);

    pace.ask();
    expect(run).toHaveBeenCalledTimes(2);
  });
});
