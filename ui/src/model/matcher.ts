// A filter over the columns: names are tested once each, rows by number.

import type { Interner } from "../base/interner";
import type { Names } from "./dictionary";
import type { EventTable } from "./event_table";
import { AS_GAP } from "./event_table";
import type { Field, Filter, Term } from "./filter";
import { isEmpty, textPattern } from "./filter";
import { FLAG_ERROR, LEVELS } from "./protocol";

type IndexTest = (index: number) => boolean;
const YES: IndexTest = () => true;

export class Matcher {
  private readonly agent: IndexTest;
  private readonly kind: IndexTest;
  private readonly session: IndexTest;
  private readonly label: IndexTest;
  private readonly level: IndexTest;
  private readonly error: IndexTest;
  private readonly pattern: RegExp | null;
  private readonly textInAgent: IndexTest;
  private readonly textInKind: IndexTest;
  private readonly textInLabel: IndexTest;
  readonly matchesAll: boolean;

  constructor(filter: Filter, names: Names) {
    const of = (field: Field) => filter.terms.filter((term) => term.field === field);
    this.matchesAll = isEmpty(filter);
    this.agent = nameTest(of("agent"), names.agents);
    this.kind = nameTest(of("event"), names.kinds);
    this.session = nameTest(of("session"), names.sessions);
    this.label = nameTest(of("tool"), names.labels);
    this.level = valueTest(of("level"), (sev) => LEVELS[sev] ?? "info");
    this.error = valueTest(of("error"), (isError) => String(isError !== 0));
    this.pattern = textPattern(filter.text);
    this.textInAgent = textInName(this.pattern, names.agents);
    this.textInKind = textInName(this.pattern, names.kinds);
    this.textInLabel = textInName(this.pattern, names.labels);
  }

  /** Whether the lane of this agent is shown at all. */
  showsAgent(agent: number): boolean {
    return this.agent(agent);
  }

  matches(events: EventTable, row: number): boolean {
    if (this.matchesAll) return true;
    const i = events.slot(row);
    if (events.drawn[i] === AS_GAP) return true; // what was not sent may match
    const agent = events.agent[i] as number;
    const kind = events.kind[i] as number;
    const label = events.label[i] as number;
    if (!this.agent(agent) || !this.kind(kind) || !this.label(label)) return false;
    if (!this.session(events.session[i] as number) || !this.level(events.sev[i] as number)) return false;
    if (!this.error((events.flag[i] as number) & FLAG_ERROR)) return false;
    if (!this.pattern || this.pattern.test(events.text[i] as string)) return true;
    return this.textInAgent(agent) || this.textInKind(kind) || this.textInLabel(label);
  }
}

function nameTest(terms: readonly Term[], names: Interner): IndexTest {
  return valueTest(terms, (index) => names.name(index));
}

function valueTest(terms: readonly Term[], value: (index: number) => string): IndexTest {
  if (terms.length === 0) return YES;
  const wanted = new Set(terms.filter((term) => !term.negated).map((term) => term.value));
  const unwanted = new Set(terms.filter((term) => term.negated).map((term) => term.value));
  return remembered((index) => {
    const name = value(index);
    return (wanted.size === 0 || wanted.has(name)) && !unwanted.has(name);
  });
}

function textInName(pattern: RegExp | null, names: Interner): IndexTest {
  return pattern ? remembered((index) => pattern.test(names.name(index))) : YES;
}

function remembered(test: IndexTest): IndexTest {
  const known = new Map<number, boolean>();
  return (index) => {
    const answer = known.get(index) ?? test(index);
    known.set(index, answer);
    return answer;
  };
}
