// Everything that the Insights show, asked of the hub together; the old figures stay until the new ones came.

import { toldOf } from "../../api/client";
import { ALERT_AGENT } from "../../model/alert";
import {
  type Duration,
  type Facet,
  type Failures,
  fetchDurations,
  fetchFacets,
  fetchFailures,
  fetchPulse,
  fetchSlowest,
  fetchUsage,
  type Pulse,
  type Usage,
} from "../../api/report";
import type { StoredEvent } from "../../model/stored";
import type { Period } from "./period";

const ROWS = "50";
const SLOWEST = "10";
const FAILURES = "30";
/** That an agent or a session took as long as all it did is no news. */
const CALLS = "-event:(agent_end,session_end)";
/** What the hub says of alerts is no agent's work: it has no lane, either. */
const AGENTS = `-agent:${ALERT_AGENT}`;
const MOST_AGENTS = "1000";

export class Report {
  agents = $state.raw<Pulse | null>(null);
  facet = $state.raw<Facet | null>(null);
  tools = $state.raw<readonly Duration[] | null>(null);
  models = $state.raw<readonly Duration[] | null>(null);
  usage = $state.raw<readonly Usage[]>([]);
  total = $state.raw<Usage | null>(null);
  failures = $state.raw<Failures | null>(null);
  slowest = $state.raw<readonly StoredEvent[] | null>(null);
  problem = $state("");
  /** Of another filter or period than the one asked for; figures that only grow older are not. */
  isStale = $state(false);
  private turn = 0;
  private question = "";

  get agentCount(): number {
    const alerts = this.facet?.values.some(({ value }) => value === ALERT_AGENT) ? 1 : 0;
    return (this.facet?.distinct ?? 0) - alerts;
  }

  async load(q: string, period: Period, signal: AbortSignal): Promise<void> {
    const turn = ++this.turn;
    const asked = { q, since: period.since };
    const question = JSON.stringify([q, period.name]);
    if (question !== this.question) this.isStale = this.question !== "";
    this.question = question;
    const take = async <T>(answer: Promise<T>, put: (value: T) => void) => {
      const value = await answer;
      if (turn === this.turn && !signal.aborted) put(value);
    };
    const parts = [
      take(
        fetchPulse({ ...asked, q: `${q ? `(${q}) ` : ""}${AGENTS}`, by: "agent", step: period.step }, signal),
        (it) => (this.agents = it),
      ),
      take(
        fetchFacets({ ...asked, by: "agent", limit: MOST_AGENTS }, signal),
        (it) => (this.facet = it[0] ?? null),
      ),
      take(fetchUsage(asked, signal), (it) => (this.total = it[0] ?? null)),
      take(fetchFailures({ ...asked, limit: FAILURES }, signal), (it) => (this.failures = it)),
      take(fetchDurations({ ...asked, by: "tool", limit: ROWS }, signal), (it) => (this.tools = it)),
      take(fetchDurations({ ...asked, by: "model", limit: ROWS }, signal), (it) => (this.models = it)),
      take(fetchUsage({ ...asked, by: "model", limit: ROWS }, signal), (it) => (this.usage = it)),
      take(
        fetchSlowest({ ...asked, q: `${q ? `(${q}) ` : ""}${CALLS}`, limit: SLOWEST }, signal),
        (it) => (this.slowest = it),
      ),
    ];
    const ended = await Promise.allSettled(parts);
    if (turn !== this.turn || signal.aborted) return;
    const failed = ended.find((one) => one.status === "rejected");
    this.problem = failed ? toldOf(failed.reason) : "";
    this.isStale = false;
  }
}
