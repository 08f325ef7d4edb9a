// The golden vectors that the Python tests read as well: both sides agree, or one of them is wrong.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { AS_GAP } from "./event_table";
import { Journal } from "./journal";
import { type Batch, type Hello, type Message, parseMessage } from "./protocol";
import { isError, parseTimeMs, type StoredEvent, toRow } from "./stored";
import { summaryOf } from "./summary";

const FOLDER = resolve(import.meta.dirname, "../../../spec/vectors");

function vectors<T>(file: string): T[] {
  const path = resolve(FOLDER, file);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T[]) : [];
}

interface FrameVector {
  name: string;
  messages: Message[];
  events: Record<string, unknown>[];
  gaps?: [number, number][];
  parents?: Record<string, string>;
}

interface EventVector {
  name: string;
  output: StoredEvent;
}

function play(messages: readonly Message[]): Journal {
  const journal = new Journal();
  for (const message of messages) {
    const heard = parseMessage(JSON.stringify(message));
    if (heard?.type === "hello") journal.takeHello(heard as Hello);
    if (heard?.type === "batch") journal.takeBatch(heard as Batch);
    if (heard?.type === "gap") journal.takeGap(heard);
  }
  return journal;
}

function decoded(journal: Journal): { events: Record<string, unknown>[]; gaps: [number, number][] } {
  const { events: table } = journal;
  const events: Record<string, unknown>[] = [];
  const gaps: [number, number][] = [];
  for (let row = table.first; row < table.end; row++) {
    const i = table.slot(row);
    const seq = table.seq[i] as number;
    if (table.drawn[i] === AS_GAP) gaps.push([seq, seq + (table.durMs[i] as number)]);
    else {
      const durMs = table.durMs[i] as number;
      events.push({
        seq,
        ts_ms: table.tsMs[i],
        agent: journal.agents.name(table.agent[i] as number),
        kind: journal.kinds.name(table.kind[i] as number),
        session: journal.sessions.name(table.session[i] as number) || null,
        label: journal.labels.name(table.label[i] as number) || null,
        sev: table.sev[i],
        dur: durMs < 0 ? null : durMs,
        span: table.span[i],
        parent: table.parent[i],
        flag: table.flag[i],
        ...(table.tokens[i] ? { tokens: table.tokens[i] } : {}),
        text: table.text[i],
      });
    }
  }
  return { events, gaps };
}

describe("frames.json", () => {
  test("is there", () => expect(vectors("frames.json").length).toBeGreaterThanOrEqual(6));

  for (const vector of vectors<FrameVector>("frames.json")) {
    test(vector.name, () => {
      const journal = play(vector.messages);
      const found = decoded(journal);

      expect(found.events.length).toBe(vector.events.length);
      found.events.forEach((event, n) => {
        const { dur, ...wanted } = vector.events[n] as { dur: number | null };
        const { dur: gotDur, ...got } = event as { dur: number | null };
        expect(got).toEqual(wanted);
        if (dur === null) expect(gotDur).toBeNull();
        else expect(gotDur).toBeCloseTo(dur, 2);
      });
      expect(found.gaps).toEqual(vector.gaps ?? []);
      for (const [agent, parent] of Object.entries(vector.parents ?? {})) {
        expect(journal.agents.name(journal.parents[journal.agents.find(agent)] ?? -1)).toBe(parent);
      }
    });
  }
});

describe("valid.json", () => {
  for (const { name, output } of vectors<EventVector>("valid.json")) {
    test(name, () => {
      const journal = new Journal();
      const row = toRow({ ...output, seq: 1 }, journal);

      expect(journal.agents.name(row.agent)).toBe(output.agent);
      expect(journal.kinds.name(row.kind)).toBe(output.event);
      expect(Math.abs(row.tsMs - Date.parse(output.timestamp))).toBeLessThan(1);
      expect(row.text.length).toBeLessThanOrEqual(200);
      expect(row.text).not.toMatch(/\n/);
      expect((row.flag & 4) !== 0).toBe(isError(output));
    });
  }
});

describe("summaries.json", () => {
  test("is there", () => expect(vectors("summaries.json").length).toBeGreaterThanOrEqual(20));

  for (const { event, line } of vectors<{ event: StoredEvent; line: string }>("summaries.json")) {
    test(line, () => expect(summaryOf(event)).toBe(line));
  }
});

test("a time keeps its microseconds", () => {
  expect(parseTimeMs("2026-11-23T10:00:00.123456Z")).toBeCloseTo(
    Date.parse("2026-11-23T10:00:00.123Z") + 0.456,
    3,
  );
});
