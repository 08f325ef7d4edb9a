// Which lanes are shown in what order: what a person pinned, hid, folded and sorted, over the tree of agents.

import type { Branch } from "./tree";

export const ORDERS = ["tree", "active", "events", "errors", "tokens", "name"] as const;
export type Order = (typeof ORDERS)[number];

/** By the names of agents: they outlive a page. */
export interface Arrangement {
  /** Above all others, in this order. */
  readonly pinned: readonly string[];
  readonly hidden: ReadonlySet<string>;
  /** Whose sub-agents are not shown. */
  readonly folded: ReadonlySet<string>;
  readonly order: Order;
  /** In the tree: brothers that were given a place of their own, in this order; others follow as they came. */
  readonly own: readonly string[];
  /** Without the lanes that were idle since before the visible range. */
  readonly hidesIdle: boolean;
}

export const AS_IT_COMES: Arrangement = {
  pinned: [],
  hidden: new Set(),
  folded: new Set(),
  order: "tree",
  own: [],
  hidesIdle: false,
};

/** What is asked of an agent to sort and hide it. */
export interface Facts {
  name(agent: number): string;
  events(agent: number): number;
  errors(agent: number): number;
  tokens(agent: number): number;
  lastMs(agent: number): number;
  /** Nothing of it in the visible range, and no open work. */
  isIdle(agent: number): boolean;
}

export interface Placed extends Branch {
  /** Agents below it, shown or folded away. */
  readonly below: number;
  readonly isFolded: boolean;
  readonly isPinned: boolean;
}

/** `tree`: as `order` of tree.ts made them, each before those below it. Returns also how many are not shown. */
export function arrange(
  tree: readonly Branch[],
  wanted: Arrangement,
  facts: Facts,
): { placed: Placed[]; hidden: number; idle: number } {
  const branches = inOwnOrder(tree, wanted.own, facts);
  const pins = new Map(wanted.pinned.map((name, place) => [name, place]));
  const placed: Placed[] = [];
  let hidden = 0;
  let idle = 0;
  let foldedBelow = Infinity;
  branches.forEach((branch, n) => {
    const name = facts.name(branch.agent);
    const isPinned = pins.has(name);
    if (branch.depth <= foldedBelow) foldedBelow = Infinity;
    const isInside = branch.depth > foldedBelow;
    const isFolded = wanted.folded.has(name);
    if (isFolded && foldedBelow === Infinity) foldedBelow = branch.depth;
    if (isInside && !isPinned) return;
    if (wanted.hidden.has(name)) hidden++;
    else if (wanted.hidesIdle && !isPinned && facts.isIdle(branch.agent)) idle++;
    else placed.push({ ...branch, below: below(branches, n), isFolded, isPinned });
  });
  return { placed: sorted(placed, wanted, pins, facts), hidden, idle };
}

/** The tree with its brothers in the order that a person gave them. */
function inOwnOrder(tree: readonly Branch[], own: readonly string[], facts: Facts): readonly Branch[] {
  if (own.length === 0) return tree;
  const places = new Map(own.map((name, place) => [name, place]));
  const placeOf = (n: number) => places.get(facts.name((tree[n] as Branch).agent)) ?? own.length;
  const children = new Map<number, number[]>();
  const above: number[] = [];
  tree.forEach(({ depth }, n) => {
    while (above.length > 0 && (tree[above.at(-1) as number] as Branch).depth >= depth) above.pop();
    const parent = above.at(-1) ?? -1;
    children.set(parent, [...(children.get(parent) ?? []), n]);
    above.push(n);
  });
  const found: Branch[] = [];
  const waiting = [-1];
  for (let n = waiting.pop(); n !== undefined; n = waiting.pop()) {
    if (n >= 0) found.push(tree[n] as Branch);
    const brothers = (children.get(n) ?? []).sort(
      (one, other) => placeOf(one) - placeOf(other) || one - other,
    );
    waiting.push(...brothers.reverse());
  }
  return found;
}

/** The lanes among which one may be moved: pinned ones, or in the tree those under the same parent. */
export function brothersOf(placed: readonly Placed[], agent: number, order: Order): readonly Placed[] {
  const at = placed.findIndex((lane) => lane.agent === agent);
  const lane = placed[at];
  if (!lane) return [];
  if (lane.isPinned) return placed.filter((other) => other.isPinned);
  if (order !== "tree") return [];
  let from = at;
  while (from > 0 && isWithin(placed[from - 1], lane.depth)) from--;
  let to = at + 1;
  while (to < placed.length && isWithin(placed[to], lane.depth)) to++;
  return placed.slice(from, to).filter((other) => other.depth === lane.depth);
}

function isWithin(lane: Placed | undefined, depth: number): boolean {
  return lane !== undefined && !lane.isPinned && lane.depth >= depth;
}

function below(branches: readonly Branch[], index: number): number {
  const depth = (branches[index] as Branch).depth;
  let end = index + 1;
  while (end < branches.length && (branches[end] as Branch).depth > depth) end++;
  return end - index - 1;
}

function sorted(
  placed: readonly Placed[],
  wanted: Arrangement,
  pins: ReadonlyMap<string, number>,
  facts: Facts,
): Placed[] {
  const pinned = placed
    .filter((lane) => lane.isPinned)
    .map((lane) => ({ ...lane, depth: 0 }))
    .sort((one, other) => (pins.get(facts.name(one.agent)) ?? 0) - (pins.get(facts.name(other.agent)) ?? 0));
  const rest = placed.filter((lane) => !lane.isPinned);
  if (wanted.order === "tree") return [...pinned, ...rest];
  const flat = rest.map((lane) => ({ ...lane, depth: 0 }));
  const { order } = wanted;
  if (order === "name") flat.sort((one, other) => (facts.name(one.agent) < facts.name(other.agent) ? -1 : 1));
  else {
    const key = { active: facts.lastMs, events: facts.events, errors: facts.errors, tokens: facts.tokens }[
      order
    ];
    flat.sort((one, other) => key(other.agent) - key(one.agent) || one.agent - other.agent);
  }
  return [...pinned, ...flat];
}
