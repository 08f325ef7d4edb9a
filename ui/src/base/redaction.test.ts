import { expect, test } from "vitest";
import { pieces } from "./redaction";

test("a text without a marker is one piece", () => {
  expect(pieces("plain")).toEqual([{ text: "plain", rule: "" }]);
  expect(pieces("")).toEqual([{ text: "", rule: "" }]);
});

test("markers are pieces of their own, and nothing of the text is lost", () => {
  const text = "a [redacted:github-token:7f3a9c] b[redacted:env.key:000fff]";
  const found = pieces(text);

  expect(found.map((piece) => piece.rule)).toEqual(["", "github-token", "", "env.key"]);
  expect(found.map((piece) => piece.text).join("")).toBe(text);
});

test("what only looks like a marker stays text", () => {
  for (const text of ["[redacted:x:12]", "[redacted::7f3a9c]", "[redacted:a b:7f3a9c]"]) {
    expect(pieces(text)).toEqual([{ text, rule: "" }]);
  }
});
