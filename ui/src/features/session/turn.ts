// How a step of a story reads in its transcript.

import { duration, whole } from "../../base/format";
import { callsOf, gist, line } from "../../base/gist";
import type { Step, Story } from "../../model/story";
import type { StoredEvent } from "../../model/stored";

export type Manner =
  /** What people and agents said to each other: whole, as text. */
  | "speech"
  /** A call of a tool or a model: one line that opens. */
  | "call"
  /** An agent or session begins: a heading. */
  | "scene"
  /** Anything else: one line. */
  | "note";

export interface Turn {
  readonly step: Step;
  readonly manner: Manner;
  /** Steps of indentation: how far below the first agent this one was spawned. */
  readonly depth: number;
}

const SPEECH = new Set(["user", "reply"]);
const CALLS = new Set(["tool", "llm", "permission"]);
const MAX_DEPTH = 5;

/** What a reader is shown; model calls and log lines only where they are asked for. */
export function turnsOf(story: Story, shown: { readonly models: boolean; readonly logs: boolean }): Turn[] {
  const depths = depthsOf(story);
  return story.steps
    .filter((step) => step.isFailed || isShown(step, shown))
    .map((step) => ({ step, manner: mannerOf(step), depth: depths.get(step.agent) ?? 0 }));
}

function isShown(step: Step, shown: { readonly models: boolean; readonly logs: boolean }): boolean {
  if (step.category === "llm") return shown.models;
  if (step.category === "log") return shown.logs;
  return true;
}

function mannerOf(step: Step): Manner {
  if (SPEECH.has(step.category)) return "speech";
  if (CALLS.has(step.category)) return "call";
  return step.category === "life" && !step.isFailed ? "scene" : "note";
}

function depthsOf(story: Story): Map<string, number> {
  const parents = new Map<string, string>();
  for (const { start, end, agent } of story.steps) {
    const parent = (start ?? end)?.["parent_agent"];
    if (typeof parent === "string" && parent !== agent && !parents.has(agent)) parents.set(agent, parent);
  }
  const depths = new Map<string, number>();
  for (const agent of story.agents) {
    let depth = 0;
    const seen = new Set([agent]);
    for (let up = parents.get(agent); up && !seen.has(up) && depth < MAX_DEPTH; up = parents.get(up)) {
      seen.add(up);
      if (story.agents.includes(up)) depth++;
    }
    depths.set(agent, depth);
  }
  return depths;
}

/** What was said, or what the step is about, as far as it is text. */
export function wordsOf(step: Step): string {
  for (const event of [step.end, step.start]) {
    const text = event?.content;
    if (typeof text === "string" && text) return text;
  }
  return "";
}

/** The first line that says something, without the marks of a heading. */
export function headline(text: string): string {
  const first = text.split("\n").find((one) => /[^\s#]/.test(one)) ?? "";
  return first.replace(/^\s*#{1,6}\s+/, "").trim();
}

/** One line beside the name. */
export function lineOf(step: Step): string {
  if (step.category === "tool" || step.category === "permission")
    return gist(step.start?.input ?? step.end?.input) || line(wordsOf(step));
  if (step.category === "life" && !step.isFailed)
    return line(step.start ? (step.start.content ?? gist(step.start.input)) : wordsOf(step));
  if (step.category === "llm")
    return line(wordsOf(step) || callsOf(step.end?.output) || step.end?.output || "");
  return line(step.end?.error?.message ?? (wordsOf(step) || (step.end ?? step.start)?.output || ""));
}

/** "1,204 → 96 tokens · $0.0021": only what was reported. */
export function priceOf(event: StoredEvent | null): string {
  const [into, out, cost] = [event?.["input_tokens"], event?.["output_tokens"], event?.["cost_usd"]];
  const tokens =
    typeof into === "number" || typeof out === "number"
      ? `${typeof into === "number" ? whole(into) : "?"} → ${typeof out === "number" ? whole(out) : "?"} tokens`
      : "";
  const money = typeof cost === "number" && cost > 0 ? `$${cost.toFixed(4)}` : "";
  return [tokens, money].filter(Boolean).join(" · ");
}

/** How long it took as seen at `atMs`: "" for what stands alone. */
export function tookOf(step: Step, atMs: number): string {
  if (step.endMs === step.startMs) return "";
  if (step.endMs === Infinity) return "no end";
  if (step.endMs > atMs) return "running";
  return duration(step.tookMs);
}

/** 0:07.2, 12:40.0, 1:02:03.4: time since the start; of what took less than ten seconds in all finer, 0:07.21
    or 0:00.214. */
export function offset(ms: number, wholeMs = Infinity): string {
  const places = wholeMs < 1000 ? 3 : wholeMs < 10_000 ? 2 : 1;
  const unitMs = 1000 / 10 ** places;
  const passedMs = Math.max(0, Math.floor(ms / unitMs + 1e-6) * unitMs);
  const [hours, minutes, seconds] = [
    Math.floor(passedMs / 3_600_000),
    Math.floor(passedMs / 60_000) % 60,
    (passedMs % 60_000) / 1000,
  ];
  const tail = seconds.toFixed(places).padStart(3 + places, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
