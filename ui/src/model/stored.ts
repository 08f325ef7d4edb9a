// Whole events as /api/events answers them, and the row that one makes beside those of the stream.

import type { Names } from "./dictionary";
import { emptyRow, type EventRow } from "./event_table";
import { FLAG_CLOSES, FLAG_ERROR, FLAG_OPENS, FLAG_REDACTED, LEVELS } from "./protocol";
import { summaryOf } from "./summary";

/** An event of schema 1; everything but these four may be absent, and anything else may be there. */
export interface StoredEvent {
  readonly seq: number;
  readonly timestamp: string;
  readonly agent: string;
  readonly event: string;
  readonly id?: string;
  readonly content?: unknown;
  readonly session_id?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly parent_span_id?: string;
  readonly tool?: string;
  readonly model?: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly level?: string;
  readonly duration_ms?: number;
  readonly error?: { readonly type?: string; readonly message?: string; readonly stack?: string };
  readonly [field: string]: unknown;
}

const STARTS = new Set(["llm_request", "tool_invocation", "permission_request"]);
const ENDS = new Set(["llm_response", "tool_result", "permission_decision"]);

export function toRow(event: StoredEvent, names: Names): EventRow {
  return {
    ...emptyRow(),
    seq: event.seq,
    tsMs: parseTimeMs(event.timestamp),
    agent: names.agents.index(event.agent),
    kind: names.kinds.index(event.event),
    session: event.session_id ? names.sessions.index(event.session_id) : -1,
    label: label(event) ? names.labels.index(label(event)) : -1,
    sev: severity(event),
    durMs: event.duration_ms ?? -1,
    flag: flags(event),
    tokens: figure(event.input_tokens) + figure(event.output_tokens),
    span: event.span_id ?? "",
    parent: event.parent_span_id ?? "",
    text: summaryOf(event),
  };
}

/** Unix milliseconds with the microseconds that Date.parse drops. */
export function parseTimeMs(timestamp: string): number {
  const micros = /\.\d{3}(\d{3})/.exec(timestamp)?.[1];
  return Date.parse(timestamp) + (micros ? Number(micros) / 1000 : 0);
}

export function label(event: StoredEvent): string {
  return event.tool ?? event.model ?? "";
}

export function isError(event: StoredEvent): boolean {
  return event.error !== undefined || event.event === "error" || severity(event) >= LEVELS.indexOf("error");
}

export function severity(event: StoredEvent): number {
  const named = LEVELS.findIndex((level) => level === event.level);
  if (named >= 0) return named;
  return LEVELS.indexOf(event.error !== undefined || event.event === "error" ? "error" : "info");
}

function figure(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

export function opensWork(event: StoredEvent): boolean {
  return STARTS.has(event.event) || event.event.endsWith("_start");
}

export function closesWork(event: StoredEvent): boolean {
  return ENDS.has(event.event) || event.event.endsWith("_end");
}

function flags(event: StoredEvent): number {
  const isRedacted = JSON.stringify(event).includes("[redacted:");
  return (
    (opensWork(event) ? FLAG_OPENS : 0) |
    (closesWork(event) ? FLAG_CLOSES : 0) |
    (isError(event) ? FLAG_ERROR : 0) |
    (isRedacted ? FLAG_REDACTED : 0)
  );
}
