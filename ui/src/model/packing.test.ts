import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { MAX_DEPTH, Packer, SLACK_MS } from "./packing";

interface Placed {
  row: number;
  startMs: number;
  endMs: number;
}

/** Spans that open and close in the order of time, at most `most` at once. */
function play(random: Random, most: number): Placed[] {
  const packer = new Packer();
  const done: Placed[] = [];
  const open: Placed[] = [];
  let nowMs = 0;
  for (let n = 0; n < 300; n++) {
    nowMs += random.next() * 10;
    if (open.length < most && random.chance(0.55)) {
      open.push({ row: packer.place(nowMs, Infinity), startMs: nowMs, endMs: Infinity });
    } else if (open.length > 0) {
      const [span] = open.splice(random.whole(open.length), 1) as [Placed];
      span.endMs = nowMs;
      packer.close(span.row, nowMs);
      done.push(span);
    }
  }
  return [...done, ...open];
}

function overlaps(spans: readonly Placed[]): number {
  let count = 0;
  spans.forEach((one, i) => {
    for (const other of spans.slice(i + 1)) {
      const isShared = one.row === other.row;
      if (isShared && one.startMs < other.endMs - SLACK_MS && other.startMs < one.endMs - SLACK_MS) count++;
    }
  });
  return count;
}

describe("packing", () => {
  test("never lets one span cover another while there are sub-rows left", () => {
    for (let seed = 1; seed <= 40; seed++) expect(overlaps(play(new Random(seed), MAX_DEPTH))).toBe(0);
  });

  test("uses no more sub-rows than spans were open at once", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const rows = play(new Random(seed), 3).map((span) => span.row);
      expect(Math.max(...rows)).toBeLessThan(3);
    }
  });

  test("puts what is too deep on the last sub-row", () => {
    const packer = new Packer();
    const rows = Array.from({ length: MAX_DEPTH + 3 }, () => packer.place(0, Infinity));

    expect(rows.slice(-4)).toEqual(Array(4).fill(MAX_DEPTH - 1));
    expect(packer.depth).toBe(MAX_DEPTH);
  });

  test("lets a span begin where the last one ended, microseconds aside", () => {
    const packer = new Packer();
    packer.place(0, 10);

    expect(packer.place(10 - SLACK_MS / 2, 20)).toBe(0);
    expect(packer.place(15, 30)).toBe(1);
  });
});
