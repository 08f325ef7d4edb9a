// The messages of the live protocol, version 1 (docs/protocol.md, "Live"), and their one way in.

import type { Alerts } from "./alert";

export const FLAG_OPENS = 1;
export const FLAG_CLOSES = 2;
export const FLAG_ERROR = 4;
export const FLAG_REDACTED = 8;

export const LEVELS = ["debug", "info", "warning", "error", "critical"] as const;

export interface Hello {
  readonly type: "hello";
  readonly v: number;
  readonly epoch: string;
  /** The newest event when the connection was made. */
  readonly seq: number;
  readonly now: number;
  readonly version: string;
  readonly agents: readonly (readonly [string, number])[];
  readonly kinds: readonly string[];
  readonly sessions: readonly string[];
  readonly labels: readonly string[];
  /** To which agents and pods the reader is bound; absent where it sees all. */
  readonly bound?: Bounds;
}

/** Of those alone it sees events; an empty list is no bound. */
export interface Bounds {
  readonly agents: readonly string[];
  readonly pods: readonly string[];
}

export interface NewNames {
  readonly agents?: readonly (readonly [string, number])[];
  readonly kinds?: readonly string[];
  readonly sessions?: readonly string[];
  readonly labels?: readonly string[];
  readonly parents?: readonly (readonly [number, number])[];
}

export interface Batch {
  readonly type: "batch";
  readonly seq0: number;
  readonly n: number;
  /** For a reader who sees a part: the seq of each event. Between `seq0` and `to` there are no more for it. */
  readonly seq?: readonly number[];
  readonly to?: number;
  readonly t0: number;
  readonly dt: readonly number[];
  readonly agent: readonly number[];
  readonly kind: readonly number[];
  readonly session: readonly number[];
  readonly label: readonly number[];
  readonly sev: readonly number[];
  readonly dur: readonly number[];
  readonly span: readonly string[];
  readonly parent: readonly string[];
  readonly flag: readonly number[];
  /** In and out, 0 where none were reported; an older hub sends no such column. */
  readonly tokens?: readonly number[];
  readonly text: readonly string[];
  readonly new?: NewNames;
  readonly history?: boolean;
}

export interface Gap {
  readonly type: "gap";
  readonly from: number;
  readonly to: number;
}

export interface Beat {
  readonly type: "beat";
  readonly now: number;
  readonly seq: number;
  readonly lag_bytes: number;
  /** What keeps events away: "space" for the log, the "log", the "index"; absent while all is well. */
  readonly fault?: string;
}

/** Of the seqs `from` to `to`, those that the query of the connection finds. */
export interface Hits {
  readonly type: "hits";
  readonly from: number;
  readonly to: number;
  readonly seqs: readonly number[];
}

export type Message = Hello | Batch | Gap | Beat | Hits | Alerts;

/** The hub said something that breaks the protocol; the connection is of no more use. */
export class ProtocolError extends Error {}

const PROTOCOL_VERSION = 1;
const COLUMNS = [
  "dt",
  "agent",
  "kind",
  "session",
  "label",
  "sev",
  "dur",
  "span",
  "parent",
  "flag",
  "text",
] as const;

/**
 * One text frame as a message, or null for a type that a later hub may send.
 *
 * Shapes are checked where a wrong one would corrupt the columns; single values are not.
 */
export function parseMessage(frame: string): Message | null {
  const message = parseObject(frame);
  switch (message.type) {
    case "hello":
      return checkHello(message as unknown as Hello);
    case "batch":
      return checkBatch(message as unknown as Batch);
    case "gap":
      return checkNumbers(message as unknown as Gap, ["from", "to"]);
    case "hits":
      return checkHits(message as unknown as Hits);
    case "alerts":
      return checkAlerts(message as unknown as Alerts);
    case "beat":
      return checkNumbers(message as unknown as Beat, ["now", "seq"]);
    default:
      return null;
  }
}

function parseObject(frame: string): { type?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    throw new ProtocolError(`a frame is not JSON: ${frame.slice(0, 80)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError("a frame is not an object");
  }
  return value;
}

function checkHello(hello: Hello): Hello {
  if (hello.v !== PROTOCOL_VERSION) {
    throw new ProtocolError(`the hub speaks version ${hello.v}, this page ${PROTOCOL_VERSION}: reload`);
  }
  const lists = [hello.agents, hello.kinds, hello.sessions, hello.labels];
  if (typeof hello.epoch !== "string" || !lists.every(Array.isArray)) {
    throw new ProtocolError("hello lacks its epoch or a dictionary");
  }
  return checkNumbers(hello, ["seq", "now"]);
}

function checkBatch(batch: Batch): Batch {
  for (const name of COLUMNS) {
    if (!Array.isArray(batch[name]) || batch[name].length !== batch.n) {
      throw new ProtocolError(`column ${name} of a batch does not have ${batch.n} values`);
    }
  }
  if (batch.tokens !== undefined && batch.tokens.length !== batch.n) {
    throw new ProtocolError(`column tokens of a batch does not have ${batch.n} values`);
  }
  if (batch.seq !== undefined) {
    if (batch.seq.length !== batch.n) {
      throw new ProtocolError(`column seq of a batch does not have ${batch.n} values`);
    }
    checkNumbers(batch, ["to"]);
  }
  return checkNumbers(batch, ["seq0", "n", "t0"]);
}

function checkHits(hits: Hits): Hits {
  if (!Array.isArray(hits.seqs)) throw new ProtocolError("hits lack their seqs");
  return checkNumbers(hits, ["from", "to"]);
}

function checkAlerts(alerts: Alerts): Alerts {
  if (!Array.isArray(alerts.rules)) throw new ProtocolError("alerts lack their rules");
  return checkNumbers(alerts, ["revision", "count"]);
}

function checkNumbers<T extends object>(message: T, names: readonly (keyof T)[]): T {
  for (const name of names) {
    if (!Number.isFinite(message[name])) throw new ProtocolError(`${String(name)} is not a number`);
  }
  return message;
}
