import { expect, test } from "vitest";
import { Random } from "../testing/random";
import { SeqSet } from "./seq_set";

test("it holds what was added, and nothing else", () => {
  const random = new Random(3);
  const set = new SeqSet();
  const plain = new Set<number>();
  const bases = [0, 4090, 10_000_000_000];
  for (let n = 0; n < 3000; n++) {
    const seq = random.pick(bases) + random.whole(9000);
    set.add(seq);
    plain.add(seq);
  }
  for (const base of bases) {
    for (let seq = base; seq < base + 9000; seq++) expect(set.has(seq)).toBe(plain.has(seq));
  }
});
