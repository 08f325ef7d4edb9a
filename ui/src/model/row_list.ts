// The rows that match, by arrival. Grows with the table, and lets go of rows that left it.

import { AS_GAP, type EventTable } from "./event_table";
import { RowQueue } from "./row_queue";

export class RowList extends RowQueue {
  private readRow = 0;
  /** Rows that stand for events that are not here; few. */
  private gaps: number[] = [];

  /** How many events match: gaps, which are in every list, are none. */
  get events(): number {
    return this.length - this.gaps.length;
  }

  override clear(): void {
    super.clear();
    this.readRow = 0;
    this.gaps = [];
  }

  /** Takes up rows that arrived since the last call. */
  refresh(events: EventTable): void {
    for (let row = Math.max(this.readRow, events.first); row < events.shownEnd; row++) {
      const i = events.slot(row);
      if (events.match[i] !== 1) continue;
      this.push(row);
      if (events.drawn[i] === AS_GAP) this.gaps.push(row);
    }
    this.readRow = events.shownEnd;
    this.dropBefore(events.first);
    while (this.gaps.length > 0 && (this.gaps[0] as number) < events.first) this.gaps.shift();
  }
}
