import { describe, expect, test } from "vitest";
import { batch, hello } from "../testing/frames";
import { parseMessage, ProtocolError } from "./protocol";

describe("a frame", () => {
  test("comes out as it was sent", () => {
    for (const message of [
      hello(),
      batch(1, [{ at: 1 }]),
      { type: "gap", from: 1, to: 2 },
      { type: "beat", now: 1, seq: 2, lag_bytes: 0 },
    ]) {
      expect(parseMessage(JSON.stringify(message))).toEqual(message);
    }
  });

  test("of a reader who sees a part has a seq for each event, and an end", () => {
    const part = { ...batch(1, [{ at: 0 }]), seq: [4], to: 9 };
    expect(parseMessage(JSON.stringify(part))).toEqual(part);
    for (const wrong of [{ seq: [4, 5] }, { to: undefined }]) {
      expect(() => parseMessage(JSON.stringify({ ...part, ...wrong }))).toThrow(ProtocolError);
    }
  });

  test("of a type from the future is passed over", () => {
    expect(parseMessage('{"type":"weather","sky":"blue"}')).toBeNull();
  });

  test.each([
    ["not json", "{"],
    ["a list", "[]"],
    ["null", "null"],
    ["a column too short", JSON.stringify({ ...batch(1, [{ at: 1 }]), dur: [] })],
    ["a column missing", JSON.stringify({ ...batch(1, [{ at: 1 }]), text: undefined })],
    ["another version", JSON.stringify(hello({ v: 2 }))],
    ["hello without a dictionary", JSON.stringify({ ...hello(), kinds: null })],
    ["a gap without an end", '{"type":"gap","from":1}'],
    ["a count that is no number", JSON.stringify({ ...batch(1, []), seq0: "1" })],
  ])("with %s is refused", (_, frame) => {
    expect(() => parseMessage(frame)).toThrow(ProtocolError);
  });
});
