// The numbers that the page shows as text, gathered a few times a second.

import type { Journal } from "../model/journal";
import type { LaneState } from "../model/lane";

export interface LaneFace {
  readonly agent: number;
  readonly name: string;
  readonly events: number;
  readonly errors: number;
  readonly tokens: number;
  readonly open: number;
  readonly state: LaneState;
  readonly lastMs: number;
}

export interface Face {
  readonly agents: number;
  readonly working: number;
  readonly events: number;
  readonly errors: number;
  readonly open: number;
  readonly perSecond: number;
}

export const EMPTY_FACE: Face = { agents: 0, working: 0, events: 0, errors: 0, open: 0, perSecond: 0 };

export function laneFace(journal: Journal, agent: number, nowMs: number, heardMs: number): LaneFace {
  const lane = journal.lanes[agent];
  return {
    agent,
    name: journal.agents.name(agent),
    events: lane?.events ?? 0,
    errors: lane?.errors ?? 0,
    tokens: lane?.tokens ?? 0,
    open: lane?.open ?? 0,
    state: lane?.stateAt(nowMs, heardMs) ?? "idle",
    lastMs: lane?.lastMs ?? 0,
  };
}

/** By agent: when it, or one below it, was last heard of. */
export function heardMs({ lanes, parents }: Journal): Float64Array {
  const heard = new Float64Array(lanes.length);
  for (const { agent, lastMs } of lanes) {
    for (let above = agent; above >= 0 && (heard[above] as number) < lastMs; above = parents[above] ?? -1) {
      heard[above] = lastMs;
    }
  }
  return heard;
}

/** Events a second, smoothed over about two seconds. */
export class Meter {
  private lastTotal = 0;
  private lastMs = 0;
  private rate = 0;

  read(total: number, nowMs: number): number {
    const elapsedMs = nowMs - this.lastMs;
    if (elapsedMs < 200) return this.rate;
    const fresh = Math.max(0, total - this.lastTotal) / (elapsedMs / 1000);
    const weight = elapsedMs > 4000 ? 1 : Math.min(1, elapsedMs / 1500);
    this.rate = this.rate * (1 - weight) + fresh * weight;
    if (this.rate < 0.05) this.rate = 0;
    this.lastTotal = total;
    this.lastMs = nowMs;
    return this.rate;
  }

  /** History that arrives in one go is no rate. */
  skip(total: number, nowMs: number): void {
    this.lastTotal = total;
    this.lastMs = nowMs;
    this.rate = 0;
  }
}
