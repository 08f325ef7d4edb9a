// One line of text for an event that was fetched: the same that the hub's stream has of it, held so by
// spec/vectors/summaries.json.

import { withoutCodes } from "../base/ansi";
import { argumentOf, callsOf } from "../base/gist";
import type { StoredEvent } from "./stored";

const SUMMARY_CHARS = 200;
/** A value is looked at only this far: what follows could not appear in the line. */
const VALUE_CHARS = 2_000;
const MAX_PARTS = 20;
const BIDI = /[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/g;
const GAPS = /[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+/g;

/** What the line does not repeat: it stands in columns of its own. */
const KNOWN = new Set(
  "agent cache_read_tokens cache_write_tokens cost_usd duration_ms event host id input_tokens level model output_tokens parent_agent parent_span_id pid pod provider role seq session_id span_id timestamp tool trace_id".split(
    " ",
  ),
);

/** Never empty. */
export function summaryOf(event: StoredEvent): string {
  const tell = SUMMARISERS[event.event] ?? anyOf;
  return oneLine(tell(event)) || oneLine(event.event) || "event";
}

const SUMMARISERS: Record<string, (event: StoredEvent) => string> = {
  agent_start: startOf,
  session_start: startOf,
  tool_invocation: callOf,
  permission_request: callOf,
  tool_result: (event) => {
    if (event.error) return join("✗", errorOf(event.error));
    const output = textOf(event.output) || textOf(event.content);
    return output ? join("→", output) : (event.tool ?? "");
  },
  llm_request: (event) => textOf(event.content) || textOf(lastMessage(event.input)) || (event.model ?? ""),
  llm_response: (event) => {
    if (event.error) return join("✗", errorOf(event.error));
    const said = textOf(event.content) || callsOf(event.output) || textOf(event.output);
    return join(said, tokensOf(event)) || (event.model ?? "");
  },
  error: (event) => errorOf(event.error) || anyOf(event),
  handoff: (event) => {
    const name = textOf(event["to"] || event["target"] || event["to_agent"]);
    const said = textOf(event.content);
    const rest = name && `${said}:`.startsWith(`${name}:`) ? said.slice(name.length + 1).trimStart() : said;
    return join(name && `→ ${name}`, rest) || anyOf(event);
  },
};

function startOf(event: StoredEvent): string {
  return argumentOf(event.input) || anyOf(event);
}

function callOf(event: StoredEvent): string {
  return argumentOf(event.input) || textOf(event.content) || (event.tool ?? "");
}

/** Text of an event without a rule of its own. */
function anyOf(event: StoredEvent): string {
  for (const name of ["content", "message", "error", "input", "output"]) {
    const value = event[name];
    if (!isEmpty(value)) return name === "error" ? errorOf(value) : textOf(value);
  }
  const rest = Object.entries(event).filter(([name, value]) => !KNOWN.has(name) && !isEmpty(value));
  return join(...rest.map(([name, value]) => `${name}=${textOf(value)}`));
}

function lastMessage(input: unknown): unknown {
  const messages = isRecord(input) ? (input["messages"] ?? input) : input;
  return Array.isArray(messages) && messages.length > 0 ? messages.at(-1) : messages;
}

function errorOf(value: unknown): string {
  if (!isRecord(value)) return textOf(value);
  const told = [value["type"], value["message"]].filter(Boolean).map(textOf).join(": ");
  return told || textOf(value);
}

function tokensOf(event: StoredEvent): string {
  const counts = [event["input_tokens"], event["output_tokens"]];
  if (counts.every((count) => count === undefined)) return "";
  return `(${counts.map((count) => (count === undefined ? "?" : String(count))).join("→")} tokens)`;
}

/** Any JSON value as text: prose where there is some in it, else compact JSON. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value.slice(0, VALUE_CHARS);
  if (Array.isArray(value)) {
    const parts = value.slice(0, MAX_PARTS).filter(isRecord);
    return join(...parts.map((part) => prose(part, ["text", "content"]))) || compact(value);
  }
  if (!isRecord(value)) return String(value as number | boolean);
  return prose(value, ["text", "content", "message", "summary", "result", "output"]) || compact(value);
}

function prose(value: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  return (
    (names.map((name) => value[name]).find((one) => typeof one === "string") as string | undefined) ?? ""
  );
}

function compact(value: unknown): string {
  return JSON.stringify(value).slice(0, 4 * VALUE_CHARS);
}

function oneLine(text: string): string {
  const line = withoutCodes(text.slice(0, VALUE_CHARS)).replace(BIDI, "").replace(GAPS, " ").trim();
  const letters = [...line]; // as the hub counts them
  return letters.length > SUMMARY_CHARS ? `${letters.slice(0, SUMMARY_CHARS - 1).join("")}…` : line;
}

function join(...parts: string[]): string {
  return parts.filter(Boolean).join(" ");
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
