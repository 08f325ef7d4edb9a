import { beforeEach, describe, expect, test } from "vitest";
import { batch, hello, type Said } from "../testing/frames";
import { Random } from "../testing/random";
import { BinGrid } from "./bin_grid";
import { Journal } from "./journal";
import { FLAG_CLOSES, FLAG_OPENS } from "./protocol";
import { RowList } from "./row_list";
import { judgeAll, judgeFrom, judgeMore, Verdict } from "./verdict";

let journal: Journal;
let verdict: Verdict;

beforeEach(() => {
  journal = new Journal();
  journal.takeHello(hello());
  verdict = new Verdict();
  judgeAll(journal, verdict);
});

function arrive(seq0: number, said: readonly Said[]): void {
  const firstRow = journal.events.end;
  journal.takeBatch(batch(seq0, said));
  judgeFrom(journal, verdict, firstRow);
}

function shown(list: RowList): number[] {
  list.refresh(journal.events);
  return Array.from({ length: list.length }, (_, n) => journal.events.seq[list.row(n)] as number);
}

describe("a verdict", () => {
  test("holds a row back until the hub has looked at it, in whatever order the two connections speak", () => {
    const list = new RowList();
    arrive(1, [{ at: 1 }, { at: 2, agent: 1 }, { at: 3 }]);
    expect(shown(list)).toEqual([]);

    verdict.add([2]);
    verdict.until = 3;
    expect(judgeMore(journal, verdict)).toBe(true);
    expect(shown(list)).toEqual([2]);

    verdict.add([3, 5]); // said before the events themselves came
    verdict.until = 6;
    judgeMore(journal, verdict);
    arrive(4, [{ at: 4 }, { at: 5 }]);
    expect(shown(list)).toEqual([2, 3, 5]);
    expect([...verdict.agents].sort()).toEqual([0, 1]);
  });

  test("shows what it always showed once there is no query", () => {
    arrive(1, [{ at: 1 }, { at: 2 }]);
    judgeAll(journal, null);
    expect(shown(new RowList())).toEqual([1, 2]);
  });

  test("lets a bar match if any of its rows does, also where both came at once", () => {
    const pair = (n: number): Said[] => [
      { at: n, kind: 1, span: `s${n}`, flag: FLAG_OPENS },
      { at: n + 1, kind: 2, span: `s${n}`, flag: FLAG_CLOSES },
    ];
    arrive(1, [...pair(10), ...pair(20), ...pair(30)]);
    verdict.add([1, 4]);
    verdict.until = 7;
    judgeMore(journal, verdict);
    const bars = () => [0, 1, 2].map((bar) => journal.spans.match[journal.spans.slot(bar)]);
    expect(bars()).toEqual([1, 1, 0]);
    judgeAll(journal, verdict);
    expect(bars()).toEqual([1, 1, 0]);
  });

  test("a gap is shown: what was not sent may match", () => {
    journal.takeGap({ type: "gap", from: 1, to: 9 });
    judgeFrom(journal, verdict, 0);
    verdict.until = 9;
    judgeMore(journal, verdict);
    expect(shown(new RowList())).toEqual([1]);
  });

  test("rows and counts agree with it, however arrivals and words of the hub mix", () => {
    const random = new Random(21);
    const list = new RowList();
    const grid = new BinGrid();
    const wanted = new Set<number>();
    let arrived = 0;
    let heard = 0;
    for (let round = 0; round < 300; round++) {
      if (random.chance(0.5)) {
        const count = 1 + random.whole(20);
        arrive(
          arrived + 1,
          Array.from({ length: count }, (_, n) => ({ at: arrived + 1 + n })),
        );
        arrived += count;
      } else {
        const upTo = heard + 1 + random.whole(20);
        for (let seq = heard + 1; seq <= upTo; seq++) {
          if (!random.chance(0.3)) continue;
          wanted.add(seq);
          verdict.add([seq]);
        }
        heard = upTo;
        verdict.until = heard + 1;
        judgeMore(journal, verdict);
      }
      const known = [...wanted].filter((seq) => seq <= Math.min(arrived, heard));
      expect(shown(list)).toEqual(known);
      grid.refresh({ events: journal.events, version: "1", lines: 1, lineOf: () => 0 }, 0, 10_000, 10_001);
      expect(grid.at(0, grid.binAt(1))).toBe(known.length);
    }
    expect(grid.recounts).toBe(1);
  });
});
