import { expect, test } from "vitest";
import { redactionsOf } from "./redactions";

const SECRET = "[redacted:bearer:0a1b2c]";

test("each marker is told with its place, its rule and its tag", () => {
  const event = {
    agent: "coder",
    input: { headers: [`Authorization: ${SECRET}`, "none"], note: `${SECRET} and [redacted:email:ffffff]` },
  };
  expect(redactionsOf(event)).toEqual([
    { path: "input.headers[0]", rule: "bearer", tag: "0a1b2c" },
    { path: "input.note", rule: "bearer", tag: "0a1b2c" },
    { path: "input.note", rule: "email", tag: "ffffff" },
  ]);
});

test("whatever an event is made of, the list ends", () => {
  let deep: unknown = SECRET;
  for (let n = 0; n < 5000; n++) deep = [deep];
  expect(redactionsOf(deep)).toEqual([]);
  expect(redactionsOf(Array.from({ length: 500 }, () => SECRET)).length).toBe(50);
  expect(redactionsOf(null)).toEqual([]);
});
