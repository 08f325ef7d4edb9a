// Makes bars of starts and ends that share a span id. News may come late, twice, or with one half
// missing; every event becomes part of a bar, or an instant of its own.

import { CATEGORIES, categoryOf } from "./category";
import type { EventRow } from "./event_table";
import { AS_BAR, AS_INSTANT } from "./event_table";
import type { Lane } from "./lane";
import { FLAG_CLOSES, FLAG_ERROR, FLAG_OPENS } from "./protocol";
import { SESSION_DEPTH } from "./packing";
import type { SpanTable } from "./span_table";

/** How many ends that came before their start are remembered: late news is late by seconds. */
const MAX_EARLY_ENDS = 4096;
/** Work that is taken to go on: what more was begun and never ended was lost with those who did it. */
const MAX_OPEN = 1 << 14;
const PERMISSION = CATEGORIES.indexOf("permission");

export interface Drawn {
  /** AS_INSTANT or AS_BAR. */
  readonly as: number;
  /** The bar that the event belongs to, or -1. */
  readonly bar: number;
}

const INSTANT: Drawn = { as: AS_INSTANT, bar: -1 };

interface KindFacts {
  readonly isSession: boolean;
  /** A person is asked. */
  readonly waits: boolean;
}

/** As a session: not told among what an agent does. */
const UNCOUNTED: KindFacts = { isSession: true, waits: false };

interface EarlyEnd {
  readonly seq: number;
  readonly tsMs: number;
  readonly isError: boolean;
}

/** Work that goes on. */
export interface Open {
  readonly span: number;
  readonly lane: Lane;
  readonly facts: KindFacts;
  readonly depth: number;
}

export class Pairing {
  /** The oldest first; the bars of some may have left the table. */
  private readonly open = new Map<string, Open>();
  /** Bars made of an end that told its own duration. */
  private readonly headless = new Map<string, number>();
  private readonly earlyEnds = new Map<string, EarlyEnd>();
  private kinds: KindFacts[] = [];

  constructor(
    private readonly spans: SpanTable,
    private readonly kindName: (kind: number) => string,
    /** Seqs of what began and has no end, as the hub says. */
    private readonly goesOn: ReadonlySet<number> = new Set(),
  ) {}

  take(row: EventRow, lane: Lane): Drawn {
    const opens = (row.flag & FLAG_OPENS) !== 0;
    const closes = (row.flag & FLAG_CLOSES) !== 0;
    if (row.span !== "" && opens !== closes) {
      const key = `${row.agent}/${row.span}`;
      return opens ? this.takeStart(row, lane, key) : this.takeEnd(row, lane, key);
    }
    return !opens && row.durMs >= 0 ? this.takeWhole(row, lane) : INSTANT;
  }

  /** As `take`, of an event that is not on the page; what it opens is no news of what the agent does now.
      Returns the bar, or -1. */
  hear(row: EventRow, lane: Lane): number {
    const { bar } = this.take(row, lane);
    const key = `${row.agent}/${row.span}`;
    const work = this.open.get(key);
    if (work?.span === bar && this.spans.openSeq[this.spans.slot(bar)] === row.seq) {
      countOpen(lane, work.facts, -1);
      this.open.set(key, { ...work, facts: UNCOUNTED });
    }
    return bar;
  }

  /** Begins work of which the end is known to come: `end` will be told. */
  begin(row: EventRow, lane: Lane): Open {
    const work = this.newWork(row, lane);
    countOpen(lane, work.facts, 1);
    return work;
  }

  end(work: Open, row: EventRow): void {
    this.finish(work, { seq: row.seq, tsMs: row.tsMs, isError: (row.flag & FLAG_ERROR) !== 0 });
  }

  /** Numbers of kinds have another meaning now. */
  forgetKinds(): void {
    this.kinds = [];
  }

  /** Ends work that began at or before `seq` and is open still as of `endMs`: what came of it is not known here. */
  leave(seq: number, endMs: number): void {
    for (const [key, work] of this.open) {
      const i = this.spans.slot(work.span);
      const openSeq = this.spans.openSeq[i] as number;
      if (!this.spans.isOpen(work.span) || openSeq > seq || this.goesOn.has(openSeq)) continue;
      this.open.delete(key);
      this.finish(work, { seq: -1, tsMs: endMs, isError: false });
    }
  }

  private takeStart(row: EventRow, lane: Lane, key: string): Drawn {
    const headless = this.headless.get(key);
    if (headless !== undefined && this.spans.has(headless)) {
      this.headless.delete(key);
      this.spans.moveStart(headless, row.tsMs, row.seq);
      return { as: AS_BAR, bar: headless };
    }
    const known = this.open.get(key);
    if (known && !this.spans.has(known.span)) this.forget(key, known, -Infinity);
    else if (known && this.spans.isOpen(known.span)) return INSTANT; // said twice
    const work = this.newWork(row, lane);
    this.setOpen(key, work);
    const end = this.earlyEnds.get(key);
    if (end) {
      this.earlyEnds.delete(key);
      this.open.delete(key);
      this.finish(work, end);
    }
    return { as: AS_BAR, bar: work.span };
  }

  private newWork(row: EventRow, lane: Lane): Open {
    const span = this.add(row, lane, row.tsMs, Infinity);
    const depth = this.spans.depth[this.spans.slot(span)] as number;
    return { span, lane, facts: this.kind(row.kind), depth };
  }

  private takeEnd(row: EventRow, lane: Lane, key: string): Drawn {
    const end = { seq: row.seq, tsMs: row.tsMs, isError: (row.flag & FLAG_ERROR) !== 0 };
    const work = this.open.get(key);
    if (work && this.spans.isOpen(work.span)) {
      this.open.delete(key);
      this.finish(work, end);
      return { as: AS_BAR, bar: work.span };
    }
    if (work) this.forget(key, work, row.tsMs);
    if (row.durMs >= 0) {
      const whole = this.takeWhole(row, lane);
      remember(this.headless, key, whole.bar);
      return whole;
    }
    remember(this.earlyEnds, key, end);
    return INSTANT;
  }

  private takeWhole(row: EventRow, lane: Lane): Drawn {
    const span = this.add(row, lane, row.tsMs - row.durMs, row.tsMs);
    if (row.flag & FLAG_ERROR) this.spans.failed[this.spans.slot(span)] = 1;
    return { as: AS_BAR, bar: span };
  }

  private add(row: EventRow, lane: Lane, startMs: number, endMs: number): number {
    const isOpen = endMs === Infinity;
    if (this.kind(row.kind).isSession) lane.sessions++;
    return this.spans.add({
      startMs,
      endMs,
      agent: row.agent,
      kind: row.kind,
      label: row.label,
      depth: this.kind(row.kind).isSession ? SESSION_DEPTH : lane.packer.place(startMs, endMs),
      id: row.span,
      parent: row.parent,
      openSeq: isOpen ? row.seq : -1,
      closeSeq: isOpen ? -1 : row.seq,
    });
  }

  private finish(work: Open, end: EarlyEnd): void {
    if (!this.spans.has(work.span)) return endCount(work, end.tsMs); // its bar left the table
    const i = this.spans.slot(work.span);
    this.spans.close(work.span, end.tsMs, end.seq);
    if (end.isError) this.spans.failed[i] = 1;
    endCount(work, this.spans.endMs[i] as number);
  }

  private setOpen(key: string, work: Open): void {
    this.open.set(key, work);
    countOpen(work.lane, work.facts, 1);
    if (this.open.size <= MAX_OPEN) return;
    for (const [oldest, left] of this.open) return this.forget(oldest, left, -Infinity);
  }

  /** Work whose bar left the table: the lane waits for it no more. */
  private forget(key: string, work: Open, endMs: number): void {
    this.open.delete(key);
    endCount(work, endMs);
  }

  private kind(kind: number): KindFacts {
    const name = this.kindName(kind);
    return (this.kinds[kind] ??= {
      isSession: /^session[._-]/i.test(name),
      waits: categoryOf(name) === PERMISSION,
    });
  }
}

function endCount({ lane, facts, depth }: Open, endMs: number): void {
  if (depth !== SESSION_DEPTH) lane.packer.close(depth, endMs);
  countOpen(lane, facts, -1);
}

function countOpen(lane: Lane, { isSession, waits }: KindFacts, by: number): void {
  if (isSession) return;
  lane.open = Math.max(0, lane.open + by);
  if (waits) lane.waiting = Math.max(0, lane.waiting + by);
}

function remember<T>(memory: Map<string, T>, key: string, value: T): void {
  memory.delete(key);
  memory.set(key, value);
  if (memory.size <= MAX_EARLY_ENDS) return;
  for (const oldest of memory.keys()) {
    memory.delete(oldest);
    return;
  }
}
