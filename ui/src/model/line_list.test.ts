import { beforeEach, describe, expect, test } from "vitest";
import { batch, hello, type Said } from "../testing/frames";
import { Random } from "../testing/random";
import { AS_GAP } from "./event_table";
import { Journal } from "./journal";
import { LineList, NEAR_LINES } from "./line_list";
import { FLAG_CLOSES, FLAG_ERROR, FLAG_OPENS } from "./protocol";

const BOTH = { pairs: true, repeats: true };
let journal: Journal;
let lines: LineList;

beforeEach(() => {
  journal = new Journal();
  journal.takeHello(hello());
  lines = new LineList();
  lines.fold(BOTH);
});

function say(...said: Said[]): void {
  journal.takeBatch(batch(journal.lastSeq < 0 ? 1 : journal.lastSeq + 1, said));
  lines.refresh(journal);
}

const seqs = () => Array.from({ length: lines.length }, (_, n) => journal.events.seq[lines.row(n)]);
const start = (at: number, span: string, more: Partial<Said> = {}): Said => ({
  at,
  span,
  kind: 1,
  flag: FLAG_OPENS,
  text: "ls",
  ...more,
});
const end = (at: number, span: string, more: Partial<Said> = {}): Said => ({
  at,
  span,
  kind: 2,
  flag: FLAG_CLOSES,
  text: "→ 3 files",
  ...more,
});
const others = (count: number): Said[] =>
  Array.from({ length: count }, (_, n) => ({ at: 10, agent: 1, text: `other ${n}` }));

describe("the lines of the stream", () => {
  test("an end is told in the line of its start, however late it comes", () => {
    say(start(1, "s1"), ...others(200));
    expect(lines.endTold(journal, lines.row(0))).toBe(-1);
    say(end(90, "s1"));
    expect(lines.length).toBe(201);
    expect(journal.events.seq[lines.endTold(journal, lines.row(0))]).toBe(202);
    expect(lines.lineOf(journal, 201)).toBe(0);
  });

  test("a failure is told in the line of its start only where that is near", () => {
    say(start(1, "s1"), end(2, "s1", { flag: FLAG_CLOSES | FLAG_ERROR }));
    expect(seqs()).toEqual([1]);
    say(start(3, "s2"), ...others(NEAR_LINES + 1), end(9, "s2", { flag: FLAG_CLOSES | FLAG_ERROR }));
    expect(seqs().at(-1)).toBe(journal.lastSeq);
    expect(lines.endTold(journal, lines.row(1))).toBe(-1);
  });

  test("a start that comes after its end is told in the end's line", () => {
    say(end(9, "s1", { dur: 8 }), start(1, "s1"));
    expect(seqs()).toEqual([1]);
    expect(lines.endTold(journal, lines.row(0))).toBe(1);
  });

  test("an end whose start the filter leaves out has a line", () => {
    say(start(1, "s1"), end(2, "s1"));
    journal.events.match[0] = 0;
    lines.restart();
    lines.refresh(journal);
    expect(seqs()).toEqual([2]);
  });

  test("lines alike of one agent are one, across those of others, and open one by one", () => {
    const said = { text: "again" };
    say({ at: 1, ...said }, ...others(3), { at: 2, ...said }, { at: 3, ...said });
    expect(lines.length).toBe(4);
    expect(lines.timesOf(lines.row(0))).toBe(3);
    expect(lines.lineOf(journal, 5)).toBe(0);

    lines.toggle(lines.row(0));
    lines.refresh(journal);
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
    expect([lines.isInner(4), lines.isInner(1)]).toEqual([true, false]);
    expect(lines.timesOf(0)).toBe(3);
    say({ at: 4, ...said });
    expect([lines.length, lines.timesOf(0)]).toEqual([7, 4]);

    lines.toggle(0);
    lines.refresh(journal);
    expect([lines.length, lines.timesOf(0)]).toEqual([4, 4]);
  });

  test("another line of the agent, or a gap, ends the repeats", () => {
    say({ at: 1, text: "a" }, { at: 2, text: "b" }, { at: 3, text: "a" });
    expect(lines.length).toBe(3);
    journal.takeGap({ type: "gap", from: 4, to: 9 });
    say({ at: 4, text: "a" });
    expect(lines.length).toBe(5);
    expect(journal.events.drawn[lines.row(3)]).toBe(AS_GAP);
  });

  test("a call that is made again and again is one line, its ends included", () => {
    for (let n = 0; n < 12; n++)
      say(start(n, `s${n}`), end(n + 0.5, `s${n}`, { flag: FLAG_CLOSES | FLAG_ERROR }));
    expect(lines.length).toBe(1);
    expect(lines.timesOf(lines.row(0))).toBe(12);
  });

  test("each row is told in exactly one line, and unfolded each is its own", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      journal = new Journal();
      journal.takeHello(hello());
      lines.fold(BOTH);
      const open: string[] = [];
      for (let round = 0; round < 12; round++) say(...randomWork(random, open, round));
      const told = new Map<number, number>();
      for (let row = 0; row < journal.events.end; row++) {
        const line = lines.row(lines.lineOf(journal, row));
        expect(line).toBeGreaterThanOrEqual(0);
        told.set(line, (told.get(line) ?? 0) + 1);
      }
      expect(told.size).toBe(lines.length);
      expect([...told.values()].reduce((sum, count) => sum + count, 0)).toBe(journal.events.length);

      lines.fold({ pairs: false, repeats: false });
      lines.refresh(journal);
      expect(lines.length).toBe(journal.events.length);
    }
  });
});

function randomWork(random: Random, open: string[], round: number): Said[] {
  return Array.from({ length: random.whole(40) + 1 }, (_, n): Said => {
    const at = round * 100 + n;
    if (random.chance(0.3)) {
      const span = `${round}/${n}`;
      open.push(span);
      return start(at, span, { text: `call ${random.whole(3)}` });
    }
    if (open.length > 0 && random.chance(0.4)) {
      const [span = ""] = open.splice(random.whole(open.length), 1);
      return end(at, span, random.chance(0.2) ? { flag: FLAG_CLOSES | FLAG_ERROR } : {});
    }
    return { at, agent: random.whole(2), text: `say ${random.whole(2)}` };
  });
}
