import { expect, test } from "vitest";
import { batch, hello, type Said } from "../testing/frames";
import { holdings } from "../testing/holdings";
import { Random } from "../testing/random";
import { Journal } from "./journal";
import { Lane } from "./lane";
import { LineList } from "./line_list";
import { Pairing } from "./pairing";
import { FLAG_CLOSES, FLAG_OPENS } from "./protocol";
import { RowList } from "./row_list";
import { SpanTable } from "./span_table";
import { emptyRow } from "./event_table";
import { judgeAll, judgeFrom, Verdict } from "./verdict";

const EVENTS = 1 << 13;
const SPANS = 1 << 12;
/** Of names that one connection told. */
const CONNECTION = 6000;
/** Above all that is kept of what left memory. */
const BOUND = 1 << 15;

/** A hub of which each event has names that nobody ever had before; it begins its dictionaries anew, as hubs do. */
class Crowd {
  seq = 1;
  told = 0;
  /** By seq: what its event was called. */
  readonly session = new Map<number, string>();
  readonly agent = new Map<number, string>();

  constructor(
    private readonly journal: Journal,
    private readonly random: Random,
  ) {}

  connect(): void {
    this.told = 0;
    this.journal.takeHello(
      hello({ agents: [], kinds: ["log", "tool_invocation", "tool_result"], sessions: [], labels: [] }),
    );
  }

  say(count: number): void {
    const first = this.told;
    const said = Array.from({ length: count }, (_, n): Said => {
      const seq = this.seq + n;
      this.session.set(seq, `session ${seq}`);
      this.agent.set(seq, `agent ${seq}`);
      const index = first + n;
      const kind = this.random.whole(3);
      const flag = [0, FLAG_OPENS, FLAG_CLOSES][kind] ?? 0;
      const dur = this.random.chance(0.3) ? 5 : -1;
      return {
        at: seq,
        agent: index,
        session: index,
        label: index,
        kind,
        flag,
        dur,
        span: `span ${seq}`,
        text: `text ${seq}`,
      };
    });
    const news = {
      agents: said.map((_, n) => [`agent ${this.seq + n}`, -1] as const),
      sessions: said.map((_, n) => `session ${this.seq + n}`),
      labels: said.map((_, n) => `label ${this.seq + n}`),
    };
    this.journal.takeBatch(batch(this.seq, said, news));
    this.seq += count;
    this.told += count;
  }

  skip(count: number): void {
    this.journal.takeGap({ type: "gap", from: this.seq, to: this.seq + count });
    this.seq += count;
  }
}

test("what is kept of the past is bound by what is in memory, whatever comes", () => {
  const journal = new Journal(EVENTS, SPANS);
  const verdict = new Verdict();
  const lists = { rows: new RowList(), lines: new LineList() };
  lists.lines.fold({ pairs: true, repeats: true });
  const crowd = new Crowd(journal, new Random(5));
  crowd.connect();
  judgeAll(journal, verdict);
  for (let round = 0; round < 1200; round++) {
    if (crowd.told > CONNECTION) {
      crowd.connect();
      if (journal.forgetNames()) judgeAll(journal, verdict);
    }
    const firstRow = journal.events.end;
    const from = crowd.seq;
    crowd.say(120);
    if (round % 3 === 0) crowd.skip(40);
    verdict.add(Array.from({ length: 160 }, (_, n) => from + n));
    verdict.until = crowd.seq;
    judgeFrom(journal, verdict, firstRow);
    lists.rows.refresh(journal.events);
    lists.lines.refresh(journal);
  }

  const sizes = holdings({ journal, verdict, ...lists });
  expect(sizes.size).toBeGreaterThan(30);
  expect([...sizes].filter(([, size]) => size > BOUND)).toEqual([]);
  expect(sizes.get(".journal.gapRows")).toBeLessThan(journal.gaps().length + 10); // of 400
  expect(verdict.found.size).toBeLessThan(4 * EVENTS);
  expect(journal.present().size).toBeLessThan(EVENTS + CONNECTION + 4096);
  // and what is in memory is still called what it was called
  const { events } = journal;
  for (let row = events.first; row < events.end; row++) {
    const i = events.slot(row);
    const seq = events.seq[i] as number;
    if (!crowd.session.has(seq) || events.session[i] === -1) continue;
    expect(journal.sessions.name(events.session[i] as number)).toBe(crowd.session.get(seq));
    expect(journal.agents.name(events.agent[i] as number)).toBe(crowd.agent.get(seq));
    expect(journal.labels.name(events.label[i] as number)).toBe(`label ${seq}`);
  }
});

test("agents that were heard of last keep their lane, with those above them, when others are forgotten", () => {
  const journal = new Journal(EVENTS, SPANS);
  const crowd = new Crowd(journal, new Random(6));
  crowd.connect();
  crowd.say(1);
  journal.setParent(journal.agents.index("agent 1"), journal.agents.index("above all"));
  crowd.say(20_000);
  journal.setParent(journal.agents.index("agent 11500"), journal.agents.index("agent 2"));
  crowd.connect();
  expect(journal.forgetNames()).toBe(true);

  const present = journal.present();
  const isThere = (name: string) => present.has(journal.agents.find(name));
  expect(["agent 1", "above all", "agent 3"].map(isThere)).toEqual([false, false, false]);
  expect(["agent 11500", "agent 2", "agent 19000"].map(isThere)).toEqual([true, true, true]);
  expect(journal.forgetNames()).toBe(false); // nothing new since
});

test("an agent that takes the number of a forgotten one begins with nothing", () => {
  const journal = new Journal(EVENTS, SPANS);
  const crowd = new Crowd(journal, new Random(7));
  crowd.connect();
  crowd.say(20_000);
  crowd.connect();
  const { rebuildVersion } = journal;
  journal.forgetNames();
  expect(journal.rebuildVersion).toBe(rebuildVersion + 1);

  const agent = journal.agents.index("new here");
  expect([agent < 20_000, journal.lanes[agent]?.events, journal.parents[agent]]).toEqual([true, 0, -1]);
});

test("work whose bar left memory still ends, and no more is waited for than is bound", () => {
  const spans = new SpanTable(SPANS);
  const pairing = new Pairing(spans, () => "tool_invocation");
  const lane = new Lane(0);
  const opens = (seq: number) => ({ ...emptyRow(), seq, tsMs: seq, flag: FLAG_OPENS, span: `s${seq}` });
  for (let seq = 1; seq <= 10_000; seq++) pairing.take(opens(seq), lane);
  expect(lane.open).toBe(10_000);
  for (let seq = 1; seq <= 10_000; seq++)
    pairing.take({ ...opens(seq), flag: FLAG_CLOSES, tsMs: 20_000 }, lane);
  expect([lane.open, spans.openCount]).toEqual([0, 0]);

  for (let seq = 1; seq <= 50_000; seq++) pairing.take(opens(seq), lane);
  expect(lane.open).toBe(1 << 14);
});
