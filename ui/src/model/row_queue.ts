// Row numbers in order: new ones at the end, the oldest leave at the front.

export class RowQueue {
  private rows = new Float64Array(1024);
  private start = 0;
  private stop = 0;
  /** How many rows ever left at the front: adds to an index for a number that stays. */
  dropped = 0;
  /** How often it began anew. */
  era = 0;

  get length(): number {
    return this.stop - this.start;
  }

  row(index: number): number {
    return index < 0 ? -1 : (this.rows[this.start + index] ?? -1);
  }

  clear(): void {
    this.start = this.stop = this.dropped = 0;
    this.era++;
  }

  push(row: number): void {
    if (this.stop === this.rows.length) this.makeRoom();
    this.rows[this.stop++] = row;
  }

  dropBefore(row: number): void {
    while (this.start < this.stop && (this.rows[this.start] as number) < row) {
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

  private makeRoom(): void {
    const isHalfEmpty = this.start > this.rows.length / 2;
    const target = isHalfEmpty ? this.rows : new Float64Array(this.rows.length * 2);
    target.set(this.rows.subarray(this.start, this.stop));
    this.stop -= this.start;
    this.start = 0;
    this.rows = target;
  }
}
