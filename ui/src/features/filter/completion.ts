// What may follow what was typed: names of fields, and values that the page has seen. It looks at the
// last word only; how a query is read is the hub's.

import type { Names } from "../../model/dictionary";
import { writeValue } from "../../model/filter";
import { LEVELS } from "../../model/protocol";

export interface Suggestion {
  /** What is shown: the part that explains, and the one that is new. */
  readonly field: string;
  readonly value: string;
  /** The whole text once it is taken. */
  readonly text: string;
  /** Whether the condition is whole then. */
  readonly isWhole: boolean;
  /** Events that it would find, where the hub was asked. */
  readonly count?: number;
}

/** Events by value, as the hub counted them, for fields of which it was asked. */
export type Counts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Fields of which the hub counts the values. */
export const COUNTED: ReadonlySet<string> = new Set([
  "agent",
  "event",
  "session",
  "tool",
  "level",
  "model",
  "provider",
  "pod",
  "host",
]);
const NO_COUNTS: Counts = new Map();

/** The fields of docs/query.md, the frequent ones first. */
export const FIELDS = [
  "agent",
  "event",
  "tool",
  "level",
  "session",
  "model",
  "duration_ms",
  "has",
  "is",
  "since",
  "until",
  "content",
  "input",
  "output",
  "error",
  "input_tokens",
  "output_tokens",
  "cost_usd",
  "provider",
  "host",
  "pod",
  "role",
  "parent",
  "trace",
  "span",
  "parent_span",
  "pid",
  "cache_read_tokens",
  "cache_write_tokens",
  "id",
  "seq",
  "attr",
] as const;

const MAX = 8;
/** A name, its sign, and the beginning of a value: at the end of the text, behind a space or parenthesis. */
const VALUE = /(?:^|[\s(-])([A-Za-z_]+)(:\(?|>=|<=|!=|[=<>])(?:[^\s"]*,)?("?)([^\s",()]*|(?<=")[^"]*)$/;
const WORD = /(?:^|[\s(-])([A-Za-z_]+)$/;

/** The field of which a value is being typed, or "". */
export function fieldTyped(typed: string): string {
  return VALUE.exec(typed)?.[1]?.toLowerCase() ?? "";
}

/** `typed`: what stands before the caret. */
export function complete(typed: string, names: Names, counts = NO_COUNTS): Suggestion[] {
  const inValue = VALUE.exec(typed);
  if (inValue) {
    const [, field = "", , quote = "", part = ""] = inValue;
    const kept = typed.slice(0, typed.length - part.length - quote.length);
    return valuesOf(field.toLowerCase(), names, part, counts).map((value) => ({
      field: field.toLowerCase(),
      value,
      text: kept + writeValue(value),
      isWhole: true,
      ...countOf(counts, field.toLowerCase(), value),
    }));
  }
  const word = WORD.exec(typed)?.[1] ?? "";
  if (!word) return [];
  const kept = typed.slice(0, typed.length - word.length);
  return [...fieldsLike(word, kept), ...namesLike(word, kept, names, counts)].slice(0, MAX);
}

/** Whether a value is being typed that may become one of those known: no use in looking for its beginning. */
export function isUnfinished(typed: string, names: Names, counts = NO_COUNTS): boolean {
  const found = VALUE.test(typed) ? complete(typed, names, counts) : [];
  return found.length > 0 && !found.some(({ text }) => text === typed);
}

function fieldsLike(word: string, kept: string): Suggestion[] {
  return FIELDS.filter((name) => name.startsWith(word.toLowerCase()))
    .slice(0, 4)
    .map((name) => ({
      field: name,
      value: "",
      text: `${kept}${name}${name === "attr" ? "." : ":"}`,
      isWhole: false,
    }));
}

/** A value may be known without its field: whoever types "cod" may mean agent:coder. */
function namesLike(word: string, kept: string, names: Names, counts: Counts): Suggestion[] {
  if (word.length < 2) return [];
  return ["agent", "event", "tool", "session"].flatMap((field) =>
    valuesOf(field, names, word, counts)
      .slice(0, 2)
      .map((value) => ({
        field,
        value,
        text: `${kept}${field}:${writeValue(value)}`,
        isWhole: true,
        ...countOf(counts, field, value),
      })),
  );
}

function countOf(counts: Counts, field: string, value: string): { count?: number } {
  const count = counts.get(field)?.get(value);
  return count === undefined ? {} : { count };
}

/** What the page has seen and what the log holds: those that begin so first, of these the most frequent. */
function valuesOf(field: string, names: Names, part: string, counts: Counts): string[] {
  const known: Record<string, readonly string[]> = {
    agent: names.agents.names,
    parent: names.agents.names,
    event: names.kinds.names,
    tool: names.labels.names,
    model: names.labels.names,
    session: names.sessions.names,
    level: LEVELS,
    is: ["open", "error"],
    has: ["error", "tool", "model", "session", "duration_ms", "input_tokens", "cost_usd"],
    since: ["5m", "15m", "1h", "1d"],
  };
  const wanted = part.toLowerCase();
  const counted = counts.get(field);
  const seen = Object.hasOwn(known, field) ? (known[field] ?? []) : [];
  // tools and models share a dictionary: the hub tells them apart
  const isShared = counted !== undefined && counted.size > 0 && (field === "tool" || field === "model");
  const all = new Set([...(isShared ? [] : seen), ...(counted?.keys() ?? [])]);
  const found = [...all].filter((name) => name.toLowerCase().includes(wanted));
  const isBegun = (name: string) => Number(!name.toLowerCase().startsWith(wanted));
  const count = (name: string) => counted?.get(name) ?? 0;
  return found.sort((one, other) => isBegun(one) - isBegun(other) || count(other) - count(one)).slice(0, MAX);
}
