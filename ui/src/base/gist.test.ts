import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { callsOf, gist, MAIN_ARGUMENTS } from "./gist";

const VECTOR = resolve(import.meta.dirname, "../../../spec/vectors/main_arguments.json");

describe("the gist of a call", () => {
  it("goes by the same arguments as the lines of the hub", () => {
    expect(MAIN_ARGUMENTS).toEqual(JSON.parse(readFileSync(VECTOR, "utf8")));
  });

  it("is its command, file, address or question", () => {
    expect(gist({ timeout_s: 120, command: "pytest -q" })).toBe("$ pytest -q");
    expect(gist({ path: "a.py", encoding: "utf-8" })).toBe("a.py");
    expect(gist({ url: "http://x/" })).toBe("http://x/");
    expect(gist("as it is")).toBe("as it is");
  });

  it("is the first argument that is plain where none has such a name", () => {
    expect(gist({ options: { deep: true }, customer: "c-1182", region: "ch" })).toBe("c-1182");
    expect(gist(JSON.parse('{"__proto__": "x"}'))).toBe("x");
  });

  it("of an answer that asks for tools is their names, each with its argument", () => {
    const call = (name: string, args: unknown) => ({ function: { name, arguments: args } });
    const calls = [call("search", '{"query": "main.py"}'), call("add", { expression: "2 + 3" })];
    expect(callsOf(calls)).toBe("search(main.py), add(2 + 3)");
    expect(callsOf({ tool_calls: calls.slice(1) })).toBe("add(2 + 3)");
    expect(callsOf([{ name: "look", input: { path: "a.py" } }])).toBe("look(a.py)");
    expect(callsOf([call("broken", "{not json")])).toBe("broken({not json)");
    expect([callsOf("text"), callsOf([1, null]), callsOf(undefined)]).toEqual(["", "", ""]);
  });

  it("is the whole of a call that has no such argument, on one line", () => {
    expect(gist({ a: [1, 2] })).toBe('{"a":[1,2]}');
    expect(gist({})).toBe("");
    expect(gist("a\n  b")).toBe("a b");
    expect(gist("x".repeat(999)).length).toBe(160);
  });
});
