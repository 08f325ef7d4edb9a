// The rows that match, by arrival. Grows with the table, and lets go of rows that left it.

import type { EventTable } from "./event_table";
import { RowQueue } from "./row_queue";

export class RowList extends RowQueue {
  private readRow = 0;

  override clear(): void {
    super.clear();
    this.readRow = 0;
  }

  /** Takes up rows that arrived since the last call. */
  refresh(events: EventTable): void {
    for (let row = Math.max(this.readRow, events.first); row < events.shownEnd; row++) {
      if (events.match[events.slot(row)] === 1) this.push(row);
    }
    this.readRow = events.shownEnd;
    this.dropBefore(events.first);
  }
}
