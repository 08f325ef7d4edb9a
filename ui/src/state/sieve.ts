// Asks the hub which events one query finds: of those in memory, and of those that come.

import { ApiError, type SeqPage } from "../api/client";
import { type Owner, seqsPath, Stream, type Surroundings } from "../api/stream";
import type { Message } from "../model/protocol";
import { Verdict } from "../model/verdict";

const RETRY_MS = 1000;

export interface Listener {
  /** The seq of the oldest event in memory. */
  firstSeq(): number;
  /** More is known of what was there before: rows may change their verdict. */
  onPast(sieve: Sieve): void;
  /** The verdict reaches further, over rows that waited for it. */
  onMore(sieve: Sieve): void;
  /** The hub refuses the query; the sieve has stopped. */
  onRefused(sieve: Sieve, error: ApiError): void;
}

export type Ask = (query: string, range: Range, signal: AbortSignal) => Promise<SeqPage>;

interface Range {
  readonly from: number;
  readonly to: number;
  readonly cursor: string;
}

export class Sieve implements Owner {
  verdict = new Verdict();
  /** What is still to be asked of the past; the first is being asked. */
  private due: Range[] = [];
  private isAsking = false;
  private epoch = "";
  /** Seqs below were told of, or are due. */
  private heard = 0;
  /** How much of the log was read for the answer that is under way: 0 to 1, NaN where it needs none. */
  share = NaN;
  private readonly stream: Stream;
  private readonly ending = new AbortController();

  constructor(
    readonly query: string,
    private readonly listener: Listener,
    private readonly around: Surroundings,
    private readonly ask: Ask,
  ) {
    this.stream = new Stream(this, around);
  }

  start(): void {
    this.stream.start();
    void this.check();
  }

  /** A socket that is refused does not tell why. */
  private async check(): Promise<void> {
    try {
      await this.ask(this.query, { from: 0, to: 0, cursor: "" }, this.ending.signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 400) this.fail(error);
    }
  }

  stop(): void {
    this.ending.abort();
    this.stream.stop();
  }

  /** Whether part of the past is not known yet. */
  get isSearching(): boolean {
    return this.heard === 0 || this.due.length > 0;
  }

  private get isOver(): boolean {
    return this.ending.signal.aborted;
  }

  /** Events from before that came into memory: after the first hello, which asks for all that is there. */
  cover(from: number, to: number): void {
    if (from >= to || this.heard === 0) return;
    this.due.push({ from, to, cursor: "" });
    void this.work();
  }

  address(): string {
    return seqsPath(this.query);
  }

  onState(): void {
    // the page's own link tells of the hub; this one comes back by itself
  }

  onCorrupt(): void {
    this.epoch = ""; // the next hello begins anew
  }

  onMessage(message: Message): void {
    if (message.type === "hello") this.takeHello(message.epoch, message.seq + 1);
    else if (message.type === "hits") {
      this.verdict.add(message.seqs);
      this.hear(message.to);
    } else if (message.type === "gap") {
      this.cover(Math.max(message.from, this.heard), message.to);
      this.hear(message.to);
    }
  }

  /** All that came since the last word, or ever, is due. */
  private takeHello(epoch: string, next: number): void {
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.verdict = new Verdict();
      this.due = [];
      this.heard = Math.min(this.listener.firstSeq(), next);
    }
    const from = this.heard;
    this.heard = Math.max(next, from);
    this.due.push({ from, to: next, cursor: "" }); // an empty one, too: its answer is the first word
    void this.work();
  }

  private hear(to: number): void {
    this.heard = Math.max(this.heard, to);
    if (this.verdict.until === 0) return; // the first word is that of the past
    this.verdict.until = this.heard;
    this.listener.onMore(this);
  }

  private async work(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      for (let range = this.due[0]; range && !this.isOver; range = this.due[0])
        this.take(range, await this.fetch(range));
    } catch (error) {
      this.fail(error);
    } finally {
      this.isAsking = false;
    }
  }

  private fetch(range: Range): Promise<SeqPage> {
    if (range.from >= range.to) return Promise.resolve({ seqs: [], next: null });
    return this.ask(this.query, range, this.ending.signal);
  }

  private take(range: Range, page: SeqPage): void {
    if (this.due[0] !== range || this.isOver) return; // another epoch began meanwhile
    this.verdict.add(page.seqs);
    if (page.next) this.due[0] = { ...range, cursor: page.next };
    else this.due.shift();
    this.share = page.scan && page.next ? page.scan.passed_bytes / Math.max(1, page.scan.total_bytes) : NaN;
    this.verdict.until = this.heard;
    this.listener.onPast(this);
  }

  private fail(error: unknown): void {
    if (this.isOver) return;
    if (error instanceof ApiError && error.status === 400) {
      this.stop();
      this.listener.onRefused(this, error);
      return;
    }
    this.around.after(RETRY_MS, () => {
      if (!this.isOver) void this.work();
    });
  }
}
