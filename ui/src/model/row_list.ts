// The rows that the stream shows: those that match, by arrival. Grows with the table, and lets go
// of rows that left it.

import type { EventTable } from "./event_table";

export class RowList {
  private rows = new Float64Array(1024);
  private start = 0;
  private stop = 0;
  private readRow = 0;

  get length(): number {
    return this.stop - this.start;
  }

  row(index: number): number {
    return this.rows[this.start + index] ?? -1;
  }

  /** How many rows ever left at the front: adds to an index for a number that stays. */
  dropped = 0;

  clear(): void {
    this.start = this.stop = this.readRow = this.dropped = 0;
  }

  /** Takes up rows that arrived since the last call. */
  refresh(events: EventTable): void {
    for (let row = Math.max(this.readRow, events.first); row < events.shownEnd; row++) {
      if (events.match[events.slot(row)] === 1) this.push(row);
    }
    this.readRow = events.shownEnd;
    while (this.start < this.stop && (this.rows[this.start] as number) < events.first) {
      this.start++;
      this.dropped++;
    }
  }

  /** The index of the first row at or after `row`. */
  indexOf(row: number): number {
    let low = this.start;
    let high = this.stop;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.rows[middle] as number) < row) low = middle + 1;
      else high = middle;
    }
    return low - this.start;
  }

  private push(row: number): void {
    if (this.stop === this.rows.length) this.makeRoom();
    this.rows[this.stop++] = row;
  }

  private makeRoom(): void {
    const isHalfEmpty = this.start > this.rows.length / 2;
    const target = isHalfEmpty ? this.rows : new Float64Array(this.rows.length * 2);
    target.set(this.rows.subarray(this.start, this.stop));
    this.stop -= this.start;
    this.start = 0;
    this.rows = target;
  }
}
