// All that the page knows of what happened: applies the messages of the hub, in order, to the tables.

import { Interner } from "../base/interner";
import { CATEGORIES, categoryOf } from "./category";
import { Dictionary } from "./dictionary";
import type { EventRow } from "./event_table";
import { AS_GAP, AS_INSTANT, EventTable, emptyRow, MAX_EVENTS } from "./event_table";
import { ABANDONED_AFTER_MS, Lane } from "./lane";
import { isRun, Memory, mergeOrder, newsOf } from "./merge";
import { type Drawn, Pairing } from "./pairing";
import type { Batch, Gap, Hello } from "./protocol";
import { ALERT_AGENT } from "./alert";
import { FLAG_CLOSES, FLAG_ERROR, ProtocolError } from "./protocol";
import { SESSION_DEPTH } from "./packing";
import { MAX_SPANS, SpanTable } from "./span_table";
import { countNames, markColumn, nothingUsed, QUIET_LANES, SPARE_NAMES } from "./name_use";

const PERMISSION = CATEGORIES.indexOf("permission");

/** Events [from, to) by seq that are in the log and not here, and the time they lie in; 0, 0 where the page
    let them go and cannot fetch them. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export class Journal {
  readonly agents = new Interner();
  readonly kinds = new Interner();
  readonly sessions = new Interner();
  readonly labels = new Interner();
  events: EventTable;
  spans: SpanTable;
  lanes: Lane[] = [];
  parents: number[] = [];

  epoch = "";
  /** The newest seq heard of; -1 before the first. */
  lastSeq = -1;
  /** Time of the earliest and the latest event taken; NaN before the first. */
  firstMs = NaN;
  lastMs = NaN;
  total = 0;
  errors = 0;
  /** Grows when lanes come, go or move. */
  treeVersion = 0;
  /** Grows when rows are renumbered: whoever keeps row numbers starts again. */
  rebuildVersion = 0;

  /** Rows that stand for events which are not here; some may have left the table since the last one. */
  private gapRows: number[] = [];
  /** Work that reaches over an end of what is here: events that are not, by seq; and those without an end. */
  private reaching: readonly EventRow[] = [];
  private readonly goesOn = new Set<number>();
  /** The bars of that work. */
  reachingBars: number[] = [];
  /** Agents of which the hub counted events that are not here. */
  private readonly heardOf = new Set<number>();
  private dictionary: Dictionary | null = null;
  private pairing: Pairing;
  private categories: number[] = [];
  /** How many names were left when they were looked at last. */
  private keptNames = 0;
  private readonly row = emptyRow();

  /** How much it holds; powers of two. */
  constructor(
    private readonly maxEvents = MAX_EVENTS,
    private readonly maxSpans = MAX_SPANS,
  ) {
    this.events = new EventTable(maxEvents);
    this.spans = new SpanTable(maxSpans);
    this.pairing = this.newPairing();
  }

  /** Returns whether what was known still holds; another epoch empties the journal. */
  takeHello(hello: Hello): boolean {
    const isResumed = hello.epoch === this.epoch;
    if (!isResumed) this.reset(hello.epoch);
    this.dictionary = new Dictionary(this, (agent, parent) => this.setParent(agent, parent), hello);
    return isResumed;
  }

  takeBatch(batch: Batch): void {
    const dictionary = this.dictionary;
    if (!dictionary) throw new ProtocolError("a batch came before hello");
    if (batch.new) dictionary.learn(batch.new);
    this.noteHole(batch);
    const row = this.row;
    for (let i = 0; i < batch.n; i++) {
      row.seq = batch.seq?.[i] ?? batch.seq0 + i;
      if (row.seq <= this.lastSeq) continue; // sent twice over a reconnect
      row.tsMs = batch.t0 + (batch.dt[i] as number);
      row.agent = dictionary.agent(batch.agent[i] as number);
      row.kind = dictionary.kind(batch.kind[i] as number);
      row.session = dictionary.session(batch.session[i] as number);
      row.label = dictionary.label(batch.label[i] as number);
      row.sev = batch.sev[i] as number;
      row.durMs = batch.dur[i] as number;
      row.flag = batch.flag[i] as number;
      row.tokens = batch.tokens?.[i] ?? 0;
      row.span = batch.span[i] as string;
      row.parent = batch.parent[i] as string;
      row.text = batch.text[i] as string;
      this.add(row);
    }
    if (batch.to !== undefined) this.lastSeq = Math.max(this.lastSeq, batch.to - 1);
  }

  takeGap(gap: Gap): void {
    const from = Math.max(gap.from, this.nextSeq());
    if (from < gap.to) this.addGap(from, gap.to);
  }

  /** The stretches of time of which the events are in the log and not here, in order: [fromMs, toMs). */
  holes(): readonly Hole[] {
    const { events } = this;
    const gone = { from: 0, to: 0, fromMs: -Infinity, toMs: this.timeOf(events.first) };
    return [...(events.first > 0 ? [gone] : []), ...this.gaps()].filter(({ fromMs, toMs }) => toMs > fromMs);
  }

  /** Rows that stand for events which are not here, as holes; some have no length in time. */
  gaps(): Hole[] {
    const { events } = this;
    const found: Hole[] = [];
    for (const row of this.gapRows) {
      if (!events.has(row)) continue;
      const from = events.seq[events.slot(row)] as number;
      const to = from + (events.durMs[events.slot(row)] as number);
      const fromMs = row > events.first ? this.timeOf(row - 1) : -Infinity;
      const toMs = row + 1 < events.end ? this.timeOf(row + 1) : Infinity;
      found.push({ from, to, fromMs, toMs });
    }
    return found;
  }

  private timeOf(row: number): number {
    return this.events.tsMs[this.events.slot(row)] as number;
  }

  /** Puts events that were fetched (rows of this journal) where they belong: a rebuild, in which what is known
      of those that were here is not looked for again. */
  merge(fetched: readonly EventRow[], remaining: readonly Gap[]): void {
    const { lastSeq } = this;
    const news = newsOf(fetched, remaining, this.reaching);
    const memory = new Memory(this.events, this.spans, news);
    const parts = mergeOrder(this.events, this.gapRows, news, this.maxEvents);
    this.clear(this.epoch);
    for (const part of parts) {
      if (isRun(part)) this.takeAgain(memory, part.from, part.to);
      else if (part.as === "new") this.add(part.row);
      else if (part.as === "gap") this.addGap(part.row.seq, part.row.seq + part.row.durMs);
      else this.reachingBars.push(this.pairing.hear(part.row, this.lane(part.row.agent)));
    }
    for (const agent of this.heardOf) this.lane(agent);
    this.lastSeq = lastSeq; // who sees a part has heard of more than its newest event
    for (const { from, fromMs, toMs } of this.holes())
      if (toMs - fromMs > ABANDONED_AFTER_MS && fromMs !== -Infinity) this.pairing.leave(from, fromMs);
  }

  /** Takes work of which the hub told, in place of what it told before: a rebuild. `goesOn`: seqs of its starts
      that have no end. Returns whether it is other work. */
  reach(rows: readonly EventRow[], goesOn: Iterable<number>): boolean {
    const sorted = [...rows].sort((one, other) => one.seq - other.seq);
    const known = this.reaching;
    if (sorted.length === known.length && sorted.every(({ seq }, n) => seq === known[n]?.seq)) return false;
    this.reaching = sorted;
    this.goesOn.clear();
    for (const seq of goesOn) this.goesOn.add(seq);
    const gaps = this.gaps().map(({ from, to }): Gap => ({ type: "gap", from, to }));
    this.merge([], gaps);
    return true;
  }

  /** Work that goes on now; open sessions are no work. */
  get openWork(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.open, 0);
  }

  /** The agents that have a lane: those heard of, and whoever stands above them. What the hub itself says
      of alerts is no agent's work. */
  present(): Set<number> {
    const found = new Set<number>();
    const alerts = this.agents.find(ALERT_AGENT);
    for (const lane of this.lanes) {
      if (!this.isKnown(lane.agent) || lane.agent === alerts) continue;
      for (let agent = lane.agent; agent >= 0 && !found.has(agent); agent = this.parents[agent] ?? -1) {
        found.add(agent);
      }
    }
    return found;
  }

  /** Whether the log holds events from before the oldest in memory. */
  get startsLate(): boolean {
    const { events } = this;
    return events.length > 0 && (events.first > 0 || events.drawn[events.slot(events.first)] === AS_GAP);
  }

  /** Gives agents a lane whose events the hub counted, though none is here. Returns whether one is new: of
      its parent nothing is known. */
  hearOf(names: Iterable<string>): boolean {
    let isNews = false;
    for (const name of names) {
      const agent = this.agents.index(name);
      if (this.heardOf.has(agent)) continue;
      this.heardOf.add(agent);
      if (this.lane(agent).events > 0) continue;
      this.treeVersion++;
      isNews = true;
    }
    return isNews;
  }

  /** Who spawned whom, of agents whose events did not tell it here. */
  adopt(parents: Iterable<readonly [name: string, parent: string]>): void {
    for (const [name, parent] of parents) {
      const agent = this.agents.find(name);
      if (this.heardOf.has(agent) && (this.parents[agent] ?? -1) < 0)
        this.setParent(agent, this.agents.index(parent));
    }
  }

  /** Lets go of names that no event in memory has and the hub may not mean any more: after hello, while no
      rows of this journal are on their way. Returns whether lanes went with them. */
  forgetNames(): boolean {
    if (countNames(this) <= this.keptNames + SPARE_NAMES) return false;
    const { events, spans } = this;
    const used = nothingUsed(this);
    this.dictionary?.markUsed(used);
    markColumn(events, events.agent, used.agents);
    markColumn(events, events.kind, used.kinds);
    markColumn(events, events.session, used.sessions);
    markColumn(events, events.label, used.labels);
    markColumn(spans, spans.agent, used.agents);
    markColumn(spans, spans.kind, used.kinds);
    markColumn(spans, spans.label, used.labels);
    for (const { agent, kind, session, label } of this.reaching) {
      used.agents[agent] = used.kinds[kind] = 1;
      if (session >= 0) used.sessions[session] = 1;
      if (label >= 0) used.labels[label] = 1;
    }
    const isNews = this.forgetLanes(used.agents);
    for (const name of ["agents", "kinds", "sessions", "labels"] as const) this[name].keep(used[name]);
    this.categories = [];
    this.pairing.forgetKinds();
    this.keptNames = countNames(this);
    return isNews;
  }

  /** Those that are not used, but for the ones that were heard of last; marks as used what stays. */
  private forgetLanes(used: Uint8Array): boolean {
    const quiet = this.lanes.filter(({ agent }) => used[agent] === 0 && this.isKnown(agent));
    quiet.sort((one, other) => other.lastMs - one.lastMs);
    for (const { agent } of quiet.slice(0, QUIET_LANES)) used[agent] = 1;
    for (const { agent } of this.lanes) {
      if (used[agent] === 0) continue;
      for (
        let above = this.parents[agent] ?? -1;
        above >= 0 && used[above] === 0;
        above = this.parents[above] ?? -1
      )
        used[above] = 1;
    }
    const left = this.lanes.filter(({ agent }) => used[agent] === 0 && this.isKnown(agent));
    for (const { agent } of left) {
      this.lanes[agent] = new Lane(agent);
      this.parents[agent] = -1;
      this.heardOf.delete(agent);
    }
    if (left.length === 0) return false;
    this.treeVersion++;
    this.rebuildVersion++; // counts of a lane may be those of another agent soon
    return true;
  }

  private isKnown(agent: number): boolean {
    return (this.lanes[agent]?.events ?? 0) > 0 || this.heardOf.has(agent);
  }

  setParent(agent: number, parent: number): void {
    this.lane(agent);
    this.lane(parent);
    if (agent === parent || this.parents[agent] === parent) return;
    this.parents[agent] = parent;
    this.treeVersion++;
  }

  /** Index into CATEGORIES. */
  category(kind: number): number {
    return (this.categories[kind] ??= categoryOf(this.kinds.name(kind)));
  }

  /** What a bar is called: its tool or model, the words it began with, or its kind without the ending. */
  spanName(span: number): string {
    const i = this.spans.slot(span);
    const label = this.spans.label[i] as number;
    if (label >= 0) return this.labels.name(label);
    const row = this.events.rowOfSeq(this.spans.openSeq[i] as number);
    const words = row < 0 ? this.toldWords(span) : this.wordsOf(this.events.slot(row));
    if (this.spans.depth[i] === SESSION_DEPTH)
      return `session ${this.sessions.name(this.sessionOf(row))}`.trim();
    return words || this.kinds.name(this.spans.kind[i] as number).replace(/_(start|request|invocation)$/, "");
  }

  /** What the event says that opens or closes a bar and is not here. */
  private toldWords(span: number): string {
    const i = this.spans.slot(span);
    const seqs = [this.spans.openSeq[i], this.spans.closeSeq[i]];
    return this.reaching.find(({ seq }) => seqs.includes(seq))?.text ?? "";
  }

  /** What slot `i` says; "" where its line is no more than the name of its kind. */
  wordsOf(i: number): string {
    const text = this.events.text[i] ?? "";
    return text === this.kinds.name(this.events.kind[i] as number) ? "" : text;
  }

  private sessionOf(row: number): number {
    return row < 0 ? -1 : (this.events.session[this.events.slot(row)] as number);
  }

  private reset(epoch: string): void {
    this.parents = [];
    this.lanes = [];
    this.heardOf.clear();
    this.reaching = [];
    this.goesOn.clear();
    this.clear(epoch);
  }

  private clear(epoch: string): void {
    this.epoch = epoch;
    this.events = new EventTable(this.maxEvents);
    this.gapRows = [];
    this.reachingBars = [];
    this.spans = new SpanTable(this.maxSpans);
    this.lanes = [];
    this.pairing = this.newPairing();
    this.lastSeq = -1;
    this.firstMs = this.lastMs = NaN;
    this.total = this.errors = 0;
    this.treeVersion++;
    this.rebuildVersion++;
  }

  private newPairing(): Pairing {
    return new Pairing(this.spans, (kind) => this.kinds.name(kind), this.goesOn);
  }

  private lane(agent: number): Lane {
    const known = this.lanes[agent];
    if (known) return known;
    while (this.lanes.length <= agent) {
      this.parents[this.lanes.length] ??= -1;
      this.lanes.push(new Lane(this.lanes.length));
    }
    return this.lanes[agent] as Lane;
  }

  private add(row: EventRow): void {
    const lane = this.lane(row.agent);
    const drawn = this.pairing.take(row, lane);
    this.settle(this.events.add(row, drawn.as), row, lane, drawn);
  }

  /** Rows [from, to) of the tables that were. */
  private takeAgain(memory: Memory, from: number, to: number): void {
    const { events, row } = this;
    const first = events.append(memory.events, from, to);
    for (let known = from; known < to; known++) {
      const number = first + known - from;
      events.read(number, row);
      const lane = this.lane(row.agent);
      const drawn = memory.take(this.pairing, known, row, lane);
      events.drawn[events.slot(number)] = drawn.as;
      this.settle(number, row, lane, drawn);
    }
  }

  /** Counts a row that is in the table. */
  private settle(number: number, row: EventRow, lane: Lane, drawn: Drawn): void {
    const isError = (row.flag & FLAG_ERROR) !== 0;
    this.events.bar[this.events.slot(number)] = drawn.bar;
    if (lane.events++ === 0) {
      this.treeVersion++;
      lane.bornMs = row.tsMs;
      lane.isBornBare = row.parent === "";
    }
    if (drawn.as === AS_INSTANT) lane.instants++;
    lane.note(row, isError, drawn.as === AS_INSTANT && this.asks(row));
    if (isError) lane.errors++;
    lane.tokens += row.tokens;
    this.total++;
    if (isError) this.errors++;
    if (!(row.tsMs <= this.lastMs)) this.lastMs = row.tsMs;
    if (!(row.tsMs >= this.firstMs)) this.firstMs = row.tsMs;
    this.lastSeq = row.seq;
  }

  private asks(row: EventRow): boolean {
    return (
      (row.flag & FLAG_CLOSES) === 0 &&
      this.category(row.kind) === PERMISSION &&
      /(request|ask|question|needed|required)/i.test(this.kinds.name(row.kind))
    );
  }

  /** Seqs have no holes: what is missing before a batch and was not announced is a gap all the same. */
  private noteHole(batch: Batch): void {
    const expected = this.nextSeq();
    const isTold = batch.n > 0 || batch.to !== undefined;
    if (isTold && batch.seq0 > expected) this.addGap(expected, batch.seq0);
  }

  /** The hub counts from 1; what it numbered before the first batch is history that was not asked for. */
  private nextSeq(): number {
    return Math.max(1, this.lastSeq + 1);
  }

  private addGap(from: number, to: number): void {
    const row = { ...emptyRow(), seq: from, durMs: to - from, tsMs: this.lastMs };
    if (Number.isNaN(row.tsMs)) row.tsMs = 0;
    const gone = this.gapRows.findIndex((known) => this.events.has(known));
    this.gapRows.splice(0, gone < 0 ? this.gapRows.length : gone);
    this.gapRows.push(this.events.add(row, AS_GAP));
    this.lastSeq = to - 1;
  }
}
