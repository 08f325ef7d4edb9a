import { describe, expect, test } from "vitest";
import { Random } from "../testing/random";
import { batch, hello, type Said } from "../testing/frames";
import { Journal } from "./journal";
import { MEASURES, PulseGrid, type PulseSource } from "./pulse_grid";
import { layersOf, OTHER, pile, type Stack, STACKS, TOP_AGENTS } from "./pulse_layers";

const AGENTS = 12;
const KINDS = ["log", "tool_invocation", "tool_result", "error"];

function journalOf(said: readonly Said[]): Journal {
  const journal = new Journal();
  const agents = Array.from({ length: AGENTS }, (_, n) => [`agent${n}`, -1] as const);
  journal.takeHello(hello({ agents, kinds: KINDS }));
  if (said.length > 0) journal.takeBatch(batch(1, said));
  return journal;
}

function sourceOf(journal: Journal, stack: Stack): PulseSource & { layers: ReturnType<typeof layersOf> } {
  const layers = layersOf(journal, stack);
  return {
    events: journal.events,
    spans: journal.spans,
    version: layers.key,
    lines: layers.layers.length,
    lineOf: layers.lineOf,
    isToolEnd: (kind) => journal.kinds.name(kind) === "tool_result",
    layers,
  };
}

function anything(random: Random, count: number): Said[] {
  return Array.from({ length: count }, (_, n) => {
    const kind = random.whole(KINDS.length);
    return {
      at: 1000 + random.whole(60_000),
      agent: Math.min(random.whole(AGENTS), random.whole(AGENTS)),
      kind,
      flag: (kind === 2 ? 2 : 0) | (kind === 1 ? 1 : 0) | (random.chance(0.1) ? 4 : 0),
      dur: random.chance(0.5) ? random.whole(4000) : -1,
      tokens: random.chance(0.3) ? random.whole(5000) : 0,
      span: kind === 1 || kind === 2 ? `s${random.whole(Math.max(1, n))}` : "",
    };
  });
}

/** The same, by looking at every event for every bin. */
function brute(journal: Journal, source: PulseSource, line: number, fromMs: number, toMs: number) {
  const { events } = journal;
  const found = { events: 0, errors: 0, tokens: 0, durations: 0, calls: 0 };
  for (let row = events.first; row < events.end; row++) {
    const i = events.slot(row);
    const at = events.tsMs[i] as number;
    const kind = events.kind[i] as number;
    if (at < fromMs || at >= toMs || source.lineOf(events.agent[i] as number, kind) !== line) continue;
    found.events++;
    if ((events.flag[i] as number) & 4) found.errors++;
    found.tokens += events.tokens[i] as number;
    const dur = events.durMs[i] as number;
    if (journal.kinds.name(kind) === "tool_result" && dur >= 0) {
      found.durations += dur;
      found.calls++;
    }
  }
  return found;
}

function bruteOpen(
  journal: Journal,
  source: PulseSource,
  line: number,
  fromMs: number,
  toMs: number,
): number {
  const { spans } = journal;
  let open = 0;
  for (let span = spans.first; span < spans.end; span++) {
    const i = spans.slot(span);
    if (source.lineOf(spans.agent[i] as number, spans.kind[i] as number) !== line) continue;
    const endMs = Math.min(spans.endMs[i] as number, 70_000);
    if ((spans.startMs[i] as number) < toMs && endMs >= fromMs && endMs >= (spans.startMs[i] as number))
      open++;
  }
  return open;
}

describe("the pulse counts what looking at every event counts", () => {
  for (const stack of STACKS) {
    test(`stacked by ${stack}, whatever comes and however the view moves`, () => {
      const random = new Random(11);
      const said = anything(random, 1200);
      const journal = journalOf(said.slice(0, 300));
      const grid = new PulseGrid();
      for (const [n, from, to, step] of [
        [600, 0, 30_000, 500],
        [900, 5000, 40_000, 500],
        [1200, 0, 64_000, 2000],
      ] as const) {
        journal.takeBatch(batch(journal.lastSeq + 1, said.slice(journal.lastSeq, n)));
        const source = sourceOf(journal, stack);
        grid.refresh(source, from, to, step);
        grid.countOpen(source, 70_000);
        for (let bin = grid.binAt(from); bin <= grid.binAt(to); bin++) {
          const [start, end] = [grid.startMs(bin), grid.startMs(bin + 1)];
          let [sum, calls] = [0, 0];
          for (let line = 0; line < source.lines; line++) {
            const wanted = brute(journal, source, line, start, end);
            expect(grid.at("events", line, bin)).toBe(wanted.events);
            expect(grid.at("errors", line, bin)).toBe(wanted.errors);
            expect(grid.at("tokens", line, bin)).toBe(wanted.tokens);
            expect(grid.at("open", line, bin)).toBe(bruteOpen(journal, source, line, start, end));
            sum += wanted.durations;
            calls += wanted.calls;
          }
          expect(grid.total("latency", bin)).toBeCloseTo(calls ? sum / calls : 0, 6);
        }
      }
    });
  }

  test("and the layers of a bin add up to the same whatever they are", () => {
    const journal = journalOf(anything(new Random(3), 500));
    const totals = STACKS.map((stack) => {
      const grid = new PulseGrid();
      const source = sourceOf(journal, stack);
      grid.refresh(source, 0, 64_000, 1000);
      grid.countOpen(source, 70_000);
      return MEASURES.map((measure) =>
        Array.from({ length: grid.bins }, (_, bin) => Math.round(grid.total(measure, bin) * 1e6)),
      );
    });
    expect(totals[1]).toEqual(totals[0]);
    expect(totals[2]).toEqual(totals[0]);
  });
});

test("new events are added to what was counted", () => {
  const journal = journalOf(anything(new Random(5), 100));
  const grid = new PulseGrid();
  const source = sourceOf(journal, "none");
  grid.refresh(source, 0, 64_000, 1000);
  journal.takeBatch(batch(101, anything(new Random(6), 100)));
  grid.refresh(source, 0, 64_000, 1000);
  expect(grid.recounts).toBe(1);
  expect(grid.counts.reduce((sum, count) => sum + count, 0)).toBe(200);
});

test("the busiest agents have a layer each, and the rest one together", () => {
  const { layers } = layersOf(journalOf(anything(new Random(9), 900)), "agent");
  expect(layers.length).toBe(TOP_AGENTS + 1);
  expect(layers.at(-1)?.name).toBe(OTHER);
});

test("errors stand at the foot of a pile of families, and no layer is lost", () => {
  const layers = layersOf(journalOf([]), "kind");
  const order = pile(layers);
  expect(layers.layers[order[0] as number]?.name).toBe("error");
  expect([...order].sort((one, other) => one - other)).toEqual(layers.layers.map((_, line) => line));
});
