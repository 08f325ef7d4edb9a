// The events in memory: columns in a ring. Rows are numbered by arrival and keep their number while
// they are in memory, `first` to `end`; the oldest leave when the ring is full.

/** About 90 bytes of columns and text an event: 90 MB, and 200 s at 5,000 events a second. */
export const MAX_EVENTS = 1 << 20;
const FIRST_CAPACITY = 1 << 13;
/** Rows that share one time range: small enough to skip much, large enough that the scan of ranges is free. */
const BLOCK = 512;
const LONG_RUN = 1 << 14;

/** How a row is drawn. */
export const AS_INSTANT = 1;
export const AS_BAR = 2;
/** Not an event: a place where `durMs` events from `seq` on were not sent. */
export const AS_GAP = 4;

/** One event on its way in; writers reuse the object. Indexes are the journal's, -1 for none. */
export interface EventRow {
  seq: number;
  tsMs: number;
  agent: number;
  kind: number;
  session: number;
  label: number;
  sev: number;
  durMs: number;
  flag: number;
  tokens: number;
  span: string;
  parent: string;
  text: string;
}

export function emptyRow(): EventRow {
  return {
    seq: 0,
    tsMs: 0,
    agent: 0,
    kind: 0,
    session: -1,
    label: -1,
    sev: 1,
    durMs: -1,
    flag: 0,
    tokens: 0,
    span: "",
    parent: "",
    text: "",
  };
}

export class EventTable {
  first = 0;
  end = 0;
  /** Rows from here on wait for the verdict of the filter; without one, none does. */
  judged = Infinity;

  private capacity = FIRST_CAPACITY;
  private mask = FIRST_CAPACITY - 1;
  seq = new Float64Array(FIRST_CAPACITY);
  tsMs = new Float64Array(FIRST_CAPACITY);
  durMs = new Float32Array(FIRST_CAPACITY);
  agent = new Int32Array(FIRST_CAPACITY);
  kind = new Int32Array(FIRST_CAPACITY);
  session = new Int32Array(FIRST_CAPACITY);
  label = new Int32Array(FIRST_CAPACITY);
  sev = new Uint8Array(FIRST_CAPACITY);
  flag = new Uint8Array(FIRST_CAPACITY);
  /** In and out, as they were reported. */
  tokens = new Uint32Array(FIRST_CAPACITY);
  drawn = new Uint8Array(FIRST_CAPACITY);
  /** 1 where the current filter lets the event through. */
  match = new Uint8Array(FIRST_CAPACITY);
  /** Number of the bar that the event opens or closes, or -1. */
  bar = new Float64Array(FIRST_CAPACITY);
  span: string[] = [];
  parent: string[] = [];
  text: string[] = [];
  private blockMinMs = new Float64Array(FIRST_CAPACITY / BLOCK);
  private blockMaxMs = new Float64Array(FIRST_CAPACITY / BLOCK);

  constructor(private readonly maxEvents = MAX_EVENTS) {}

  get length(): number {
    return this.end - this.first;
  }

  /** The end of the rows of which it is known whether they are shown. */
  get shownEnd(): number {
    return Math.min(this.end, this.judged);
  }

  /** Where the columns hold the row. */
  slot(row: number): number {
    return row & this.mask;
  }

  has(row: number): boolean {
    return row >= this.first && row < this.end;
  }

  add(row: EventRow, drawn: number): number {
    if (this.length === this.capacity) this.makeRoom();
    const number = this.end++;
    const i = number & this.mask;
    this.seq[i] = row.seq;
    this.tsMs[i] = row.tsMs;
    this.durMs[i] = row.durMs;
    this.agent[i] = row.agent;
    this.kind[i] = row.kind;
    this.session[i] = row.session;
    this.label[i] = row.label;
    this.sev[i] = row.sev;
    this.flag[i] = row.flag;
    this.tokens[i] = row.tokens;
    this.drawn[i] = drawn;
    this.match[i] = 1;
    this.bar[i] = -1;
    this.span[i] = row.span;
    this.parent[i] = row.parent;
    this.text[i] = row.text;
    this.widenBlock(i, row.tsMs);
    return number;
  }

  /** Appends rows [from, to) of another table, which have room here without any having to leave. Returns the
      number of the first. How they are drawn and match is to be told anew. */
  append(other: EventTable, from: number, to: number): number {
    let capacity = this.capacity;
    while (capacity < this.end + to - from) capacity *= 2;
    this.growTo(capacity);
    const first = this.end;
    for (let row = from; row < to;) {
      const i = other.slot(row);
      const count = Math.min(to - row, other.capacity - i); // up to where its ring turns
      this.copy(other, i, count);
      row += count;
    }
    for (let i = first; i < this.end; i++) this.widenBlock(i, this.tsMs[i] as number);
    return first;
  }

  private copy(other: EventTable, from: number, count: number): void {
    const at = this.end;
    const column = <T extends Column>(own: T, theirs: T) => own.set(theirs.subarray(from, from + count), at);
    column(this.seq, other.seq);
    column(this.tsMs, other.tsMs);
    column(this.durMs, other.durMs);
    column(this.agent, other.agent);
    column(this.kind, other.kind);
    column(this.session, other.session);
    column(this.label, other.label);
    column(this.sev, other.sev);
    column(this.flag, other.flag);
    column(this.tokens, other.tokens);
    this.match.fill(1, at, at + count);
    this.span = joined(this.span, other.span, from, count);
    this.parent = joined(this.parent, other.parent, from, count);
    this.text = joined(this.text, other.text, from, count);
    this.end += count;
  }

  /** Copies the row into `into`, for whoever rebuilds the table. */
  read(row: number, into: EventRow): EventRow {
    const i = this.slot(row);
    into.seq = this.seq[i] as number;
    into.tsMs = this.tsMs[i] as number;
    into.durMs = this.durMs[i] as number;
    into.agent = this.agent[i] as number;
    into.kind = this.kind[i] as number;
    into.session = this.session[i] as number;
    into.label = this.label[i] as number;
    into.sev = this.sev[i] as number;
    into.flag = this.flag[i] as number;
    into.tokens = this.tokens[i] as number;
    into.span = this.span[i] as string;
    into.parent = this.parent[i] as string;
    into.text = this.text[i] as string;
    return into;
  }

  /** The row with this seq, or -1. */
  rowOfSeq(seq: number): number {
    const row = this.firstFrom(seq);
    const isHit = row < this.end && this.seq[row & this.mask] === seq;
    return isHit && this.drawn[row & this.mask] !== AS_GAP ? row : -1;
  }

  /** The first row with this seq or a later one. Rows come in the order of their seq, most without a hole. */
  firstFrom(seq: number): number {
    const newest = this.seq[(this.end - 1) & this.mask] as number;
    const guess = this.end - 1 - (newest - seq);
    if (this.has(guess) && this.seq[guess & this.mask] === seq) return guess;
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.seq[middle & this.mask] as number) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Visits runs [fromRow, toRow) that may hold rows with fromMs <= time <= toMs, from `sinceRow` on. */
  scan(fromMs: number, toMs: number, visit: (fromRow: number, toRow: number) => void, sinceRow = 0): void {
    const start = Math.max(this.first, sinceRow);
    for (let from = start; from < this.end;) {
      const until = Math.min(this.end, (Math.floor(from / BLOCK) + 1) * BLOCK);
      const block = Math.floor((from & this.mask) / BLOCK);
      if ((this.blockMinMs[block] as number) <= toMs && (this.blockMaxMs[block] as number) >= fromMs) {
        visit(from, until);
      }
      from = until;
    }
  }

  /** The earliest and the latest time in memory; both 0 of an empty table. */
  range(): readonly [fromMs: number, toMs: number] {
    let [fromMs, toMs] = [Infinity, -Infinity];
    for (let from = this.first; from < this.end; from = (Math.floor(from / BLOCK) + 1) * BLOCK) {
      const block = Math.floor((from & this.mask) / BLOCK);
      fromMs = Math.min(fromMs, this.blockMinMs[block] as number);
      toMs = Math.max(toMs, this.blockMaxMs[block] as number);
    }
    return fromMs <= toMs ? [fromMs, toMs] : [0, 0];
  }

  private widenBlock(slot: number, tsMs: number): void {
    const block = Math.floor(slot / BLOCK);
    if (slot % BLOCK === 0) {
      this.blockMinMs[block] = tsMs;
      this.blockMaxMs[block] = tsMs;
      return;
    }
    if (tsMs < (this.blockMinMs[block] as number)) this.blockMinMs[block] = tsMs;
    if (tsMs > (this.blockMaxMs[block] as number)) this.blockMaxMs[block] = tsMs;
  }

  /** Doubles the ring, or at its limit lets a whole block go, so that block ranges stay true. */
  private makeRoom(): void {
    if (this.capacity >= this.maxEvents) {
      this.first += BLOCK;
      return;
    }
    this.growTo(2 * this.capacity);
  }

  private growTo(capacity: number): void {
    if (capacity === this.capacity) return;
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.seq = grow(this.seq, this.capacity);
    this.tsMs = grow(this.tsMs, this.capacity);
    this.durMs = grow(this.durMs, this.capacity);
    this.agent = grow(this.agent, this.capacity);
    this.kind = grow(this.kind, this.capacity);
    this.session = grow(this.session, this.capacity);
    this.label = grow(this.label, this.capacity);
    this.sev = grow(this.sev, this.capacity);
    this.flag = grow(this.flag, this.capacity);
    this.tokens = grow(this.tokens, this.capacity);
    this.drawn = grow(this.drawn, this.capacity);
    this.match = grow(this.match, this.capacity);
    this.bar = grow(this.bar, this.capacity);
    this.blockMinMs = grow(this.blockMinMs, this.capacity / BLOCK);
    this.blockMaxMs = grow(this.blockMaxMs, this.capacity / BLOCK);
  }
}

/** `own` with `count` of `theirs` behind it: a long run is copied at once, a short one into the room that there is. */
function joined(own: string[], theirs: readonly string[], from: number, count: number): string[] {
  if (count > LONG_RUN) return own.concat(theirs.slice(from, from + count));
  for (let n = from; n < from + count; n++) own.push(theirs[n] as string);
  return own;
}

type Column = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** The ring has not wrapped while it grows (first is 0), so slots keep their place. */
export function grow<T extends Column>(column: T, length: number): T {
  const larger = new (column.constructor as new (length: number) => T)(length);
  larger.set(column);
  return larger;
}
