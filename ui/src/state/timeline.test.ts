import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { spanMs } from "../base/viewport";
import { Timeline } from "./timeline.svelte";

const NOW = 1_795_425_712_000;

describe("following", () => {
  test("keeps the newest moment in view, with some air", () => {
    const timeline = new Timeline();
    timeline.advance(NOW, NOW - 100, 0);

    expect(timeline.edgeMs).toBe(NOW);
    expect(timeline.view.toMs).toBeGreaterThan(NOW);
    expect(spanMs(timeline.view)).toBe(60_000);
  });

  test("comes to rest when nothing happens, and goes on with open work", () => {
    const timeline = new Timeline();
    expect(timeline.advance(NOW, NOW - 10, 0)).toBe(true);
    expect(timeline.advance(NOW + 60_000, NOW - 10, 0)).toBe(false);
    expect(timeline.edgeMs).toBe(NOW);

    expect(timeline.advance(NOW + 60_000, NOW - 10, 1)).toBe(true);
    expect(timeline.edgeMs).toBe(NOW + 60_000);
  });

  test("stands still under a hand while the present goes on, and catches up when it leaves", () => {
    const timeline = new Timeline();
    timeline.advance(NOW, NOW, 0);
    const { view } = timeline;
    timeline.isHeld = true;
    timeline.advance(NOW + 3000, NOW + 3000, 0);
    expect([timeline.view, timeline.edgeMs]).toEqual([view, NOW + 3000]);

    timeline.isHeld = false;
    timeline.advance(NOW + 3000, NOW + 3000, 0);
    expect(timeline.view.toMs).toBe(view.toMs + 3000);
  });

  test("does not wait for ever for work that was abandoned", () => {
    expect(new Timeline().advance(NOW, NOW - 3_600_000, 2)).toBe(false);
  });

  test("never goes back, nor far into a future that some clock tells of", () => {
    const timeline = new Timeline();
    timeline.advance(NOW, NOW, 0);
    timeline.advance(NOW - 5000, NOW - 5000, 0);
    expect(timeline.edgeMs).toBe(NOW);

    timeline.advance(NOW, NOW + 86_400_000, 0);
    expect(timeline.edgeMs).toBeLessThanOrEqual(NOW + 5000);
  });

  test("ends with a pan, and stays through a zoom", () => {
    const timeline = new Timeline();
    timeline.advance(NOW, NOW, 0);
    timeline.zoomBy(0.5, NOW - 40_000);
    expect([timeline.isFollowing, spanMs(timeline.view)]).toEqual([true, 30_000]);

    timeline.panBy(-0.5);
    const { view } = timeline;
    timeline.advance(NOW + 1000, NOW + 1000, 0);
    expect(timeline.isFollowing).toBe(false);
    expect(timeline.view).toEqual(view);
  });
});

test("a moment in view stays where it is, another is brought to the middle", () => {
  const timeline = new Timeline();
  timeline.show({ fromMs: 1000, toMs: 2000 });
  timeline.reveal(1500);
  expect(timeline.view).toEqual({ fromMs: 1000, toMs: 2000 });

  timeline.reveal(9000);
  expect(timeline.view).toEqual({ fromMs: 8500, toMs: 9500 });
});

describe("in words", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("a range goes along with a gesture at a pace that can be read, and ends where it ends", () => {
    const timeline = new Timeline();
    timeline.show({ fromMs: 0, toMs: 1000 });
    expect(timeline.told).toEqual(timeline.view);

    for (let n = 1; n <= 5; n++) timeline.show({ fromMs: 0, toMs: 1000 + n });
    expect(timeline.told).toEqual({ fromMs: 0, toMs: 1000 });

    vi.advanceTimersByTime(100);
    expect(timeline.told).toEqual({ fromMs: 0, toMs: 1005 });
  });
});
