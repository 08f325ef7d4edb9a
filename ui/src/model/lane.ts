// What is known of one agent, whatever of it is still in memory. Counts are totals since the page
// was opened.

import { Packer } from "./packing";

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
  readonly packer = new Packer();

  constructor(readonly agent: number) {}

  get state(): LaneState {
    if (this.waiting > 0) return "waiting";
    if (this.open > 0) return "working";
    return this.failed ? "failed" : "idle";
  }
}
