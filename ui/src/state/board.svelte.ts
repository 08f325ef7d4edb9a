// The page's one state: what the hub said, what a person asked for, and who must repaint.

import { fetchGap, PAGE_EVENTS } from "../api/backfill";
import { ApiError, fetchEvent, fetchEvents, fetchSeqs, fetchTerms, toldOf } from "../api/client";
import { fetchParents, fetchPulse, fetchSlowest } from "../api/report";
import { type LinkState, type Owner, streamPath } from "../api/stream";
import { Pace } from "../base/pace";
import { spanMs, type Viewport } from "../base/viewport";
import { AS_GAP } from "../model/event_table";
import { type Filter, NO_FILTER, queryOf, toggleValue } from "../model/filter";
import { HubClock } from "../model/hub_clock";
import { causeOf, newestError } from "../model/failure";
import { Journal } from "../model/journal";
import type { Batch, Beat, Bounds, Gap, Hello, Message, ProtocolError } from "../model/protocol";
import { parseTimeMs, type StoredEvent, toRow } from "../model/stored";
import { LineList } from "../model/line_list";
import { RowList } from "../model/row_list";
import { judgeAll, judgeFrom, judgeMore, Verdict } from "../model/verdict";
import { Frame } from "../render/frame";
import { Alarms } from "./alarms.svelte";
import { EMPTY_FACE, type Face, type LaneFace, heardMs, laneFace, Meter } from "./face";
import { History, MOST_EVENTS } from "./history.svelte";
import { LaneChoice } from "./lane_choice.svelte";
import { Picture } from "./picture";
import { Reach } from "./reach";
import { StreamChoice } from "./stream_choice.svelte";
import type { Listener, Sieve } from "./sieve";
import { Timeline } from "./timeline.svelte";

/** Text is redrawn this often at most: faster cannot be read, and layout costs. */
const FACE_MS = 250;
/** Of events that are fetched because they are in view. */
const PAGES_BY_ITSELF = Math.ceil((2 * MOST_EVENTS) / PAGE_EVENTS);
/** Batches that come this close together, on the average, come with nearly every frame. */
const FLOW_MS = 40;
/** Of each new distance between two batches, in their average. */
const FLOW_WEIGHT = 0.1;
/** The first look at a log: the longest of these that shows about this many events at most. */
const FIRST_SPANS_MS = [30_000, 60_000, 300_000, 900_000, 3_600_000];
const SILENCE_MS = 120_000;
const FIRST_EVENTS = 900;
/** Shown on either side of an event that a link names. */
const LINK_MS = 15_000;

/** The chosen event by seq; a bar is chosen by the event that closed it, or opened it while it runs. */
export interface Choice {
  readonly seq: number;
  readonly row: number;
  readonly bar: number;
}

/** A query that the hub does not take, and why. */
export interface Refusal {
  readonly query: string;
  readonly error: ApiError;
}

export class Board implements Owner, Listener {
  readonly journal = new Journal();
  readonly laneChoice = new LaneChoice();
  readonly picture = new Picture(this.journal, this.laneChoice);
  /** All that match, and the lines that tell them. */
  readonly rows = new RowList();
  readonly lines = new LineList();
  readonly streamChoice = new StreamChoice();
  readonly frame = new Frame();
  readonly timeline = new Timeline();
  readonly alarms = new Alarms();
  readonly history = new History(
    {
      holes: () => this.journal.holes(),
      query: () => this.sieve?.query ?? "",
      nowMs: () => this.nowMs(),
      isLoading: () => this.loadingGap >= 0,
      fill: (hole, from, to, beforeMs) =>
        this.fill(
          { type: "gap", from: hole.from, to: hole.to },
          { type: "gap", from, to },
          beforeMs,
          PAGES_BY_ITSELF,
        ),
      hearOf: (names) => {
        if (this.journal.hearOf(names)) void this.learnParents();
      },
      changed: () => this.changed(),
    },
    { pulse: fetchPulse, events: fetchEvents },
  );
  readonly reach = new Reach(
    {
      holes: () => this.journal.holes(),
      query: () => this.sieve?.query ?? "",
      nowMs: () => this.nowMs(),
      take: (running, ends) => this.takeReaching(running, ends),
    },
    { events: fetchEvents, slowest: fetchSlowest },
  );
  /** What the hub said of the events, where there is a filter. */
  verdict: Verdict | null = null;
  filterVersion = 0;

  link = $state.raw<LinkState>({ kind: "connecting" });
  filter = $state.raw<Filter>(NO_FILTER);
  refusal = $state.raw<Refusal | null>(null);
  /** The hub still looks for older events that match; how much of the log it read, NaN where it need not. */
  isSearching = $state(false);
  searchShare = $state(NaN);
  choice = $state.raw<Choice | null>(null);
  /** Where a pointer stands in time, over whichever view. */
  pointerMs = $state.raw<number | null>(null);
  face = $state.raw<Face>(EMPTY_FACE);
  lanes = $state.raw<readonly LaneFace[]>([]);
  layoutVersion = $state(0);
  /** Events that came while the page was paused. */
  newCount = $state(0);
  missing = $state(0);
  lagBytes = $state(0);
  /** Of the hub; see Beat. */
  fault = $state("");
  hubVersion = $state("");
  /** Of which agents and pods alone this page sees events; null where it sees all. */
  bounds = $state.raw<Bounds | null>(null);
  /** False until the history has arrived: before, an empty page does not mean an empty log. */
  isLoaded = $state(false);
  isEmpty = $state(true);
  loadingGap = $state(-1);
  gapProblem = $state("");
  beats = $state(0);

  /** Whether the visible range moves on by itself. */
  isActive = false;

  private readonly timeMarks = new Set([this.frame.add(() => (this.isActive = this.advance()))]);
  private readonly rowMarks = new Set<() => void>();
  private readonly meter = new Meter();
  private batchMs = -Infinity;
  private betweenMs = 1000;
  private readonly clock = new HubClock();
  private readonly facePace = new Pace(FACE_MS, () => this.refreshFace());
  private pausedTotal = 0;
  private historyUntil = -1;
  /** Of the address: an event that is not chosen yet. */
  pendingRef = $state("");
  /** Of the address: the hub has not said yet how it reads it. */
  unreadQuery = $state("");
  /** Counts what the hub was asked to read: an answer to an earlier question is none any more. */
  private queriesAsked = 0;
  /** Whose verdict holds; and one that has not spoken yet, of a filter just set. */
  private sieve: Sieve | null = null;
  private coming: Sieve | null = null;
  private siftedFilter = NO_FILTER;

  constructor(private readonly makeSieve: (query: string, listener: Listener) => Sieve) {
    this.lines.fold(this.streamChoice.current);
  }

  // -- painting -------------------------------------------------------------------------------

  /** Runs `paint` in the frame after time, data, filter or choice changed. Returns what ends it. */
  paintsTime(paint: () => void): () => void {
    return this.join(this.timeMarks, this.frame.add(paint), paint);
  }

  /** Calls `mark` when time, data, filter or choice changed: for whoever has a pace of its own beside. */
  watchesTime(mark: () => void): () => void {
    return this.join(this.timeMarks, mark);
  }

  /** Calls `mark` when the rows of the stream may have changed; the stream has a pace of its own. */
  watchesRows(mark: () => void): () => void {
    return this.join(this.rowMarks, mark);
  }

  touchTime(): void {
    for (const mark of this.timeMarks) mark();
  }

  touchRows(): void {
    for (const mark of this.rowMarks) mark();
  }

  private join(marks: Set<() => void>, mark: () => void, paint?: () => void): () => void {
    marks.add(mark);
    return () => {
      marks.delete(mark);
      if (paint) this.frame.remove(paint);
    };
  }

  // -- the hub --------------------------------------------------------------------------------

  onState(state: LinkState): void {
    this.link = state;
  }

  address(): string {
    const { epoch, lastSeq } = this.journal;
    return streamPath(epoch && lastSeq >= 0 ? { epoch, since: lastSeq } : null);
  }

  onCorrupt(error: ProtocolError): void {
    console.warn(`laneway: ${error.message}`);
    this.journal.epoch = ""; // the next hello empties the journal
  }

  onMessage(message: Message): void {
    const startedMs = performance.now();
    if (message.type === "hello") this.takeHello(message);
    else if (message.type === "batch") this.takeBatch(message);
    else if (message.type === "gap") this.takeGap(message);
    else if (message.type === "beat") this.takeBeat(message);
    else if (message.type === "alerts") this.alarms.take(message);
    this.frame.owe(performance.now() - startedMs);
  }

  private takeHello(hello: Hello): void {
    const isResumed = this.journal.takeHello(hello);
    this.clock.restart();
    this.clock.hear(hello.now, performance.now());
    this.hubVersion = hello.version;
    this.bounds = hello.bound ?? null;
    this.alarms.isShut = this.bounds !== null;
    if (!isResumed) {
      this.rows.clear();
      this.lines.restart();
      this.timeline.reset();
      this.choice = null;
      this.isLoaded = false;
      this.isEmpty = true;
      this.missing = 0;
      this.history.reset();
      this.reach.reset();
      this.historyUntil = hello.seq;
      this.endSieves();
    }
    if (!this.isLoaded && hello.seq <= 0) this.finishLoading();
    this.forgetNames();
    this.changed();
  }

  /** Rows that are on their way have numbers of names: nothing is forgotten meanwhile. */
  private forgetNames(): void {
    if (this.loadingGap < 0 && this.journal.forgetNames()) this.judgeBy(this.verdict);
  }

  private takeBatch(batch: Batch): void {
    const { treeVersion } = this.journal;
    const firstRow = this.journal.events.end;
    this.journal.takeBatch(batch);
    judgeFrom(this.journal, this.verdict, firstRow);
    this.isEmpty = this.journal.total === 0;
    this.noteFlow(performance.now());
    this.completeChoice();
    if (!this.isLoaded && (this.journal.lastSeq >= this.historyUntil || !batch.history)) this.finishLoading();
    if (this.timeline.isFollowing || this.reachesView(batch, treeVersion)) this.touchTime();
    this.touchRows();
    this.refreshFaceSoon();
  }

  private noteFlow(nowMs: number): void {
    const sinceMs = Math.min(1000, nowMs - this.batchMs);
    this.betweenMs += FLOW_WEIGHT * (sinceMs - this.betweenMs);
    this.batchMs = nowMs;
  }

  /** Whether there is news in nearly every frame: to leave out the others would be seen as a stutter. */
  get isFlowing(): boolean {
    return this.betweenMs < FLOW_MS && performance.now() - this.batchMs < 2 * FLOW_MS;
  }

  /** Whether a page that stands still has something new to draw: a lane, or work that reaches into its range. */
  private reachesView(batch: Batch, treeVersion: number): boolean {
    const { fromMs, toMs } = this.timeline.view;
    if (treeVersion !== this.journal.treeVersion) return true;
    return batch.dt.some((dt, i) => {
      const atMs = batch.t0 + dt;
      return atMs >= fromMs && atMs - Math.max(0, batch.dur[i] as number) <= toMs;
    });
  }

  private takeGap(gap: Gap): void {
    const firstRow = this.journal.events.end;
    this.journal.takeGap(gap);
    judgeFrom(this.journal, this.verdict, firstRow);
    if (this.isLoaded) this.missing += gap.to - gap.from;
    this.changed();
  }

  private takeBeat(beat: Beat): void {
    this.clock.hear(beat.now, performance.now());
    this.lagBytes = beat.lag_bytes ?? 0;
    this.fault = beat.fault ?? "";
    this.beats++;
    this.refreshFaceSoon();
  }

  /** The hub's clock: events are told by it, whatever this machine's says. */
  nowMs(): number {
    const hubMs = this.clock.at(performance.now());
    return Number.isNaN(hubMs) ? Date.now() : hubMs;
  }

  private finishLoading(): void {
    const { total } = this.journal;
    this.isLoaded = true;
    this.meter.skip(total, performance.now());
    this.pausedTotal = total; // what was there before is not new
    if (total > 0 && this.timeline.isFollowing && !this.hasAskedRange)
      this.timeline.showLast(this.firstSpanMs());
    if (this.pendingRef) void this.chooseRef(this.pendingRef);
    if (this.unreadQuery) void this.readQuery(this.unreadQuery);
    else this.sift();
  }

  private firstSpanMs(): number {
    const { lastMs, events } = this.journal;
    const early = events.slot(Math.max(events.first, events.end - FIRST_EVENTS));
    const untilMs = Math.min(lastMs, this.nowMs()); // a clock may be ahead
    const calmMs = events.length > FIRST_EVENTS ? untilMs - (events.tsMs[early] as number) : Infinity;
    const wholeMs = FIRST_SPANS_MS.find((span) => span >= untilMs - this.runStartMs(untilMs)) ?? Infinity;
    const fitting = FIRST_SPANS_MS.filter((span) => span <= Math.min(wholeMs, calmMs));
    return fitting.at(-1) ?? (FIRST_SPANS_MS[0] as number);
  }

  /** When the newest stretch of activity up to a moment began: what was before a long silence is another story. */
  private runStartMs(untilMs: number): number {
    const { events } = this.journal;
    let startMs = Infinity;
    for (let row = events.end - 1; row >= events.first; row--) {
      const atMs = events.tsMs[events.slot(row)] as number;
      if (atMs > untilMs) continue;
      if (startMs !== Infinity && startMs - atMs > SILENCE_MS) break;
      startMs = Math.min(startMs, atMs);
    }
    return Math.min(startMs, untilMs);
  }

  /** The address named a range: the first look at the history does not change it. */
  hasAskedRange = false;

  // -- time -----------------------------------------------------------------------------------

  /** Brings the range up to the present; returns whether it will move on by itself. */
  advance(): boolean {
    const { journal } = this;
    if (this.link.kind !== "live" || !this.isLoaded) return false; // what goes on now is not known
    return this.timeline.advance(this.nowMs(), journal.lastMs, journal.openWork);
  }

  follow(): void {
    this.newCount = 0;
    this.missing = 0;
    this.timeline.follow();
    this.viewChanged();
  }

  pause(): void {
    if (!this.timeline.isFollowing) return;
    this.timeline.pause();
    this.pausedTotal = this.journal.total;
    this.viewChanged();
  }

  /** Runs a change of the timeline, with what pausing brings along. */
  move(change: (timeline: Timeline) => void): void {
    const wasFollowing = this.timeline.isFollowing;
    change(this.timeline);
    if (wasFollowing && !this.timeline.isFollowing) this.pausedTotal = this.journal.total;
    if (this.timeline.isFollowing) this.newCount = 0;
    this.viewChanged();
  }

  /** Agents of the past stand under those that spawned them, too. */
  private async learnParents(): Promise<void> {
    try {
      this.journal.adopt(await fetchParents());
      this.changed();
    } catch {
      // their lanes stand at the margin until they are heard of again
    }
  }

  /** From the first event that the filter finds, of the whole log, until now. */
  async showLog(): Promise<void> {
    this.showAll();
    if (!this.hasOlder) return;
    const query = queryOf(this.filter);
    try {
      const { events } = await fetchEvents({ order: "oldest", limit: "1", ...(query ? { q: query } : {}) });
      const firstMs = events[0] ? parseTimeMs(events[0].timestamp) : NaN;
      const untilMs = Math.max(this.journal.lastMs, this.nowMs());
      if (firstMs < untilMs) this.move((timeline) => timeline.showAround(firstMs, untilMs));
    } catch {
      // what is in memory stays in view
    }
  }

  /** Everything in memory. */
  showAll(): void {
    const { firstMs, lastMs, total } = this.journal;
    if (total === 0) return;
    this.move((timeline) => timeline.showAround(firstMs, Math.max(lastMs, timeline.edgeMs)));
  }

  /** What is chosen, or else all that matches the filter. */
  fit(): void {
    const { events, spans } = this.journal;
    if (this.choice && spans.has(this.choice.bar)) {
      const i = spans.slot(this.choice.bar);
      const endMs = Math.min(spans.endMs[i] as number, this.timeline.edgeMs);
      const startMs = spans.startMs[i] as number;
      this.move((timeline) => timeline.showAround(startMs, Math.max(endMs, startMs + 1)));
      return;
    }
    this.rows.refresh(events);
    let fromMs = Infinity;
    let toMs = -Infinity;
    for (let n = 0; n < this.rows.length; n++) {
      const i = events.slot(this.rows.row(n));
      if (events.drawn[i] === AS_GAP) continue;
      fromMs = Math.min(fromMs, events.tsMs[i] as number);
      toMs = Math.max(toMs, events.tsMs[i] as number);
    }
    if (toMs >= fromMs) this.move((timeline) => timeline.showAround(fromMs, toMs));
  }

  private viewChanged(): void {
    this.touchTime();
    this.touchRows();
  }

  // -- filter ---------------------------------------------------------------------------------

  /** What was shown stays until the hub has answered. */
  setFilter(filter: Filter): void {
    const isSame = queryOf(filter) === queryOf(this.filter);
    this.filter = filter;
    this.refusal = null;
    if (!isSame) this.sift();
  }

  toggleValue(field: string, value: string, negated = false): void {
    this.setFilter(toggleValue(this.filter, field, value, negated));
  }

  /** The query of the address: nothing is shown before the hub has read it. */
  askQuery(query: string): void {
    this.unreadQuery = query;
    if (query) this.setFilter({ terms: [{ text: query, field: "", values: [], negated: false }] });
  }

  refuse(query: string, error: ApiError): void {
    this.refusal = { query, error };
  }

  /** Any query of the language, now; what the hub does not take is refused and changes nothing. */
  async setQuery(query: string): Promise<void> {
    const turn = ++this.queriesAsked;
    try {
      const filter = query.trim() ? { terms: await fetchTerms(query) } : NO_FILTER;
      if (turn === this.queriesAsked) this.setFilter(filter);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn === this.queriesAsked) this.refuse(query, error);
    }
  }

  private async readQuery(query: string): Promise<void> {
    try {
      this.filter = { terms: await fetchTerms(query) };
      this.sift();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 400) this.setFilter(NO_FILTER);
      else this.sift();
      this.refuse(query, error);
    } finally {
      this.unreadQuery = "";
    }
  }

  /** Has the hub look for what the filter asks. */
  private sift(): void {
    this.coming?.stop();
    this.coming = null;
    const query = queryOf(this.filter);
    if (!query) this.endSieves();
    else if (!this.isLoaded) this.judgeBy(new Verdict());
    else if (this.sieve?.query !== query) {
      this.coming = this.makeSieve(query, this);
      this.coming.start();
    }
    this.noteSearch();
  }

  private endSieves(): void {
    this.coming?.stop();
    this.sieve?.stop();
    this.coming = this.sieve = null;
    this.judgeBy(queryOf(this.filter) ? new Verdict() : null);
  }

  firstSeq(): number {
    const { events } = this.journal;
    if (events.length === 0) return 1;
    const i = events.slot(events.first);
    const gap = events.drawn[i] === AS_GAP ? (events.durMs[i] as number) : 0;
    return (events.seq[i] as number) + gap;
  }

  onPast(sieve: Sieve): void {
    if (sieve === this.coming) {
      this.sieve?.stop();
      this.sieve = sieve;
      this.coming = null;
      this.siftedFilter = this.filter;
    }
    if (sieve === this.sieve) this.judgeBy(sieve.verdict);
    this.noteSearch();
  }

  onMore(sieve: Sieve): void {
    if (sieve !== this.sieve || !judgeMore(this.journal, sieve.verdict)) return;
    this.touchTime();
    this.touchRows();
  }

  onRefused(sieve: Sieve, error: ApiError): void {
    if (sieve !== this.coming) return;
    this.coming = null;
    this.filter = this.sieve ? this.siftedFilter : NO_FILTER;
    if (!this.sieve) this.endSieves();
    this.refuse(sieve.query, error);
    this.noteSearch();
  }

  private judgeBy(verdict: Verdict | null): void {
    this.verdict = verdict;
    this.filterVersion++;
    judgeAll(this.journal, verdict);
    this.rows.clear();
    this.lines.restart();
    this.changed();
  }

  private noteSearch(): void {
    const sieve = this.coming ?? this.sieve;
    this.isSearching = sieve?.isSearching ?? false;
    this.searchShare = sieve?.share ?? NaN;
  }

  /** Changes how the lanes are arranged. */
  arrange(change: (choice: LaneChoice) => void): void {
    change(this.laneChoice);
    this.touchTime();
    this.refreshFaceSoon();
  }

  // -- choice ---------------------------------------------------------------------------------

  /** A line that tells a start and its end is chosen by the end, which has the outcome. */
  chooseRow(row: number): void {
    const { events } = this.journal;
    if (!events.has(row)) return;
    const end = this.lines.endTold(this.journal, row);
    this.choose(events.seq[events.slot(end < 0 ? row : end)] as number, row);
  }

  chooseBar(bar: number): void {
    const { spans } = this.journal;
    const i = spans.slot(bar);
    const closeSeq = spans.closeSeq[i] as number;
    const seq = closeSeq >= 0 ? closeSeq : (spans.openSeq[i] as number);
    this.choice = { seq, row: this.journal.events.rowOfSeq(seq), bar };
    this.viewChanged();
  }

  /** `shown` is the row to bring into view, where that is another one. */
  choose(seq: number, shown = -1): void {
    const { events, spans } = this.journal;
    const row = events.rowOfSeq(seq);
    const bar = row < 0 ? -1 : (events.bar[events.slot(row)] as number);
    this.choice = { seq, row, bar: spans.has(bar) ? bar : -1 };
    if (row >= 0) this.revealRow(shown < 0 ? row : shown);
    this.viewChanged();
  }

  /** What caused the newest error of an agent between two moments, if that is in memory. */
  chooseError(agent: number, fromMs?: number, toMs?: number): void {
    const { events } = this.journal;
    const row = newestError(events, agent, fromMs, toMs);
    if (row >= 0) this.choose(events.seq[events.slot(causeOf(events, row))] as number);
  }

  /** Work that was chosen while it ran is chosen by its end as soon as that is known, where both are one line. */
  private completeChoice(): void {
    const { choice } = this;
    const { spans, events } = this.journal;
    if (!choice || !spans.has(choice.bar) || !this.streamChoice.current.pairs) return;
    const i = spans.slot(choice.bar);
    const closeSeq = spans.closeSeq[i] as number;
    if (closeSeq < 0 || choice.seq !== spans.openSeq[i]) return;
    const row = events.rowOfSeq(closeSeq);
    if (row >= 0) this.choice = { seq: closeSeq, row, bar: choice.bar };
  }

  /** An id or @SEQ from the address; waits for the history if it must. */
  async chooseRef(ref: string): Promise<void> {
    this.pendingRef = ref;
    if (!this.isLoaded) return;
    try {
      if (ref.startsWith("@")) return this.choose(Number(ref.slice(1)));
      const event = await fetchEvent(ref);
      const atMs = parseTimeMs(event.timestamp);
      if (!this.hasAskedRange) this.move((timeline) => timeline.showAround(atMs - LINK_MS, atMs + LINK_MS));
      this.choose(event.seq);
    } catch {
      // the address names an event that is gone: nothing is chosen, the rest of it holds
    } finally {
      this.pendingRef = "";
    }
  }

  /** Goes to the next or previous line of the stream; from nowhere to the newest, or to the first or last of a
      range that stands still. */
  step(by: 1 | -1): void {
    const { lines, journal } = this;
    const { events } = journal;
    lines.refresh(journal);
    const known =
      this.choice && this.choice.row >= 0 ? lines.lineOf(journal, this.choice.row) : this.nowhere(by);
    for (let index = known + by; index >= 0 && index < lines.length; index += by) {
      const row = lines.row(index);
      if (events.drawn[events.slot(row)] === AS_GAP) continue;
      this.pause();
      this.chooseRow(row);
      return;
    }
  }

  /** The index that a step of `by` leaves where nothing is chosen. */
  private nowhere(by: 1 | -1): number {
    const { lines, journal, timeline } = this;
    if (timeline.isFollowing) return lines.length - 1 - by;
    return lines.linesUntil(journal, by > 0 ? timeline.view.fromMs : timeline.view.toMs) - (by > 0 ? 1 : 0);
  }

  /** Shows the repeats that the chosen line stands for each by itself, or as one again. */
  toggleRepeats(row = this.chosenLine()): void {
    if (row < 0 || this.lines.timesOf(row) < 2) return;
    this.lines.toggle(row);
    this.touchRows();
  }

  /** The row of the line that tells the choice, or -1. */
  chosenLine(): number {
    const row = this.choice?.row ?? -1;
    return row < 0 ? -1 : this.lines.row(this.lines.lineOf(this.journal, row));
  }

  fold(change: (choice: StreamChoice) => void): void {
    change(this.streamChoice);
    this.lines.fold(this.streamChoice.current);
    this.touchRows();
  }

  unchoose(): void {
    this.choice = null;
    this.viewChanged();
  }

  private revealRow(row: number): void {
    if (this.timeline.isFollowing) return;
    this.timeline.reveal(this.journal.events.tsMs[this.journal.events.slot(row)] as number);
  }

  // -- gaps -----------------------------------------------------------------------------------

  /** Fetches what a gap row stands for, and rebuilds the tables around it. */
  async loadGap(row: number): Promise<void> {
    const { events } = this.journal;
    const i = events.slot(row);
    if (!events.has(row) || events.drawn[i] !== AS_GAP) return;
    const from = events.seq[i] as number;
    const gap: Gap = { type: "gap", from, to: from + (events.durMs[i] as number) };
    const after = events.has(row + 1) ? (events.tsMs[events.slot(row + 1)] as number) : this.nowMs();
    await this.fill(gap, gap, after);
  }

  /** Fetches a part of a gap, which lies before a moment. Returns whether it came. */
  private async fill(whole: Gap, gap: Gap, beforeMs: number, pages?: number): Promise<boolean> {
    if (this.loadingGap >= 0) return false;
    this.loadingGap = whole.from;
    this.gapProblem = "";
    try {
      const count = this.bounds ? await this.countVisible(gap) : gap.to - gap.from;
      const { rows, remaining } = await fetchGap(gap, count, beforeMs, this.journal, fetchEvents, pages);
      const known = this.journal.total;
      const beside: Gap[] = [
        { type: "gap", from: whole.from, to: gap.from },
        { type: "gap", from: gap.to, to: whole.to },
      ];
      const rest = [...beside, ...remaining].filter(({ from, to }) => from < to);
      this.journal.merge(rows, [...this.otherGaps(whole.from), ...rest]);
      this.pausedTotal += this.journal.total - known; // they are not new, and tell of no speed
      this.meter.skip(this.journal.total, performance.now());
      this.missing = Math.max(0, this.missing - (this.bounds ? gap.to - gap.from : rows.length));
      if (this.choice) this.choose(this.choice.seq);
      this.judgeBy(this.verdict);
      for (const sieve of [this.sieve, this.coming]) sieve?.cover(gap.from, gap.to);
      this.noteSearch();
      return true;
    } catch (error) {
      this.gapProblem = toldOf(error);
      return false;
    } finally {
      this.loadingGap = -1;
      this.forgetNames();
      this.touchRows();
    }
  }

  /** Work that the hub knows of, and that reaches into what is in view. */
  private takeReaching(running: readonly StoredEvent[], ends: readonly StoredEvent[]): void {
    const { journal } = this;
    const told = [...running, ...ends];
    const rows = told.map((event) => toRow(event, journal));
    const known = journal.total;
    if (!journal.reach(rows, new Set(running.map(({ seq }) => seq)))) return;
    if (journal.hearOf(told.map(({ agent }) => agent))) void this.learnParents();
    this.meter.skip(known, performance.now());
    if (this.choice) this.choose(this.choice.seq);
    this.judgeBy(this.verdict);
  }

  /** Who sees a part of the events only: how many of a gap there are to be fetched, or more than will be. */
  private async countVisible({ from, to }: Gap): Promise<number> {
    const page = await fetchSeqs("", { from, to, cursor: "" });
    return page.next === null ? page.seqs.length : Infinity;
  }

  /** Fills the newest gap since the page was opened. */
  async loadMissing(): Promise<void> {
    const { events } = this.journal;
    for (let row = events.end - 1; row > events.first; row--) {
      if (events.drawn[events.slot(row)] === AS_GAP) return this.loadGap(row);
    }
    this.missing = 0; // it left memory meanwhile
  }

  /** Whether the log holds events from before those in memory, and the page can fetch them. */
  get hasOlder(): boolean {
    const { events } = this.journal;
    return events.length > 0 && events.drawn[events.slot(events.first)] === AS_GAP;
  }

  loadOlder(): Promise<void> {
    return this.loadGap(this.journal.events.first);
  }

  private otherGaps(loadedFrom: number): Gap[] {
    return this.journal
      .gaps()
      .filter(({ from }) => from !== loadedFrom)
      .map(({ from, to }) => ({ type: "gap", from, to }));
  }

  // -- what is shown as text ------------------------------------------------------------------

  private changed(): void {
    this.touchTime();
    this.touchRows();
    this.refreshFaceSoon();
  }

  private refreshFaceSoon(): void {
    this.facePace.ask();
  }

  refreshFace(): void {
    const { journal } = this;
    if (!this.isLoaded) this.meter.skip(journal.total, performance.now());
    const perSecond = this.meter.read(journal.total, performance.now());
    const working = journal.lanes.reduce((sum, lane) => sum + (lane.open > 0 ? 1 : 0), 0);
    const heard = heardMs(journal);
    const nowMs = this.nowMs();
    this.lanes = this.picture.branches.map(({ agent }) => laneFace(journal, agent, nowMs, heard[agent] ?? 0));
    this.face = {
      agents: journal.present().size,
      working,
      events: journal.total,
      errors: journal.errors,
      open: journal.openWork,
      perSecond,
    };
    if (!this.timeline.isFollowing) this.newCount = Math.max(0, journal.total - this.pausedTotal);
    if (perSecond > 0) this.refreshFaceSoon(); // until the rate has come to rest
  }

  /** The range in words of the address: its length while following, else its two ends. */
  range(): { lastMs: number; sinceMs: number; untilMs: number } {
    if (this.timeline.isFollowing) return { lastMs: this.timeline.lengthMs, sinceMs: NaN, untilMs: NaN };
    const { told } = this.timeline;
    return { lastMs: NaN, sinceMs: told.fromMs, untilMs: told.toMs };
  }

  /** What `range` will say in a moment: words follow at a pace of their own. */
  rangeNow(): { lastMs: number; sinceMs: number; untilMs: number } {
    const { isFollowing, view } = this.timeline;
    if (isFollowing) return { lastMs: spanMs(view), sinceMs: NaN, untilMs: NaN };
    return { lastMs: NaN, sinceMs: view.fromMs, untilMs: view.toMs };
  }

  get view(): Viewport {
    return this.timeline.view;
  }
}
