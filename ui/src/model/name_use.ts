// Which names something in memory still bears.

import type { Names, Used } from "./dictionary";

/** So many more than were left the last time are worth a look at all rows. */
export const SPARE_NAMES = 4096;
/** Lanes without an event in memory that stay, those that were heard of last: more nobody looks for. */
export const QUIET_LANES = 2048;

interface Table {
  readonly first: number;
  readonly end: number;
  slot(row: number): number;
}

export function nothingUsed({ agents, kinds, sessions, labels }: Names): Used {
  return {
    agents: new Uint8Array(agents.end),
    kinds: new Uint8Array(kinds.end),
    sessions: new Uint8Array(sessions.end),
    labels: new Uint8Array(labels.end),
  };
}

/** Marks what the rows of a table name in a column; -1 names nothing. */
export function markColumn(table: Table, column: Int32Array, used: Uint8Array): void {
  for (let row = table.first; row < table.end; row++) {
    const index = column[table.slot(row)] as number;
    if (index >= 0) used[index] = 1;
  }
}

export function countNames({ agents, kinds, sessions, labels }: Names): number {
  return agents.size + kinds.size + sessions.size + labels.size;
}
