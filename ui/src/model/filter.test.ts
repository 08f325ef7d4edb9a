import { describe, expect, test } from "vitest";
import { hasValue, isEmpty, NO_FILTER, queryOf, toggleValue, turned, valueTerm, writeValue } from "./filter";

describe("a filter", () => {
  test("is the query of all its conditions", () => {
    const words = { text: "(a OR b)", field: "", values: [], negated: false };
    expect(queryOf({ terms: [valueTerm("agent", ["coder"]), words] })).toBe("agent:coder (a OR b)");
    expect([queryOf(NO_FILTER), isEmpty(NO_FILTER)]).toEqual(["", true]);
  });

  test("joins the values of one field, and lets them go one by one", () => {
    let filter = toggleValue(NO_FILTER, "agent", "a");
    filter = toggleValue(filter, "agent", "b c");
    expect(queryOf(filter)).toBe('agent:(a,"b c")');
    expect(hasValue(filter, "agent", "b c")).toBe(true);

    filter = toggleValue(filter, "agent", "a");
    expect(queryOf(filter)).toBe('agent:"b c"');
    expect(isEmpty(toggleValue(filter, "agent", "b c"))).toBe(true);
  });

  test("never asks for a value and its opposite", () => {
    const filter = toggleValue(toggleValue(NO_FILTER, "event", "log"), "event", "log", true);
    expect(queryOf(filter)).toBe("-event:log");
    expect(hasValue(filter, "event", "log")).toBe(false);
  });

  test("has no lists where the language knows none", () => {
    const filter = toggleValue(toggleValue(NO_FILTER, "has", "error"), "has", "tool");
    expect(queryOf(filter)).toBe("has:error has:tool");
  });

  test("leaves conditions of other kinds alone", () => {
    const comparison = { text: "level>=error", field: "level", values: [], negated: false };
    const filter = toggleValue({ terms: [comparison] }, "level", "info");
    expect(queryOf(filter)).toBe("level>=error level:info");
  });

  test("turns a condition around, and back", () => {
    const term = valueTerm("tool", ["shell", "x y"]);
    expect(turned(term).text).toBe('-tool:(shell,"x y")');
    expect(turned(turned(term))).toEqual(term);
  });
});

test.each([
  ["plain_1-x", "plain_1-x"],
  ["two words", '"two words"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ["a\nb", '"a\\u{a}b"'],
  ["-x", '"-x"'],
  ["*", '"*"'],
  ["AND", "AND"],
  ["ü", '"ü"'],
])("the value %j is written as %s", (value, wanted) => {
  expect(writeValue(value)).toBe(wanted);
});
