// Seeded random numbers for property tests: a failure can be run again.

export class Random {
  constructor(private state: number) {}

  /** [0, 1), mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  whole(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(from.length)] as T;
  }

  chance(ratio: number): boolean {
    return this.next() < ratio;
  }
}
