import { beforeEach, describe, expect, test } from "vitest";
import { ApiError, type SeqPage } from "../api/client";
import type { Listener as SocketListener, Surroundings } from "../api/stream";
import { hello } from "../testing/frames";
import { type Listener, Sieve } from "./sieve";

interface Asked {
  readonly from: number;
  readonly to: number;
  readonly cursor: string;
  answer(page: SeqPage): Promise<void>;
  fail(error: unknown): Promise<void>;
}

let sockets: SocketListener[];
let timers: (() => void)[];
let asked: Asked[];
let words: string[];
let sieve: Sieve;

const around: Surroundings = {
  open(_, listener) {
    sockets.push(listener);
    return { close: () => undefined };
  },
  checkAccess: () => Promise.resolve("in"),
  now: () => 0,
  random: () => 1,
  after(_, run) {
    timers.push(run);
    return () => (timers = timers.filter((other) => other !== run));
  },
};
const listener: Listener = {
  firstSeq: () => 5,
  onPast: () => void words.push("past"),
  onMore: () => void words.push("more"),
  onRefused: (_, error) => void words.push(`refused ${error.column}`),
};

const settle = async () => {
  for (let n = 0; n < 8; n++) await Promise.resolve();
};

function ask(_: string, range: { from: number; to: number; cursor: string }): Promise<SeqPage> {
  if (range.to === 0 && range.from === 0) return Promise.resolve({ seqs: [], next: null });
  return new Promise((resolve, reject) => {
    asked.push({
      ...range,
      answer: (page) => (resolve(page), settle()),
      fail: (error) => (reject(error as Error), settle()),
    });
  });
}

function say(message: unknown): Promise<void> {
  sockets.at(-1)?.onMessage(JSON.stringify(message));
  return settle();
}

const found = () => Array.from({ length: 60 }, (_, seq) => seq).filter((seq) => sieve.verdict.found.has(seq));
const ranges = () => asked.map(({ from, to, cursor }) => [from, to, cursor]);

beforeEach(() => {
  [sockets, timers, asked, words] = [[], [], [], []];
  sieve = new Sieve("agent:coder", listener, around, ask);
  sieve.start();
});

describe("a sieve", () => {
  test("asks for what is in memory up to the hello, and hears of what follows", async () => {
    await say(hello({ seq: 20 }));
    expect(ranges()).toEqual([[5, 21, ""]]);
    await say({ type: "hits", from: 21, to: 25, seqs: [22] });
    expect([words, sieve.verdict.until]).toEqual([[], 0]); // the old result stays until now

    await asked[0]?.answer({ seqs: [19, 7], next: null });
    expect([words, sieve.verdict.until, found()]).toEqual([["past"], 25, [7, 19, 22]]);

    await say({ type: "hits", from: 25, to: 27, seqs: [] });
    expect([words, sieve.verdict.until]).toEqual([["past", "more"], 27]);
  });

  test("goes on where a page ends, and tells how far the log is read", async () => {
    await say(hello({ seq: 20 }));
    const scan = { complete: false, passed_bytes: 25, total_bytes: 100 };
    await asked[0]?.answer({ seqs: [19], next: "c1", scan });
    expect([sieve.share, sieve.isSearching, ranges()[1]]).toEqual([0.25, true, [5, 21, "c1"]]);

    await asked[1]?.answer({ seqs: [6], next: null, scan: { ...scan, complete: true } });
    expect([sieve.isSearching, found()]).toEqual([false, [6, 19]]);
  });

  test("asks for events that came into memory since its hello, and not before that", async () => {
    sieve.cover(1, 3);
    expect(ranges()).toEqual([]);
    await say(hello({ seq: 20 }));
    sieve.cover(2, 5);
    await asked[0]?.answer({ seqs: [7], next: null });
    await asked[1]?.answer({ seqs: [3], next: null });
    expect([ranges(), found()]).toEqual([
      [
        [5, 21, ""],
        [2, 5, ""],
      ],
      [3, 7],
    ]);
  });

  test("asks for what it did not hear while it was away, and in a gap", async () => {
    await say(hello({ seq: 20 }));
    await asked[0]?.answer({ seqs: [], next: null });
    await say({ type: "gap", from: 21, to: 30 });
    expect(ranges()[1]).toEqual([21, 30, ""]);
    await asked[1]?.answer({ seqs: [25], next: null });

    sockets.at(-1)?.onClose();
    for (const run of timers) run();
    await settle();
    await say(hello({ seq: 40 }));
    expect(ranges()[2]).toEqual([30, 41, ""]);
    await asked[2]?.answer({ seqs: [33], next: null });
    expect([found(), sieve.verdict.until]).toEqual([[25, 33], 41]);
  });

  test("forgets everything with another epoch", async () => {
    await say(hello({ seq: 20 }));
    await asked[0]?.answer({ seqs: [19], next: null });
    await say(hello({ seq: 9, epoch: "e2" }));
    expect([found(), ranges()[1]]).toEqual([[], [5, 10, ""]]);
  });

  test("asks again after a failure, and stops where the query is refused", async () => {
    await say(hello({ seq: 20 }));
    await asked[0]?.fail(new ApiError(503, "busy"));
    for (const run of timers) run();
    await settle();
    expect(ranges()[1]).toEqual([5, 21, ""]);

    await asked[1]?.fail(new ApiError(400, "too long", "", 3));
    expect(words).toEqual(["refused 3"]);
  });

  test("says nothing once it was stopped", async () => {
    await say(hello({ seq: 20 }));
    sieve.stop();
    await asked[0]?.answer({ seqs: [19], next: null });
    expect(words).toEqual([]);
  });
});
