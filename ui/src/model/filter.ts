// Which events are shown. The names of the fields are those of the query API.

import { LEVELS } from "./protocol";

export const FIELDS = ["agent", "event", "session", "tool", "level", "error"] as const;
export type Field = (typeof FIELDS)[number];

export interface Term {
  readonly field: Field;
  readonly value: string;
  readonly negated: boolean;
}

/** Terms of one field add up (any of them), different fields must all hold; negated ones none. */
export interface Filter {
  readonly terms: readonly Term[];
  /** Looked for in the one-line text, agent, event and tool names; case does not matter. */
  readonly text: string;
}

export const NO_FILTER: Filter = { terms: [], text: "" };

export function isEmpty(filter: Filter): boolean {
  return filter.terms.length === 0 && filter.text === "";
}

export function isSame(one: Term, other: Term): boolean {
  return one.field === other.field && one.value === other.value && one.negated === other.negated;
}

/** With the term added; its opposite, if there is one, goes. */
export function withTerm(filter: Filter, term: Term): Filter {
  const opposite = { ...term, negated: !term.negated };
  const kept = filter.terms.filter((known) => !isSame(known, term) && !isSame(known, opposite));
  return { ...filter, terms: [...kept, term] };
}

export function withoutTerm(filter: Filter, term: Term): Filter {
  return { ...filter, terms: filter.terms.filter((known) => !isSame(known, term)) };
}

export function hasTerm(filter: Filter, term: Term): boolean {
  return filter.terms.some((known) => isSame(known, term));
}

/** `agent:planner`, `-event:log`, `tool:"two words"` as a term, or null for anything else. */
export function tryTerm(text: string): Term | null {
  const parts = /^(-?)([a-z]+):(?:"([^"]+)"|(\S+))$/i.exec(text.trim());
  const field = FIELDS.find((name) => name === parts?.[2]?.toLowerCase());
  const value = parts?.[3] ?? parts?.[4];
  return field && value ? { field, value, negated: parts?.[1] === "-" } : null;
}

/** The parts of an event that a filter sees. */
export interface Facts {
  readonly agent: string;
  readonly event: string;
  readonly session: string;
  readonly tool: string;
  readonly sev: number;
  readonly isError: boolean;
  readonly text: string;
}

export type Test = (facts: Facts) => boolean;

/** A test over whole events. `Matcher` does the same over columns, faster. */
export function compile(filter: Filter): Test {
  const fields = FIELDS.map((field) => fieldTest(field, filter.terms)).filter((test) => test !== null);
  const text = textTest(filter.text);
  return (facts) => fields.every((test) => test(facts)) && (text === null || text(facts));
}

function fieldTest(field: Field, terms: readonly Term[]): Test | null {
  const wanted = new Set<string>();
  const unwanted = new Set<string>();
  for (const term of terms) {
    if (term.field === field) (term.negated ? unwanted : wanted).add(term.value);
  }
  if (wanted.size === 0 && unwanted.size === 0) return null;
  return (facts) => {
    const value = fieldValue(facts, field);
    return (wanted.size === 0 || wanted.has(value)) && !unwanted.has(value);
  };
}

function fieldValue(facts: Facts, field: Field): string {
  if (field === "level") return LEVELS[facts.sev] ?? "info";
  if (field === "error") return String(facts.isError);
  return facts[field];
}

export function textPattern(text: string): RegExp | null {
  const words = text.trim();
  return words ? new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu") : null;
}

function textTest(text: string): Test | null {
  const pattern = textPattern(text);
  if (!pattern) return null;
  return (facts) => [facts.text, facts.agent, facts.event, facts.tool].some((part) => pattern.test(part));
}
