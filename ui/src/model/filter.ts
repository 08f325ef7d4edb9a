// Which events are asked for: the conditions of one query (docs/query.md) that must all hold. The hub
// reads queries, and makes conditions of them; the page makes only those of a field and its values.

export interface Term {
  /** In the query language, fit to stand beside others. */
  readonly text: string;
  /** What it asks about, "" for words and groups. */
  readonly field: string;
  /** Any of these; empty for a condition of another kind, such as a comparison. */
  readonly values: readonly string[];
  readonly negated: boolean;
}

export interface Filter {
  readonly terms: readonly Term[];
}

export const NO_FILTER: Filter = { terms: [] };

/** Words that stand where a field does, and take no list. */
const NO_LISTS = new Set(["has", "is"]);
/** What needs no quotes in the language, with room to spare. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

export function isEmpty(filter: Filter): boolean {
  return filter.terms.length === 0;
}

/** The whole query. */
export function queryOf(filter: Filter): string {
  return filter.terms.map((term) => term.text).join(" ");
}

export function valueTerm(field: string, values: readonly string[], negated = false): Term {
  const written = values.map(writeValue);
  const list = written.length === 1 ? written[0] : `(${written.join(",")})`;
  return { text: `${negated ? "-" : ""}${field}:${list}`, field, values, negated };
}

export function hasValue(filter: Filter, field: string, value: string, negated = false): boolean {
  return filter.terms.some((term) => isOf(term, field, negated) && term.values.includes(value));
}

/** With one more value of a field, or without it if it is asked for already; its opposite goes. */
export function toggleValue(filter: Filter, field: string, value: string, negated = false): Filter {
  const isOn = hasValue(filter, field, value, negated);
  const without = withoutValue(withoutValue(filter, field, value, true), field, value, false);
  return isOn ? without : withValue(without, field, value, negated);
}

export function withoutTerm(filter: Filter, term: Term): Filter {
  return { terms: filter.terms.filter((known) => known !== term) };
}

/** The opposite of a condition. */
export function turned(term: Term): Term {
  const text = term.negated ? term.text.slice(1) : `-${term.text}`;
  return { ...term, text, negated: !term.negated };
}

/** Values of one field join: an event has one of them. */
function withValue(filter: Filter, field: string, value: string, negated: boolean): Filter {
  const known = NO_LISTS.has(field) ? undefined : filter.terms.find((term) => isOf(term, field, negated));
  if (!known) return { terms: [...filter.terms, valueTerm(field, [value], negated)] };
  const joined = valueTerm(field, [...known.values, value], negated);
  return { terms: filter.terms.map((term) => (term === known ? joined : term)) };
}

function withoutValue(filter: Filter, field: string, value: string, negated: boolean): Filter {
  const terms = filter.terms.flatMap((term) => {
    if (!isOf(term, field, negated) || !term.values.includes(value)) return [term];
    const left = term.values.filter((known) => known !== value);
    return left.length > 0 ? [valueTerm(field, left, negated)] : [];
  });
  return { terms };
}

function isOf(term: Term, field: string, negated: boolean): boolean {
  return term.field === field && term.negated === negated && term.values.length > 0;
}

export function writeValue(value: string): string {
  if (PLAIN.test(value)) return value;
  const escaped = value.replace(/["\\]/g, "\\$&").replace(/[\u0000-\u001f\u007f]/g, escapeControl);
  return `"${escaped}"`;
}

function escapeControl(sign: string): string {
  return `\\u{${sign.charCodeAt(0).toString(16)}}`;
}
