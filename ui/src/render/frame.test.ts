import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Frame } from "./frame";

let asked: (() => void)[] = [];

/** Runs what was asked for, as the browser does with its next frame. */
function nextFrame(): void {
  for (const run of asked.splice(0)) run();
}

/** What a painter does that takes so long. */
function work(ms: number): () => void {
  return () => void vi.advanceTimersByTime(ms);
}

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => asked.push(run));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the frame", () => {
  test("runs a painter once for all that marked it, and is not asked for again", () => {
    const paint = vi.fn();
    const mark = new Frame().add(paint);
    mark();
    mark();
    nextFrame();
    expect(paint).toHaveBeenCalledTimes(1);
    expect(asked).toHaveLength(0);
  });

  test("lets a painter that may wait have the next frame where others took this one", () => {
    const frame = new Frame();
    const text = vi.fn();
    const marks = [frame.add(work(10)), frame.add(text, { mayWait: true })];
    for (const mark of marks) mark();
    nextFrame();
    expect(text).not.toHaveBeenCalled();

    nextFrame();
    expect(text).toHaveBeenCalledTimes(1);
    expect(asked).toHaveLength(0);
  });

  test("lets no painter wait twice, nor where there was little to do", () => {
    const frame = new Frame();
    const text = vi.fn();
    const [lanes, words] = [frame.add(work(10)), frame.add(text, { mayWait: true })];
    words();
    nextFrame();
    expect(text).toHaveBeenCalledTimes(1);

    for (let n = 0; n < 2; n++) {
      lanes();
      words();
      nextFrame();
    }
    expect(text).toHaveBeenCalledTimes(2);
  });
});
