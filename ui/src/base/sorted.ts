// Searches in sorted columns. `at` reads element i, so that rings and plain arrays are searched alike.

/** The first index in [0, length) whose value is >= `wanted`; `length` if there is none. */
export function lowerBound(length: number, at: (index: number) => number, wanted: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
