// The order of the lanes: each agent under the one that spawned it, brothers by first appearance.

export interface Branch {
  readonly agent: number;
  readonly depth: number;
}

/** `parents[agent]` is an agent or -1. Agents in a ring of parents hang from the one seen first. */
export function order(parents: readonly number[], isShown: (agent: number) => boolean): Branch[] {
  const children = parents.map((): number[] => []);
  const roots: number[] = [];
  parents.forEach((parent, agent) => (children[parent] ?? roots).push(agent));
  const placed = new Set<number>();
  const found: Branch[] = [];
  const place = (root: number): void => {
    const waiting: Branch[] = [{ agent: root, depth: 0 }];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      if (placed.has(next.agent)) continue;
      placed.add(next.agent);
      const isVisible = isShown(next.agent);
      if (isVisible) found.push(next);
      const depth = next.depth + (isVisible ? 1 : 0);
      for (const child of (children[next.agent] ?? []).toReversed()) waiting.push({ agent: child, depth });
    }
  };
  roots.forEach(place);
  parents.forEach((_, agent) => place(agent));
  return found;
}
