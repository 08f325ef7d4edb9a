import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { between, endingAt, MAX_SPAN_MS, MIN_SPAN_MS, pan, spanMs, toMs, toPx, zoom } from "./viewport";

describe("a viewport", () => {
  test("keeps the moment under the pointer while it zooms", () => {
    const random = new Random(2);
    for (let n = 0; n < 500; n++) {
      const view = { fromMs: 1.79e12, toMs: 1.79e12 + 10 + random.next() * 1e7 };
      const xPx = random.next() * 1400;
      const anchorMs = toMs(view, 1400, xPx);
      const zoomed = zoom(view, 0.5 + random.next(), anchorMs);

      expect(toPx(zoomed, 1400, anchorMs)).toBeCloseTo(xPx, 0);
    }
  });

  test("is never shorter than a millisecond, nor longer than its limit", () => {
    const view = { fromMs: 0, toMs: 1000 };

    expect(spanMs(zoom(view, 1e-9, 500))).toBeCloseTo(MIN_SPAN_MS);
    expect(spanMs(zoom(view, 1e12, 500))).toBeCloseTo(MAX_SPAN_MS);
  });

  test("goes from time to pixels and back", () => {
    const view = { fromMs: 1.79e12, toMs: 1.79e12 + 60_000 };

    expect(toMs(view, 1200, toPx(view, 1200, 1.79e12 + 12_345))).toBeCloseTo(1.79e12 + 12_345, 2);
  });

  test("pans and ends without changing its length", () => {
    const view = { fromMs: 100, toMs: 400 };

    expect(pan(view, -50)).toEqual({ fromMs: 50, toMs: 350 });
    expect(endingAt(view, 1000)).toEqual({ fromMs: 700, toMs: 1000 });
  });

  test("lies between two moments, whichever comes first", () => {
    expect(between(500, 200)).toEqual({ fromMs: 200, toMs: 500 });
    expect(spanMs(between(7, 7))).toBe(MIN_SPAN_MS);
  });
});
