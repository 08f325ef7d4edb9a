// What the pulse is stacked by: nothing, the families of events, or the busiest agents and the rest.

import { CATEGORIES } from "./category";
import type { Journal } from "./journal";

export const STACKS = ["none", "kind", "agent"] as const;
export type Stack = (typeof STACKS)[number];

/** Agents told apart; more colours than that nobody tells apart in a strip. */
export const TOP_AGENTS = 7;
export const OTHER = "other";

const ERROR = CATEGORIES.indexOf("error");

export interface Layer {
  readonly name: string;
  /** Index into CATEGORIES, or the agent; -1 for the rest. */
  readonly index: number;
}

export interface Layers {
  readonly stack: Stack;
  readonly layers: readonly Layer[];
  /** Changes when the layers do. */
  readonly key: string;
  lineOf(agent: number, kind: number): number;
}

export function layersOf(journal: Journal, stack: Stack): Layers {
  if (stack === "none") {
    return { stack, layers: [{ name: "", index: -1 }], key: "none", lineOf: () => 0 };
  }
  if (stack === "kind") {
    const layers = CATEGORIES.map((name, index) => ({ name, index }));
    return { stack, layers, key: "kind", lineOf: (_, kind) => journal.category(kind) };
  }
  const top = busiest(journal, TOP_AGENTS);
  const lines = new Map(top.map((agent, line) => [agent, line]));
  const layers = top.map((agent) => ({ name: journal.agents.name(agent), index: agent }));
  return {
    stack,
    layers: [...layers, { name: OTHER, index: -1 }],
    key: `agent/${top.join()}`,
    lineOf: (agent) => lines.get(agent) ?? top.length,
  };
}

/** By number of events, in the order of their appearance, so that a layer keeps its place in the pile. */
function busiest(journal: Journal, count: number): number[] {
  return journal.lanes
    .filter((lane) => lane.events > 0)
    .sort((one, other) => other.events - one.events)
    .slice(0, count)
    .map((lane) => lane.agent)
    .sort((one, other) => one - other);
}

/** The order in which layers are piled, the lowest first: errors stand at the foot. */
export function pile(layers: Layers): number[] {
  const lines = layers.layers.map((_, line) => line);
  if (layers.stack !== "kind") return lines;
  return [ERROR, ...lines.filter((line) => line !== ERROR)];
}
