import { describe, expect, test } from "vitest";
import { batch, hello, type Said } from "../testing/frames";
import { Random } from "../testing/random";
import { compile, FIELDS, type Filter, NO_FILTER, type Term, tryTerm, withoutTerm, withTerm } from "./filter";
import { Journal } from "./journal";
import { matchAll } from "./match";
import { Matcher } from "./matcher";
import { FLAG_ERROR } from "./protocol";

const term = (field: Term["field"], value: string, negated = false): Term => ({ field, value, negated });

describe("a term", () => {
  test.each([
    ["agent:planner", term("agent", "planner")],
    ["-event:log", term("event", "log", true)],
    ['tool:"two words"', term("tool", "two words")],
    ["AGENT:x", term("agent", "x")],
    ["session:a:b", term("session", "a:b")],
  ])("is read from %s", (text, wanted) => {
    expect(tryTerm(text)).toEqual(wanted);
  });

  test.each(["planner", "agent:", "colour:red", "http://x", "agent:a b", ""])("is not seen in %j", (text) => {
    expect(tryTerm(text)).toBeNull();
  });

  test("replaces its opposite, and leaves as it came", () => {
    const filter = withTerm(withTerm(NO_FILTER, term("agent", "a")), term("agent", "a", true));
    expect(filter.terms).toEqual([term("agent", "a", true)]);

    expect(withoutTerm(filter, term("agent", "a", true))).toEqual(NO_FILTER);
  });
});

describe("the filter over columns", () => {
  const journal = new Journal();
  const random = new Random(10);
  journal.takeHello(hello({ sessions: ["s1", "s2"], labels: ["shell", "read file"] }));
  const said: Said[] = Array.from({ length: 400 }, (_, n) => ({
    at: n,
    agent: random.whole(2),
    kind: random.whole(4),
    session: random.whole(3) - 1,
    label: random.whole(3) - 1,
    sev: random.whole(5),
    flag: random.chance(0.2) ? FLAG_ERROR : 0,
    text: random.pick(["disk full", "a.b*c", "Straße", "plan b", ""]),
  }));
  journal.takeBatch(batch(1, said));
  const values: Record<Term["field"], string[]> = {
    agent: ["planner", "coder", "nobody"],
    event: ["log", "error", "tool_result"],
    session: ["s1", "s2"],
    tool: ["shell", "read file"],
    level: ["info", "error", "critical"],
    error: ["true", "false"],
  };

  test("agrees with the plain test of whole events, for any mixture of terms and text", () => {
    for (let n = 0; n < 300; n++) {
      const terms = Array.from({ length: random.whole(4) }, () => {
        const field = random.pick(FIELDS);
        return term(field, random.pick(values[field]), random.chance(0.3));
      });
      const filter: Filter = {
        terms,
        text: random.pick(["", "", "DISK", "a.b*", "straSSE", "plan", "shell"]),
      };
      const test = compile(filter);
      matchAll(journal, new Matcher(filter, journal));
      said.forEach((event, row) => {
        const wanted = test({
          agent: ["planner", "coder"][event.agent ?? 0] ?? "",
          event: journal.kinds.name(event.kind ?? 0),
          session: journal.sessions.name(event.session ?? -1),
          tool: journal.labels.name(event.label ?? -1),
          sev: event.sev ?? 1,
          isError: event.flag === FLAG_ERROR,
          text: event.text ?? "",
        });
        expect(journal.events.match[row] === 1).toBe(wanted);
      });
    }
  });
});
