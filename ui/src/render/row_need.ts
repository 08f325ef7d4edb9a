// How many sub-rows each lane needs for what is in view. Grows at once, shrinks after a while: lanes
// should not jump while one looks at them, nor keep room for work of an hour ago.

const SHRINK_AFTER_MS = 2_500;

export class RowNeed {
  /** By agent: the sub-rows to lay out. */
  readonly rows: number[] = [];
  private readonly now: number[] = [];
  private readonly fullMs: number[] = [];

  /** Before the bars in view are walked. */
  begin(): void {
    this.now.fill(0);
  }

  note(agent: number, depth: number): void {
    if (depth >= (this.now[agent] ?? 0)) this.now[agent] = depth + 1;
  }

  /** After the walk; returns whether some lane has to change its height. */
  settle(nowMs: number): boolean {
    let isChanged = false;
    for (let agent = 0; agent < this.now.length; agent++) {
      const wanted = this.now[agent] ?? 0;
      const had = this.rows[agent] ?? 0;
      if (wanted >= had) this.fullMs[agent] = nowMs;
      const isLong = nowMs - (this.fullMs[agent] ?? 0) > SHRINK_AFTER_MS;
      if (wanted <= had && (wanted === had || !isLong)) continue;
      this.rows[agent] = wanted;
      isChanged = true;
    }
    return isChanged;
  }

  clear(): void {
    this.rows.length = this.now.length = this.fullMs.length = 0;
  }
}
