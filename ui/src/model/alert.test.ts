import { describe, expect, test } from "vitest";
import { type AlertStanding, type AlertState, turned } from "./alert";
import { parseMessage, ProtocolError } from "./protocol";

function rule(id: string, state: AlertState, muted = false): AlertStanding {
  return { id, name: id, state, since: 0, value: 1, top: "", muted };
}

describe("what turned between two reports", () => {
  test("is what fires now and did not before", () => {
    const { fired, ended } = turned([rule("a", "firing")], [rule("a", "firing"), rule("b", "firing")]);
    expect(fired.map((one) => one.id)).toEqual(["b"]);
    expect(ended).toEqual([]);
  });

  test("is what resolved, was muted or was removed", () => {
    const before = [rule("a", "firing"), rule("b", "firing"), rule("c", "firing")];
    const { ended } = turned(before, [rule("a", "resolved"), rule("b", "firing", true)]);
    expect(ended.map((one) => one.id)).toEqual(["a", "b", "c"]);
  });

  test("is not what waits or was muted all along", () => {
    expect(turned([], [rule("a", "pending"), rule("b", "firing", true)]).fired).toEqual([]);
  });
});

describe("the message of the stream", () => {
  test("is read", () => {
    const told = { type: "alerts", revision: 3, count: 1, rules: [rule("a", "firing")] };
    expect(parseMessage(JSON.stringify(told))).toEqual(told);
  });

  test("is refused where it has no rules", () => {
    expect(() => parseMessage('{"type": "alerts", "revision": 1, "count": 0}')).toThrow(ProtocolError);
  });
});
