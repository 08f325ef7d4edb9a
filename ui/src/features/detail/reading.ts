// What a person wants to read of an event, or of the two events that make a bar.

import type { StoredEvent } from "../../model/stored";
import { type SideFile, sideFiles } from "./side";

export interface Reading {
  /** The event that carries the outcome. */
  readonly event: StoredEvent;
  /** The event that began the work, where that is another one. */
  readonly start: StoredEvent | null;
  readonly content: unknown;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: ErrorReading | null;
  readonly tokens: string;
  readonly cost: string;
  /** What else the event carries, by names that the schema does not know; null for nothing. */
  readonly own: Readonly<Record<string, unknown>> | null;
  /** Payloads of which the event holds the beginning only, by the block that shows them. */
  readonly side: Readonly<Record<"content" | "input" | "output" | "stack", readonly SideFile[]>>;
}

export interface ErrorReading {
  readonly title: string;
  readonly message: string;
  readonly stack: string;
}

/** Shown elsewhere, or of use to machines alone. */
const KNOWN = new Set(
  (
    "seq id timestamp agent event level tool model provider role session_id trace_id span_id parent_span_id " +
    "parent_agent pod host pid content input output error duration_ms cost_usd input_tokens output_tokens " +
    "cache_read_tokens cache_write_tokens truncated side_files"
  ).split(" "),
);

export function read(event: StoredEvent, start: StoredEvent | null): Reading {
  return {
    event,
    start,
    content: event.content ?? start?.content,
    input: event.input ?? start?.input,
    output: event.output,
    error: readError(event.error),
    tokens: readTokens(event),
    side: {
      content: sideFiles(event.content === undefined ? start : event, "/content"),
      input: sideFiles(event.input === undefined ? start : event, "/input"),
      output: sideFiles(event, "/output"),
      stack: sideFiles(event, "/error"),
    },
    own: readOwn(event, start),
    cost: typeof event["cost_usd"] === "number" ? `$${event["cost_usd"].toFixed(4)}` : "",
  };
}

export interface Turn {
  readonly role: string;
  readonly text: string;
}

/** A list of chat messages as turns, or null for anything else. */
export function tryChat(value: unknown): Turn[] | null {
  const list = Array.isArray(value) ? value : (value as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(list) || list.length === 0) return null;
  const turns = list.map(tryTurn);
  return turns.every((turn) => turn !== null) ? turns : null;
}

function tryTurn(message: unknown): Turn | null {
  if (typeof message !== "object" || message === null) return null;
  const {
    role,
    content,
    tool_calls: calls,
  } = message as { role?: unknown; content?: unknown; tool_calls?: unknown };
  if (typeof role !== "string") return null;
  const text = typeof content === "string" ? content : content ? JSON.stringify(content, null, 2) : "";
  return { role, text: text || (calls ? JSON.stringify(calls, null, 2) : "") };
}

function readError(error: StoredEvent["error"]): ErrorReading | null {
  if (!error) return null;
  const text = (value: unknown) =>
    typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  return { title: text(error.type) || "Error", message: text(error.message), stack: text(error.stack) };
}

function readOwn(event: StoredEvent, start: StoredEvent | null): Reading["own"] {
  const own = Object.entries({ ...start, ...event }).filter(([name]) => !KNOWN.has(name));
  return own.length > 0 ? Object.fromEntries(own) : null;
}

/** Only what was reported: nothing is estimated. */
function readTokens(event: StoredEvent): string {
  const parts = [
    ["in", event["input_tokens"]],
    ["out", event["output_tokens"]],
    ["cache read", event["cache_read_tokens"]],
    ["cache written", event["cache_write_tokens"]],
  ] as const;
  return parts
    .filter(([, count]) => typeof count === "number")
    .map(([name, count]) => `${(count as number).toLocaleString("en")} ${name}`)
    .join(" · ");
}
