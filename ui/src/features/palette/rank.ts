// How well an entry of the palette fits what was typed.

/** Above 0 where all words of `typed` are in `text`, better at the beginning of words; 0 where not. */
export function rank(text: string, typed: string): number {
  const held = text.toLowerCase();
  let sum = 1;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = held.indexOf(word);
    if (at < 0) return 0;
    sum += at === 0 ? 4 : /[^\p{L}\p{N}]/u.test(held[at - 1] ?? "") ? 3 : 1;
  }
  return sum;
}
