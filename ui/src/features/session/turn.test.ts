import { describe, expect, it } from "vitest";
import type { StoredEvent } from "../../model/stored";
import { tellStory } from "../../model/story";
import { headline, lineOf, offset, priceOf, tookOf, turnsOf } from "./turn";

let seq = 0;
const event = (ms: number, name: string, more: Partial<StoredEvent> = {}): StoredEvent => ({
  seq: ++seq,
  timestamp: new Date(1_700_000_000_000 + ms).toISOString(),
  agent: "planner",
  event: name,
  ...more,
});

describe("the turns of a transcript", () => {
  it("say what was called, and with what", () => {
    const { steps } = tellStory([
      event(0, "tool_invocation", { tool: "shell", span_id: "a", input: { command: "ls" } }),
      event(40, "tool_result", { tool: "shell", span_id: "a", output: "x" }),
      event(50, "error", { error: { type: "E", message: "went wrong" } }),
      event(60, "tool_invocation", { tool: "shell", span_id: "b", input: { command: "cat" } }),
    ]);
    expect(steps.map(lineOf)).toEqual(["$ ls", "went wrong", "$ cat"]);
    expect(tookOf(steps[2] as never, Infinity)).toBe("no end");
    expect(tookOf(steps[0] as never, Infinity)).toBe("40 ms");
    expect(tookOf(steps[0] as never, (steps[0] as { startMs: number }).startMs)).toBe("running");
  });

  it("are indented below the agent that spawned theirs, also in a ring of parents", () => {
    const story = tellStory([
      event(0, "user_message"),
      event(1, "decision", { agent: "coder", parent_agent: "planner" }),
      event(2, "decision", { agent: "a", parent_agent: "b" }),
      event(3, "decision", { agent: "b", parent_agent: "a" }),
    ]);
    expect(turnsOf(story, { models: true, logs: true }).map((turn) => turn.depth)).toEqual([0, 1, 1, 1]);
  });

  it("leave model calls and log lines out on request, but never a failure", () => {
    const story = tellStory([
      event(0, "llm_response", { model: "m" }),
      event(1, "llm_response", { model: "m", error: { type: "E" } }),
      event(2, "log"),
    ]);
    expect(turnsOf(story, { models: false, logs: false }).length).toBe(1);
    expect(turnsOf(story, { models: true, logs: true }).length).toBe(3);
  });

  it("tell tokens and cost only where they were reported", () => {
    expect(priceOf(event(0, "x", { input_tokens: 1200, output_tokens: 5, cost_usd: 0.01 }))).toBe(
      "1,200 → 5 tokens · $0.0100",
    );
    expect(priceOf(event(0, "x", { output_tokens: 5 }))).toBe("? → 5 tokens");
    expect(priceOf(event(0, "x"))).toBe("");
  });

  it("count time from the start", () => {
    expect([offset(7239, 9000), offset(83, 120), offset(7239, 20_000)]).toEqual([
      "0:07.23",
      "0:00.083",
      "0:07.2",
    ]);
    expect([offset(7230), offset(760_000), offset(3_723_400), offset(-5)]).toEqual([
      "0:07.2",
      "12:40.0",
      "1:02:03.4",
      "0:00.0",
    ]);
  });
});

describe("the headline of a question", () => {
  it("is its first line that says something, without the marks of a heading", () => {
    expect(headline("\n## Fix it\n\nnow")).toBe("Fix it");
    expect(headline("#1 is broken")).toBe("#1 is broken");
    expect(headline("# \n")).toBe("");
  });
});
