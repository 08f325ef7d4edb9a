// What an object holds: for tests that nothing grows without end.

type Sized = ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | readonly unknown[] | ArrayBufferView;

/** The lists, maps and sets that can be reached from `root`, by the way to them, with how much is in each. */
export function holdings(root: object): Map<string, number> {
  const found = new Map<string, number>();
  const seen = new Set<unknown>();
  const waiting: [way: string, value: unknown][] = [["", root]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [way, value] = next;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (isSized(value)) found.set(way, sizeOf(value));
    if (ArrayBuffer.isView(value)) continue;
    const inner = value instanceof Map || value instanceof Set ? [...value.values()] : Object.entries(value);
    for (const one of inner) {
      const isNamed = Array.isArray(one) && !(value instanceof Map || value instanceof Set);
      waiting.push(isNamed ? [`${way}.${String(one[0])}`, one[1]] : [`${way}[]`, one]);
    }
  }
  return found;
}

function isSized(value: object): value is Sized {
  return Array.isArray(value) || value instanceof Map || value instanceof Set || ArrayBuffer.isView(value);
}

function sizeOf(value: Sized): number {
  if (value instanceof Map || value instanceof Set) return value.size;
  return ArrayBuffer.isView(value) ? (value as Uint8Array).length : (value as readonly unknown[]).length;
}
