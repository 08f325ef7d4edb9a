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
}

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

/** `typed`: what stands before the caret. */
export function complete(typed: string, names: Names): Suggestion[] {
  const inValue = VALUE.exec(typed);
  if (inValue) {
    const [, field = "", , quote = "", part = ""] = inValue;
    const kept = typed.slice(0, typed.length - part.length - quote.length);
    return valuesOf(field.toLowerCase(), names, part).map((value) => ({
      field: field.toLowerCase(),
      value,
      text: kept + writeValue(value),
      isWhole: true,
    }));
  }
  const word = WORD.exec(typed)?.[1] ?? "";
  if (!word) return [];
  const kept = typed.slice(0, typed.length - word.length);
  return [...fieldsLike(word, kept), ...namesLike(word, kept, names)].slice(0, MAX);
}

/** Whether a value is being typed that may become one of those known: no use in looking for its beginning. */
export function isUnfinished(typed: string, names: Names): boolean {
  const found = VALUE.test(typed) ? complete(typed, names) : [];
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
function namesLike(word: string, kept: string, names: Names): Suggestion[] {
  if (word.length < 2) return [];
  return ["agent", "event", "tool", "session"].flatMap((field) =>
    valuesOf(field, names, word)
      .slice(0, 2)
      .map((value) => ({ field, value, text: `${kept}${field}:${writeValue(value)}`, isWhole: true })),
  );
}

function valuesOf(field: string, names: Names, part: string): string[] {
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
  const found = (Object.hasOwn(known, field) ? (known[field] ?? []) : []).filter((name) =>
    name.toLowerCase().includes(wanted),
  );
  const isBegun = (name: string) => Number(!name.toLowerCase().startsWith(wanted));
  return found.sort((one, other) => isBegun(one) - isBegun(other)).slice(0, MAX);
}
