// A session or a trace as it went: its events as steps, each with a start and an end, in a tree. Made of
// stored events, so that any moment of it can be shown again.

import { CATEGORIES, type Category, categoryOf } from "./category";
import { closesWork, isError, opensWork, parseTimeMs, type StoredEvent } from "./stored";

/** One stretch of work, or one event that stands alone. */
export interface Step {
  /** Position in `Story.steps`. */
  readonly index: number;
  readonly category: Category;
  /** What it is called: its tool or model, else its event without the ending. */
  readonly name: string;
  readonly agent: string;
  readonly startMs: number;
  /** Infinity for work of which no end is known; `startMs` for what stands alone. */
  readonly endMs: number;
  /** As its end told it, else the time between both events; Infinity and 0 as for `endMs`. */
  readonly tookMs: number;
  /** What began the work; null where only its end is known. */
  readonly start: StoredEvent | null;
  /** What ended it, or the event that stands alone; null while it is open. */
  readonly end: StoredEvent | null;
  readonly isFailed: boolean;
  /** Index of the step around it, or -1. */
  readonly parent: number;
}

export interface Branch {
  readonly step: Step;
  readonly depth: number;
  readonly hasChildren: boolean;
}

/** A stretch without any start or end. */
export interface Pause {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Story {
  /** By start; of equals what arrived first. */
  readonly steps: readonly Step[];
  readonly startMs: number;
  readonly endMs: number;
  /** By first appearance. */
  readonly agents: readonly string[];
  /** The times of all starts and ends, ascending, each once. */
  readonly momentsMs: readonly number[];
  readonly pauses: readonly Pause[];
}

interface Draft {
  start: StoredEvent | null;
  end: StoredEvent | null;
  startMs: number;
  endMs: number;
  isFailed: boolean;
  parentSpan: string;
  span: string;
}

/** Shorter ones are watched, not skipped. */
export const LEAST_PAUSE_MS = 2_500;

/** `events` in any order, of one session or trace. */
export function tellStory(events: readonly StoredEvent[]): Story {
  const timed = events.map((event) => ({ event, timeMs: parseTimeMs(event.timestamp) }));
  timed.sort((one, other) => one.timeMs - other.timeMs || one.event.seq - other.event.seq);
  const drafts = pair(timed);
  drafts.sort((one, other) => one.startMs - other.startMs || seqOf(one) - seqOf(other));
  const steps = link(drafts);
  const agents = [...new Set(timed.map(({ event }) => event.agent))];
  const moments = new Set<number>();
  for (const { startMs, endMs } of steps) {
    moments.add(startMs);
    if (endMs !== Infinity) moments.add(endMs);
  }
  const momentsMs = [...moments].sort((one, other) => one - other);
  const startMs = momentsMs[0] ?? 0;
  return {
    steps,
    agents,
    momentsMs,
    startMs,
    endMs: momentsMs.at(-1) ?? startMs,
    pauses: pausesOf(steps, momentsMs),
  };
}

function pair(timed: readonly { event: StoredEvent; timeMs: number }[]): Draft[] {
  const drafts: Draft[] = [];
  const open = new Map<string, Draft>();
  for (const { event, timeMs } of timed) {
    const span = event.span_id ?? "";
    const key = `${event.agent}/${span}`;
    const isStart = opensWork(event) && !closesWork(event);
    const known = span && closesWork(event) && !isStart ? open.get(key) : undefined;
    if (known) {
      open.delete(key);
      known.end = event;
      known.endMs = Math.max(timeMs, known.startMs);
      known.isFailed ||= isError(event);
      continue;
    }
    const draft = alone(event, timeMs);
    if (isStart && span && !open.has(key)) {
      draft.start = event;
      draft.end = null;
      draft.endMs = Infinity;
      open.set(key, draft);
    }
    drafts.push(draft);
  }
  return drafts;
}

const seqOf = (draft: Draft) => ((draft.start ?? draft.end) as StoredEvent).seq;

/** An event by itself; what tells its duration began that much earlier. */
function alone(event: StoredEvent, timeMs: number): Draft {
  return {
    start: null,
    end: event,
    startMs: timeMs - Math.max(0, event.duration_ms ?? 0),
    endMs: timeMs,
    isFailed: isError(event),
    parentSpan: event.parent_span_id ?? "",
    span: event.span_id ?? "",
  };
}

function link(drafts: readonly Draft[]): Step[] {
  const owners = new Map<string, number>();
  drafts.forEach((draft, index) => {
    const isWork = draft.start !== null || draft.endMs > draft.startMs;
    if (draft.span && isWork && !owners.has(draft.span)) owners.set(draft.span, index);
  });
  return drafts.map((draft, index) => {
    const event = (draft.end ?? draft.start) as StoredEvent;
    const own = owners.get(draft.span);
    // an event within a span names that span, or the one around it as its parent
    const around = own !== undefined && own !== index ? own : (owners.get(draft.parentSpan) ?? -1);
    const first = draft.start ?? event;
    return {
      index,
      category: categoryOfStep(first),
      name: first.tool ?? first.model ?? first.event.replace(/_(start|end|request|invocation|result)$/, ""),
      agent: event.agent,
      startMs: draft.startMs,
      endMs: draft.endMs,
      tookMs: draft.end?.duration_ms ?? draft.endMs - draft.startMs,
      start: draft.start,
      end: draft.end,
      isFailed: draft.isFailed,
      parent: around === index ? -1 : around,
    };
  });
}

function categoryOfStep(event: StoredEvent): Category {
  if (event.event === "error") return "error";
  return CATEGORIES[categoryOf(event.event)] ?? "other";
}

/** Work that is only the ground for other work, or waits for a person, is no reason to wait for its end. */
const GROUND: ReadonlySet<Category> = new Set(["life", "permission"]);

function pausesOf(steps: readonly Step[], momentsMs: readonly number[]): Pause[] {
  const busy = new Map<number, number>();
  const count = (timeMs: number, by: number) => busy.set(timeMs, (busy.get(timeMs) ?? 0) + by);
  for (const { startMs, endMs, category } of steps) {
    if (GROUND.has(category) || endMs === Infinity) continue;
    count(startMs, 1);
    count(endMs, -1);
  }
  const found: Pause[] = [];
  let open = 0;
  momentsMs.forEach((fromMs, i) => {
    open += busy.get(fromMs) ?? 0;
    const toMs = momentsMs[i + 1] ?? fromMs;
    if (open === 0 && toMs - fromMs >= LEAST_PAUSE_MS) found.push({ fromMs, toMs });
  });
  return found;
}

/** The steps as a tree, each before its children; those within `folded` ones are left out. */
export function branches(steps: readonly Step[], folded: ReadonlySet<number>): Branch[] {
  const children = new Map<number, Step[]>();
  for (const step of steps) {
    const known = children.get(step.parent);
    if (known) known.push(step);
    else children.set(step.parent, [step]);
  }
  const found: Branch[] = [];
  const seen = new Set<number>();
  const waiting: { step: Step; depth: number }[] = [];
  const push = (list: readonly Step[], depth: number) => {
    for (const step of list.toReversed()) waiting.push({ step, depth });
  };
  const walk = () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { step, depth } = next;
      if (seen.has(step.index)) continue;
      seen.add(step.index);
      const own = children.get(step.index) ?? [];
      found.push({ step, depth, hasChildren: own.length > 0 });
      if (!folded.has(step.index)) push(own, depth + 1);
      else mark(own);
    }
  };
  const mark = (list: readonly Step[]) => {
    const inside = [...list];
    for (let step = inside.pop(); step; step = inside.pop()) {
      if (seen.has(step.index)) continue;
      seen.add(step.index);
      inside.push(...(children.get(step.index) ?? []));
    }
  };
  push(children.get(-1) ?? [], 0);
  walk();
  for (const step of steps) {
    if (seen.has(step.index)) continue; // a ring of parents hangs from its first
    push([step], 0);
    walk();
  }
  return found;
}

/** What a replay of several stories goes through: each from its start on, in milliseconds since then. */
export function courseOf(stories: readonly Story[]): {
  startMs: number;
  endMs: number;
  momentsMs: number[];
  pauses: Pause[];
} {
  const moments = new Set<number>();
  for (const { startMs, momentsMs } of stories) for (const timeMs of momentsMs) moments.add(timeMs - startMs);
  const momentsMs = [...moments].sort((one, other) => one - other);
  const alone = stories.length === 1 ? stories[0] : undefined;
  const pauses = (alone?.pauses ?? []).map(({ fromMs, toMs }) => ({
    fromMs: fromMs - (alone?.startMs ?? 0),
    toMs: toMs - (alone?.startMs ?? 0),
  }));
  return { startMs: 0, endMs: momentsMs.at(-1) ?? 0, momentsMs, pauses };
}

/** Sums of what the events reported. */
export function totals(story: Story): {
  tools: number;
  models: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
} {
  const sum = { tools: 0, models: 0, errors: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };
  for (const step of story.steps) {
    if (step.category === "tool") sum.tools++;
    if (step.category === "llm") sum.models++;
    if (step.isFailed) sum.errors++;
    for (const event of [step.start, step.end]) {
      sum.inputTokens += amount(event?.["input_tokens"]);
      sum.outputTokens += amount(event?.["output_tokens"]);
      sum.costUsd += amount(event?.["cost_usd"]);
    }
  }
  return sum;
}

/** Clocks and the way to the log make two measures of one call differ a little; more is worth telling. */
const LEAST_APART_MS = 20;
const LEAST_APART_RATIO = 0.1;

/** How far apart the two events of a call lie, where its own word of how long it took is another; else NaN. */
export function apartMs(start: StoredEvent | null, end: StoredEvent | null): number {
  const told = end?.duration_ms;
  if (!start || !end || told === undefined) return NaN;
  const apart = Math.max(0, parseTimeMs(end.timestamp) - parseTimeMs(start.timestamp));
  const differsBy = Math.abs(apart - told);
  const isMuch = differsBy > LEAST_APART_MS && differsBy > LEAST_APART_RATIO * Math.max(apart, told);
  return isMuch ? apart : NaN;
}

function amount(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
