import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../model/stored";
import { read, tryChat } from "./reading";

const END: StoredEvent = {
  seq: 2,
  timestamp: "2026-11-23T10:00:00Z",
  agent: "a",
  event: "tool_result",
  output: "done",
};

describe("a reading", () => {
  test("takes the input from the start and the output from the end", () => {
    const start: StoredEvent = {
      ...END,
      seq: 1,
      event: "tool_invocation",
      input: { path: "x" },
      output: undefined,
    };

    expect(read(END, start)).toMatchObject({ input: { path: "x" }, output: "done", error: null });
  });

  test("tells an error whatever its parts are made of", () => {
    const error = { type: "Boom", message: { deep: 1 } as unknown as string };

    expect(read({ ...END, error }, null).error).toEqual({ title: "Boom", message: '{"deep":1}', stack: "" });
    expect(read({ ...END, error: {} }, null).error?.title).toBe("Error");
  });

  test("tells only the tokens that were reported", () => {
    expect(read({ ...END, input_tokens: 1200, output_tokens: 0 }, null).tokens).toBe("1,200 in · 0 out");
    expect(read(END, null).tokens).toBe("");
  });
});

test("fields of its own are kept apart from those of the schema, of both events", () => {
  const start = { ...END, seq: 1, to: "coder", attempt: 1 };

  expect(read({ ...END, attempt: 2, trace_id: "7", pid: 4 }, start).own).toEqual({ to: "coder", attempt: 2 });
  expect(read(END, null).own).toBeNull();
});

describe("a chat", () => {
  test("is read from a list of messages, or from an object that holds one", () => {
    const messages = [
      { role: "user", content: "hi" },
      { role: "assistant", content: null, tool_calls: [{ id: 1 }] },
    ];
    const turns = tryChat(messages);

    expect(turns?.map((turn) => turn.role)).toEqual(["user", "assistant"]);
    expect(turns?.[1]?.text).toContain('"id": 1');
    expect(tryChat({ messages })).toEqual(turns);
  });

  test.each([[null], ["text"], [[]], [[1, 2]], [{ messages: 4 }], [[{ role: 1 }]]])(
    "is not seen in %j",
    (value) => {
      expect(tryChat(value)).toBeNull();
    },
  );
});
