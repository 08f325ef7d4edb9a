import { describe, expect, test } from "vitest";
import { batch, excerpt, hello, type Said } from "../testing/frames";
import { Random } from "../testing/random";
import { AS_GAP, AS_INSTANT, emptyRow } from "./event_table";
import { Journal } from "./journal";
import { FLAG_CLOSES, FLAG_ERROR, FLAG_OPENS, ProtocolError } from "./protocol";

const START: Said = { at: 100, kind: 1, label: 0, span: "s", flag: FLAG_OPENS };
const END: Said = { at: 900, kind: 2, label: 0, span: "s", flag: FLAG_CLOSES, dur: 800 };

function journalOf(...events: Said[]): Journal {
  const journal = new Journal();
  journal.takeHello(hello());
  journal.takeBatch(batch(1, events));
  return journal;
}

function barsOf(journal: Journal) {
  const { spans } = journal;
  return Array.from({ length: spans.length }, (_, n) => {
    const i = spans.slot(spans.first + n);
    return {
      start: spans.startMs[i],
      end: spans.endMs[i],
      failed: spans.failed[i] === 1,
      open: spans.openSeq[i],
      close: spans.closeSeq[i],
    };
  });
}

function rowsOf(journal: Journal) {
  const { events } = journal;
  return Array.from({ length: events.length }, (_, n) => {
    const i = events.slot(events.first + n);
    const seq = events.seq[i] as number;
    return events.drawn[i] === AS_GAP ? `gap ${seq}-${seq + (events.durMs[i] as number) - 1}` : seq;
  });
}

describe("a start and its end", () => {
  test("make one bar", () => {
    expect(barsOf(journalOf(START, END))).toEqual([
      { start: 100, end: 900, failed: false, open: 1, close: 2 },
    ]);
  });

  test("make an open bar while the end is to come", () => {
    const journal = journalOf(START);
    expect(barsOf(journal)).toEqual([{ start: 100, end: Infinity, failed: false, open: 1, close: -1 }]);
    expect([journal.lanes[0]?.state, journal.spans.openCount]).toEqual(["working", 1]);

    journal.takeBatch(batch(2, [END]));
    expect([journal.lanes[0]?.state, journal.spans.openCount]).toEqual(["idle", 0]);
  });

  test("are paired when the end is told first", () => {
    expect(barsOf(journalOf(END, START))).toEqual([
      { start: 100, end: 900, failed: false, open: 2, close: 1 },
    ]);
    expect(barsOf(journalOf({ ...END, dur: -1 }, START))).toEqual([
      { start: 100, end: 900, failed: false, open: 2, close: 1 },
    ]);
  });

  test("told twice are still one bar", () => {
    expect(barsOf(journalOf(START, START, END)).filter((bar) => bar.end === Infinity)).toEqual([]);
    expect(journalOf(START, START, END).spans.length).toBe(1);
  });

  test("of another agent with the same span id are another bar", () => {
    const journal = journalOf(START, { ...START, agent: 1 }, { ...END, agent: 1 });

    expect(barsOf(journal).map((bar) => bar.end)).toEqual([Infinity, 900]);
    expect(journal.lanes.map((lane) => lane.open)).toEqual([1, 0]);
  });

  test("with an error make a failed bar", () => {
    const journal = journalOf(START, { ...END, flag: FLAG_CLOSES | FLAG_ERROR });

    expect(barsOf(journal)[0]?.failed).toBe(true);
    expect([journal.lanes[0]?.state, journal.errors]).toEqual(["failed", 1]);
  });
});

describe("an event by itself", () => {
  test("with a duration is a bar that ended when it was told", () => {
    expect(barsOf(journalOf(END))).toEqual([{ start: 100, end: 900, failed: false, open: -1, close: 1 }]);
    expect(barsOf(journalOf({ at: 50, dur: 20 }))).toEqual([
      { start: 30, end: 50, failed: false, open: -1, close: 1 },
    ]);
  });

  test("without one is an instant", () => {
    const journal = journalOf(
      { at: 5 },
      { at: 6, flag: FLAG_OPENS },
      { at: 7, flag: FLAG_CLOSES, span: "lost" },
    );

    expect([...journal.events.drawn.slice(0, 3)]).toEqual([AS_INSTANT, AS_INSTANT, AS_INSTANT]);
    expect(journal.spans.length).toBe(0);
  });
});

describe("any sequence of starts and ends", () => {
  test("leaves each event in a bar or an instant, and as many open bars as starts without end", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed);
      const told: Said[] = [];
      let endless = 0;
      for (let n = 0; n < 80; n++) {
        const start = { at: n * 10, agent: random.whole(2), kind: 1, span: `s${n}`, flag: FLAG_OPENS };
        told.push(start);
        if (random.chance(0.15)) endless++;
        else
          told.push({
            ...start,
            at: n * 10 + random.next() * 50,
            kind: 2,
            flag: FLAG_CLOSES,
            dur: random.chance(0.5) ? 5 : -1,
          });
      }
      const shuffled = told
        .map((event) => ({ event, order: random.next() }))
        .sort((a, b) => a.order - b.order);
      const journal = journalOf(...shuffled.map(({ event }) => event));

      expect(journal.spans.openCount).toBe(endless);
      expect(journal.lanes.reduce((sum, lane) => sum + lane.open, 0)).toBe(endless);
      expect(journal.spans.length).toBe(80);
    }
  });
});

describe("the order of arrival", () => {
  test("events that come again over a reconnect are taken once", () => {
    const journal = journalOf({ at: 1 }, { at: 2 }, { at: 3 });
    expect(journal.takeHello(hello())).toBe(true);
    journal.takeBatch(batch(2, [{ at: 2 }, { at: 3 }, { at: 4 }]));

    expect(rowsOf(journal)).toEqual([1, 2, 3, 4]);
    expect(journal.total).toBe(4);
  });

  test("another epoch empties everything", () => {
    const journal = journalOf(START, { at: 2 });
    expect(journal.takeHello(hello({ epoch: "e2", agents: [["writer", -1]] }))).toBe(false);
    journal.takeBatch(batch(1, [{ at: 9 }]));

    expect(rowsOf(journal)).toEqual([1]);
    expect([journal.total, journal.spans.length]).toEqual([1, 0]);
    expect([...journal.present()].map((agent) => journal.agents.name(agent))).toEqual(["writer"]);
  });

  test("a gap is a row, announced or not", () => {
    const journal = journalOf({ at: 1 });
    journal.takeGap({ type: "gap", from: 2, to: 5 });
    journal.takeBatch(batch(5, [{ at: 2 }]));
    journal.takeBatch(batch(9, [{ at: 3 }]));

    expect(rowsOf(journal)).toEqual([1, "gap 2-4", 5, "gap 6-8", 9]);
    expect(journal.total).toBe(3);
  });

  test("what came before the history is a gap at its head", () => {
    const journal = new Journal();
    journal.takeHello(hello({ seq: 41 }));
    journal.takeBatch(batch(40, [{ at: 1 }, { at: 2 }]));

    expect(rowsOf(journal)).toEqual(["gap 1-39", 40, 41]);
    expect(journal.startsLate).toBe(true);
  });

  test("who sees a part has heard of all that a batch covers, and misses none of it", () => {
    const journal = new Journal();
    journal.takeHello(hello());
    journal.takeBatch(excerpt(1, 8, [2, 6]));
    journal.takeBatch(excerpt(8, 20, []));
    journal.takeBatch(excerpt(20, 30, [20, 29]));
    expect([rowsOf(journal), journal.lastSeq]).toEqual([[2, 6, 20, 29], 29]);

    journal.takeBatch(excerpt(35, 40, [36]));
    expect([rowsOf(journal), journal.lastSeq]).toEqual([[2, 6, 20, 29, "gap 30-34", 36], 39]);
  });

  test("who sees a part misses nothing after older events were fetched", () => {
    const journal = new Journal();
    journal.takeHello(hello());
    journal.takeBatch(excerpt(10, 20, [12]));
    journal.merge([{ ...emptyRow(), seq: 4, agent: 0, kind: 0 }], []);
    expect([rowsOf(journal), journal.lastSeq]).toEqual([[4, 12], 19]);

    journal.takeBatch(excerpt(20, 25, [24]));
    expect(rowsOf(journal)).toEqual([4, 12, 24]);
  });

  test("an agent of which the hub counted events has a lane, also after a rebuild", () => {
    const journal = journalOf({ at: 1 });
    const names = () => [...journal.present()].map((agent) => journal.agents.name(agent));
    journal.hearOf(["planner", "old hand"]);
    expect(names()).toEqual(["planner", "old hand"]);
    journal.merge([], []);
    expect(names()).toEqual(["planner", "old hand"]);
    journal.takeHello(hello({ epoch: "e2" }));
    expect(names()).toEqual([]);
  });

  test("holes say where in time events are missing", () => {
    const journal = new Journal();
    journal.takeHello(hello({ seq: 41 }));
    journal.takeBatch(batch(40, [{ at: 1000 }, { at: 2000 }]));
    journal.takeGap({ type: "gap", from: 42, to: 50 });
    journal.takeBatch(batch(50, [{ at: 9000 }]));

    expect(journal.holes()).toEqual([
      { from: 1, to: 40, fromMs: -Infinity, toMs: 1000 },
      { from: 42, to: 50, fromMs: 2000, toMs: 9000 },
    ]);
    const fetched = { ...emptyRow(), seq: 10, tsMs: 100 };
    journal.merge(
      [fetched],
      [
        { type: "gap", from: 1, to: 10 },
        { type: "gap", from: 11, to: 40 },
        { type: "gap", from: 42, to: 50 },
      ],
    );
    expect(journal.holes().map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
      [-Infinity, 100],
      [100, 1000],
      [2000, 9000],
    ]);
  });

  test.each([
    [60_000, 1],
    [16 * 60_000, 0],
  ])("work that began before a hole of %i ms goes on: %i", (lengthMs, open) => {
    const journal = new Journal();
    journal.takeHello(hello({ seq: 41 }));
    journal.takeBatch(batch(40, [{ at: 5000 + lengthMs }, { at: 6000 + lengthMs }]));
    const fetched = { ...emptyRow(), seq: 10, tsMs: 5000, kind: 1, span: "s", flag: FLAG_OPENS };
    journal.merge([fetched], [{ type: "gap", from: 11, to: 40 }]);

    expect(journal.openWork).toBe(open);
    expect(barsOf(journal)[0]?.end).toBe(open ? Infinity : 5000);
  });

  test("work that reaches into what is here has its bar, and is no news of what the agent does", () => {
    const journal = new Journal();
    journal.takeHello(hello({ seq: 41 }));
    journal.takeBatch(batch(40, [{ at: 50_000_000 }, { at: 50_001_000 }]));
    const kind = journal.kinds.index("agent_start");
    const began = { ...emptyRow(), seq: 10, tsMs: 5000, kind, span: "s", flag: FLAG_OPENS, text: "tides" };
    const ended = { ...emptyRow(), seq: 20, tsMs: 9000, durMs: 6000, kind, span: "t", flag: FLAG_CLOSES };
    journal.merge([], [{ type: "gap", from: 1, to: 40 }]);
    expect(journal.reach([ended, began], [10])).toBe(true);
    expect(journal.reach([began, ended], [10])).toBe(false);

    const bars = [
      { start: 5000, end: Infinity, failed: false, open: 10, close: -1 },
      { start: 3000, end: 9000, failed: false, open: -1, close: 20 },
    ];
    expect(barsOf(journal)).toEqual(bars);
    expect(journal.spanName(0)).toBe("tides");
    expect([journal.openWork, journal.total, journal.firstMs]).toEqual([0, 2, 50_000_000]);
    expect(rowsOf(journal)).toEqual(["gap 1-39", 40, 41]);

    journal.merge([began], [{ type: "gap", from: 11, to: 40 }]); // it is here now, and goes on over the hole
    expect(barsOf(journal)).toEqual(bars);
    expect(journal.openWork).toBe(1);
    const end = { ...began, seq: 42, tsMs: 50_002_000, flag: FLAG_CLOSES };
    journal.merge([end], [{ type: "gap", from: 11, to: 40 }]);
    expect(barsOf(journal)[0]).toEqual({ ...bars[0], end: 50_002_000, close: 42 });
    expect(journal.openWork).toBe(0);
  });

  test("events that were fetched fill their gap, as if they had come in time", () => {
    const journal = journalOf(START);
    journal.takeGap({ type: "gap", from: 2, to: 4 });
    journal.takeBatch(batch(4, [{ at: 1000 }]));
    const fetched = { ...emptyRow(), seq: 2, tsMs: 900, kind: 2, label: 0, span: "s", flag: FLAG_CLOSES };
    journal.merge([fetched], [{ type: "gap", from: 3, to: 4 }]);

    expect(rowsOf(journal)).toEqual([1, 2, "gap 3-3", 4]);
    expect(barsOf(journal)).toEqual([{ start: 100, end: 900, failed: false, open: 1, close: 2 }]);
    journal.takeBatch(batch(5, [{ at: 1001 }]));
    expect(rowsOf(journal).at(-1)).toBe(5);
  });
});

describe("dictionaries", () => {
  test("grow with the batches, and hold for their connection only", () => {
    const journal = journalOf({ at: 1 });
    journal.takeBatch(
      batch(2, [{ at: 2, agent: 2, kind: 4 }], { agents: [["memory", 1]], kinds: ["learning"] }),
    );
    journal.takeHello(
      hello({
        agents: [
          ["memory", -1],
          ["planner", -1],
        ],
        kinds: ["learning", "log"],
      }),
    );
    journal.takeBatch(
      batch(3, [
        { at: 3, agent: 0, kind: 0 },
        { at: 4, agent: 1, kind: 1 },
      ]),
    );

    const { events, agents, kinds } = journal;
    const names = [0, 1, 2, 3].map(
      (i) => `${agents.name(events.agent[i] as number)} ${kinds.name(events.kind[i] as number)}`,
    );
    expect(names).toEqual(["planner log", "memory learning", "memory learning", "planner log"]);
    expect(journal.lanes[agents.find("memory")]?.events).toBe(2);
  });

  test("may learn a parent later, and survive a ring of parents", () => {
    const journal = journalOf({ at: 1 }, { at: 2, agent: 1 });
    journal.takeBatch(batch(3, [{ at: 3 }], { parents: [[0, 1]] }));

    expect(journal.parents).toEqual([1, 0]);
    expect([...journal.present()].sort()).toEqual([0, 1]);
  });

  test("take any name for a name", () => {
    const journal = new Journal();
    journal.takeHello(
      hello({
        agents: [
          ["__proto__", -1],
          ["constructor", 0],
          ["", -1],
          ["🦉 دليل", -1],
        ],
      }),
    );
    journal.takeBatch(
      batch(
        1,
        [0, 1, 2, 3].map((agent) => ({ at: agent, agent })),
      ),
    );

    expect([...journal.present()].map((agent) => journal.agents.name(agent)).sort()).toEqual([
      "",
      "__proto__",
      "constructor",
      "🦉 دليل",
    ]);
  });

  test("an index that nobody told is an error of the protocol", () => {
    const journal = journalOf({ at: 1 });

    expect(() => journal.takeBatch(batch(2, [{ at: 2, agent: 77 }]))).toThrow(ProtocolError);
    expect(() => new Journal().takeBatch(batch(1, [{ at: 1 }]))).toThrow(ProtocolError);
  });
});
