import { describe, expect, it } from "vitest";
import { Random } from "../testing/random";
import { apartMs, branches, LEAST_PAUSE_MS, tellStory, totals } from "./story";
import type { StoredEvent } from "./stored";

let seq = 0;
const at = (ms: number) => new Date(1_700_000_000_000 + ms).toISOString();
const event = (ms: number, name: string, more: Partial<StoredEvent> = {}): StoredEvent => ({
  seq: ++seq,
  timestamp: at(ms),
  agent: "planner",
  event: name,
  ...more,
});

describe("the story of a session", () => {
  it("joins the start and the end of work to one step, and leaves what stands alone alone", () => {
    const story = tellStory([
      event(0, "user_message", { content: "hi" }),
      event(10, "tool_invocation", { tool: "read", span_id: "a" }),
      event(60, "tool_result", { tool: "read", span_id: "a", duration_ms: 50 }),
    ]);
    expect(story.steps.map((step) => [step.name, step.endMs - step.startMs])).toEqual([
      ["user_message", 0],
      ["read", 50],
    ]);
    expect(story.momentsMs.length).toBe(3);
  });

  it("tells work without an end as open, and an end without a start by its duration", () => {
    const story = tellStory([
      event(0, "llm_request", { model: "m", span_id: "a" }),
      event(100, "tool_result", { tool: "x", span_id: "b", duration_ms: 40 }),
    ]);
    expect(story.steps.map((step) => step.endMs - step.startMs)).toEqual([Infinity, 40]);
    expect(story.endMs - story.startMs).toBe(100);
  });

  it("tells how far apart the events of a call lie where the call says another length", () => {
    const start = event(0, "tool_invocation", { span_id: "a" });
    const end = (ms: number, told?: number) =>
      event(ms, "tool_result", { span_id: "a", ...(told === undefined ? {} : { duration_ms: told }) });
    expect(apartMs(start, end(3000, 1200))).toBe(3000);
    expect(apartMs(start, end(100, 900))).toBe(100);
    expect(apartMs(start, end(110, 100))).toBeNaN();
    expect(apartMs(start, end(10_500, 10_000))).toBeNaN();
    expect(apartMs(start, end(3000))).toBeNaN();
    expect(apartMs(null, end(3000, 10))).toBeNaN();
  });

  it("hangs steps from the spans around them, and folds what is folded", () => {
    const { steps } = tellStory([
      event(0, "agent_start", { span_id: "root" }),
      event(1, "tool_invocation", { tool: "t", span_id: "a", parent_span_id: "root" }),
      event(2, "log", { span_id: "a" }),
      event(3, "tool_result", { tool: "t", span_id: "a" }),
      event(4, "decision", { parent_span_id: "root" }),
      event(9, "agent_end", { span_id: "root" }),
    ]);
    const told = (folded: number[]) =>
      branches(steps, new Set(folded)).map(({ step, depth }) => `${depth} ${step.name}`);
    expect(told([])).toEqual(["0 agent", "1 t", "2 log", "1 decision"]);
    expect(told([1])).toEqual(["0 agent", "1 t", "1 decision"]);
    expect(told([0])).toEqual(["0 agent"]);
  });

  it("takes a ring of parents for what it is and shows each of them once", () => {
    const { steps } = tellStory([
      event(0, "agent_start", { span_id: "a", parent_span_id: "b" }),
      event(1, "agent_start", { span_id: "b", parent_span_id: "a" }),
    ]);
    expect(branches(steps, new Set()).length).toBe(2);
  });

  it("does not join the spans of two agents that share an id", () => {
    const { steps } = tellStory([
      event(0, "tool_invocation", { span_id: "a", agent: "one" }),
      event(5, "tool_result", { span_id: "a", agent: "two" }),
    ]);
    expect(steps.length).toBe(2);
  });

  it("finds the stretches in which nothing began or ended", () => {
    const { pauses, startMs } = tellStory([
      event(0, "log"),
      event(LEAST_PAUSE_MS - 1, "log"),
      event(3 * LEAST_PAUSE_MS, "log"),
    ]);
    expect(pauses.map(({ fromMs, toMs }) => [fromMs - startMs, toMs - startMs])).toEqual([
      [LEAST_PAUSE_MS - 1, 3 * LEAST_PAUSE_MS],
    ]);
  });

  it("takes a long call for work, and not for a pause", () => {
    const { pauses } = tellStory([
      event(0, "agent_start", { span_id: "root" }),
      event(10, "tool_invocation", { span_id: "a", tool: "t" }),
      event(10 + 2 * LEAST_PAUSE_MS, "tool_result", { span_id: "a", tool: "t" }),
      event(20 + 4 * LEAST_PAUSE_MS, "agent_end", { span_id: "root" }),
    ]);
    expect(pauses.length).toBe(1);
  });

  it("adds up what was reported and nothing else", () => {
    const sum = totals(
      tellStory([
        event(0, "llm_request", { span_id: "a" }),
        event(1, "llm_response", { span_id: "a", input_tokens: 5, output_tokens: 2, cost_usd: 0.5 }),
        event(2, "tool_result", { input_tokens: "many", error: { type: "E" } }),
      ]),
    );
    expect(sum).toEqual({ tools: 1, models: 1, errors: 1, inputTokens: 5, outputTokens: 2, costUsd: 0.5 });
  });

  it("loses no event and shows every step once, whatever comes", () => {
    const random = new Random(11);
    const names = ["tool_invocation", "tool_result", "agent_start", "agent_end", "log", "error"];
    for (let round = 0; round < 300; round++) {
      const spans = ["", "a", "b", "c", "d"];
      const events = Array.from({ length: 1 + random.whole(40) }, () =>
        event(random.whole(50), names[random.whole(names.length)] as string, {
          agent: `agent-${random.whole(2)}`,
          span_id: spans[random.whole(5)] as string,
          parent_span_id: spans[random.whole(5)] as string,
        }),
      );
      const { steps } = tellStory(events);
      const told = steps.flatMap((step) => [step.start, step.end]).filter((one) => one !== null);
      expect(told.map((one) => one.seq).sort((a, b) => a - b)).toEqual(events.map((one) => one.seq));
      const shown = branches(steps, new Set());
      expect(new Set(shown.map(({ step }) => step.index)).size).toBe(steps.length);
      expect(shown.length).toBe(steps.length);
      for (const step of steps) expect(step.endMs).toBeGreaterThanOrEqual(step.startMs);
    }
  });
});
