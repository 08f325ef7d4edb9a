// A set of seqs as bits: those of one page lie close together.

const PART = 1 << 12;
const WORD = 32;

export class SeqSet {
  private readonly parts = new Map<number, Uint32Array>();
  private firstPart = 0;

  add(seq: number): void {
    const key = Math.floor(seq / PART);
    let part = this.parts.get(key);
    if (!part) this.parts.set(key, (part = new Uint32Array(PART / WORD)));
    const bit = seq % PART;
    const word = Math.floor(bit / WORD);
    part[word] = (part[word] as number) | (1 << (bit % WORD));
  }

  /** How many seqs it has room for. */
  get size(): number {
    return this.parts.size * PART;
  }

  /** Lets go of what is far enough below `seq`. */
  forgetBefore(seq: number): void {
    const first = Math.floor(seq / PART);
    if (first <= this.firstPart) return;
    this.firstPart = first;
    for (const key of this.parts.keys()) if (key < first) this.parts.delete(key);
  }

  has(seq: number): boolean {
    const part = this.parts.get(Math.floor(seq / PART));
    if (!part) return false;
    const bit = seq % PART;
    return (((part[Math.floor(bit / WORD)] as number) >>> (bit % WORD)) & 1) === 1;
  }
}
