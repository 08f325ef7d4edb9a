// Messages of a hub, made in few words.

import type { Batch, Hello, NewNames } from "../model/protocol";

export interface Said {
  readonly at: number;
  readonly agent?: number;
  readonly kind?: number;
  readonly session?: number;
  readonly label?: number;
  readonly sev?: number;
  readonly dur?: number;
  readonly span?: string;
  readonly parent?: string;
  readonly flag?: number;
  readonly tokens?: number;
  readonly text?: string;
}

export function hello(more: Partial<Hello> = {}): Hello {
  return {
    type: "hello",
    v: 1,
    epoch: "e1",
    seq: 0,
    now: 0,
    version: "test",
    agents: [
      ["planner", -1],
      ["coder", 0],
    ],
    kinds: ["log", "tool_invocation", "tool_result", "error"],
    sessions: ["s1"],
    labels: ["shell"],
    ...more,
  };
}

/** What a reader gets who sees some of the events `[seq0, to)` only: those with these seqs. */
export function excerpt(seq0: number, to: number, seq: readonly number[]): Batch {
  return { ...batch(seq0, seq.map((at) => ({ at }))), seq, to }; // prettier-ignore
}

export function batch(seq0: number, events: readonly Said[], news?: NewNames): Batch {
  const column = <T>(value: (event: Said) => T) => events.map(value);
  return {
    type: "batch",
    seq0,
    n: events.length,
    t0: 0,
    dt: column((event) => event.at),
    agent: column((event) => event.agent ?? 0),
    kind: column((event) => event.kind ?? 0),
    session: column((event) => event.session ?? -1),
    label: column((event) => event.label ?? -1),
    sev: column((event) => event.sev ?? 1),
    dur: column((event) => event.dur ?? -1),
    span: column((event) => event.span ?? ""),
    parent: column((event) => event.parent ?? ""),
    flag: column((event) => event.flag ?? 0),
    tokens: column((event) => event.tokens ?? 0),
    text: column((event) => event.text ?? ""),
    ...(news ? { new: news } : {}),
  };
}
