import { describe, expect, test } from "vitest";
import { batch, hello, type Said } from "../testing/frames";
import { Random } from "../testing/random";
import { AS_GAP, AS_INSTANT, emptyRow, type EventRow } from "./event_table";
import { Journal } from "./journal";
import type { Gap } from "./protocol";
import { FLAG_CLOSES, FLAG_ERROR, FLAG_OPENS } from "./protocol";

const KINDS = ["log", "tool_invocation", "tool_result", "session_start", "permission_request"];
const LEAVE_MS = 16 * 60_000;

/** A log of `count` events: starts, ends and neither, some said twice, some without their other half. */
function logOf(random: Random, count: number): Said[] {
  let at = 0;
  return Array.from({ length: count }, () => {
    at += random.chance(0.01) ? LEAVE_MS : random.whole(50);
    const flag = random.pick([0, FLAG_OPENS, FLAG_OPENS, FLAG_CLOSES, FLAG_CLOSES, FLAG_CLOSES | FLAG_ERROR]);
    return {
      at: at - random.whole(20),
      agent: random.whole(2),
      kind: random.whole(KINDS.length),
      span: random.chance(0.2) ? "" : `span ${Math.floor(at / 200)}.${random.whole(4)}`,
      flag,
      dur: random.chance(0.5) ? random.whole(300) : -1,
      tokens: random.whole(3),
      text: `event ${at}`,
    };
  });
}

function rowOf(seq: number, said: Said): EventRow {
  const { at, span = "", text = "", agent = 0, kind = 0, flag = 0, dur = -1, tokens = 0 } = said;
  return { ...emptyRow(), seq, tsMs: at, agent, kind, span, flag, durMs: dur, tokens, text };
}

function connected(maxEvents?: number, maxSpans?: number): Journal {
  const journal = new Journal(maxEvents, maxSpans);
  journal.takeHello(hello({ kinds: KINDS, agents: [["a", -1], ["b", 0]] })); // prettier-ignore
  return journal;
}

/** All that is to be seen of a journal. */
function seen({ events, spans, lanes, ...more }: Journal): unknown {
  const bars = Array.from({ length: spans.length }, (_, n) => {
    const i = spans.slot(spans.first + n);
    const { startMs, endMs, agent, kind, depth, failed, openSeq, closeSeq, id } = spans;
    return [startMs, endMs, agent, kind, depth, failed, openSeq, closeSeq, id].map((column) => column[i]);
  });
  const rows = Array.from({ length: events.length }, (_, n) => {
    const i = events.slot(events.first + n);
    const { bar: _bar, ...row } = {
      ...events.read(events.first + n, emptyRow()),
      bar: events.bar[i] as number,
    };
    const isGap = events.drawn[i] === AS_GAP;
    return isGap
      ? ["gap", row.seq, row.durMs]
      : [row, events.drawn[i], spans.has(_bar) ? _bar - spans.first : -1];
  });
  const agents = lanes.map(({ packer, ...lane }) => ({ ...lane, state: "", rows: packer.depth }));
  const { total, errors, firstMs, lastMs, lastSeq } = more;
  const reaching = more.reachingBars.map((bar) => (bar < 0 ? -1 : bar - spans.first));
  return {
    rows,
    bars,
    agents,
    reaching,
    openCount: spans.openCount,
    total,
    errors,
    firstMs,
    lastMs,
    lastSeq,
  };
}

/** The stretches of seqs that are not among `known`, before the last that is. */
function gapsBetween(known: ReadonlySet<number>): Gap[] {
  const found: Gap[] = [];
  let from = 1;
  for (const seq of [...known].sort((one, other) => one - other)) {
    if (seq > from) found.push({ type: "gap", from, to: seq });
    from = seq + 1;
  }
  return found;
}

describe("events that are loaded in any order, between others and before them", () => {
  test.each(Array.from({ length: 40 }, (_, n) => n + 1))(
    "are as if they had all come in time (%i)",
    (seed) => {
      const random = new Random(seed);
      const log = logOf(random, 200 + random.whole(300));
      const journal = connected();
      const known = new Set<number>();
      for (let seq = 1 + random.whole(100); seq <= log.length;) {
        const to = Math.min(log.length + 1, seq + 1 + random.whole(60));
        journal.takeBatch(batch(seq, log.slice(seq - 1, to - 1)));
        for (let one = seq; one < to; one++) known.add(one);
        seq = to + (random.chance(0.5) ? 1 + random.whole(40) : 0);
      }
      for (let round = 0; round < 8; round++) {
        const gaps = gapsBetween(known);
        if (gaps.length === 0) break;
        const missing = log.map((_, n) => n + 1).filter((seq) => !known.has(seq));
        const heard = Array.from({ length: random.whole(6) }, () => random.pick(missing));
        const reaching = [...new Set(heard)].map((seq) => rowOf(seq, log[seq - 1] as Said));
        const goesOn = reaching.filter(() => random.chance(0.5)).map(({ seq }) => seq);
        journal.reach(reaching, goesOn);
        const { from, to } = random.pick(gaps);
        const start = from + random.whole(to - from);
        const end = Math.min(to, start + 1 + random.whole(30));
        const wanted = Array.from({ length: end - start }, (_, n) => start + n);
        for (const seq of wanted) known.add(seq);
        const fetched = wanted.map((seq) => rowOf(seq, log[seq - 1] as Said)).reverse();
        journal.merge(fetched, gapsBetween(known));

        const plain = connected();
        plain.reach(reaching, goesOn);
        plain.lastSeq = journal.lastSeq;
        const all = [...known].map((seq) => rowOf(seq, log[seq - 1] as Said));
        plain.merge(all, gapsBetween(known));
        expect(seen(journal)).toEqual(seen(plain));
      }
    },
  );

  test("find their place in a full memory, which lets the oldest go", () => {
    const most = 1 << 13;
    const journal = connected(most);
    const log = Array.from({ length: 12_001 }, (_, n): Said => ({
      at: n,
      span: `s${n >> 1}`,
      flag: n % 2 ? FLAG_CLOSES : FLAG_OPENS,
    }));
    journal.takeBatch(batch(1, log.slice(0, 9000)));
    journal.takeGap({ type: "gap", from: 9001, to: 9901 });
    journal.takeBatch(batch(9901, log.slice(9900)));
    journal.merge(log.slice(9000, 9900).map((said, n) => rowOf(9001 + n, said)), []); // prettier-ignore

    const { events, spans } = journal;
    const seqs = Array.from({ length: events.length }, (_, n) => events.seq[events.slot(events.first + n)]);
    expect(seqs).toEqual(Array.from({ length: most }, (_, n) => log.length - most + 1 + n));
    expect(events.drawn[events.slot(events.first)]).toBe(AS_INSTANT); // an end whose start is gone
    expect([spans.length, spans.openCount, journal.openWork]).toEqual([most / 2, 1, 1]);
    journal.takeBatch(batch(12_002, [{ at: 12_001 }]));
    expect(events.seq[events.slot(events.end - 1)]).toBe(12_002);
  });

  test("let go of work whose bar has no room before its end comes, and of nothing else", () => {
    const most = 1 << 12;
    const journal = connected(1 << 14, most);
    const short = (from: number, count: number): Said[] =>
      Array.from({ length: 2 * count }, (_, n) => ({
        at: from + n,
        span: `s${(from + n) >> 1}`,
        flag: n % 2 ? FLAG_CLOSES : FLAG_OPENS,
      }));
    const inGap = short(8000, 600);
    journal.takeBatch(
      batch(1, [{ at: 0, agent: 1, span: "long", flag: FLAG_OPENS }, ...short(10, most - 300)]),
    );
    const from = journal.lastSeq + 1;
    journal.takeGap({ type: "gap", from, to: from + inGap.length });
    journal.takeBatch(
      batch(from + inGap.length, [
        ...short(9600, 100),
        { at: 9900, agent: 1, span: "long", flag: FLAG_CLOSES | FLAG_ERROR },
      ]),
    );
    expect([journal.spans.openCount, journal.openWork]).toEqual([0, 0]);
    journal.merge(inGap.map((said, n) => rowOf(from + n, said)), []); // prettier-ignore

    const { spans } = journal;
    expect([spans.openCount, journal.openWork]).toEqual([0, 0]);
    expect(spans.find("long")).toBe(-1);
    expect([...spans.failed].some((one) => one === 1)).toBe(false);
  });
});
