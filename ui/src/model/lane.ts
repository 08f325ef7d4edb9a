// What is known of one agent, whatever of it is still in memory. Counts are totals since the page
// was opened.

import type { EventRow } from "./event_table";
import { Packer } from "./packing";

/** Work that stays open this long without a word was most likely abandoned. */
export const ABANDONED_AFTER_MS = 15 * 60_000;

export type LaneState = "working" | "waiting" | "failed" | "idle";

export class Lane {
  events = 0;
  errors = 0;
  /** In and out, as they were reported. */
  tokens = 0;
  /** Events that are no part of a bar. */
  instants = 0;
  /** Spans that are open now, sessions aside. */
  open = 0;
  /** Of these, questions to a person. */
  waiting = 0;
  /** Sessions that were ever seen. */
  sessions = 0;
  lastMs = 0;
  /** The last thing that happened was an error. */
  failed = false;
  /** The last thing that happened was a question to a person, told as a moment and not as work. */
  asked = false;
  /** When the first thing happened that is told, and whether it names no work that it belongs to. */
  bornMs = NaN;
  isBornBare = false;
  readonly packer = new Packer();

  constructor(readonly agent: number) {}

  /** The last thing that happened; older news that come late change nothing. */
  note(row: EventRow, isError: boolean, isQuestion: boolean): void {
    if (row.tsMs < this.lastMs) return;
    this.lastMs = row.tsMs;
    this.failed = isError;
    this.asked = isQuestion;
  }

  get state(): LaneState {
    return this.stateAt(this.lastMs, this.lastMs);
  }

  /** `heardMs`: when the agent, or one below it, was last heard of. Work that is open in long silence was left. */
  stateAt(nowMs: number, heardMs: number): LaneState {
    const isLeft = nowMs - heardMs > ABANDONED_AFTER_MS;
    if (this.waiting > 0 || this.asked) return "waiting"; // a person may take the night
    if (this.open > 0 && !isLeft) return "working";
    return this.failed ? "failed" : "idle";
  }
}
