// How the rules of alerts stand, as the live stream tells it (docs/protocol.md, "Live").

/** Who says in the log that a rule fires; it has no lane. */
export const ALERT_AGENT = "laneway.alerts";

export type AlertState = "ok" | "pending" | "firing" | "resolved" | "broken";

export interface AlertStanding {
  readonly id: string;
  readonly name: string;
  readonly state: AlertState;
  /** Unix milliseconds: since when it stands so. */
  readonly since: number;
  readonly value: number;
  /** The group, span or agent that the value is of. */
  readonly top: string;
  readonly muted: boolean;
}

/** All rules that are not `ok`; it holds until the next one. */
export interface Alerts {
  readonly type: "alerts";
  readonly revision: number;
  /** Rules that there are. */
  readonly count: number;
  readonly rules: readonly AlertStanding[];
}

export function isFiring(rule: AlertStanding): boolean {
  return rule.state === "firing" && !rule.muted;
}

/** Those that began to fire, and those that ended, between two reports. */
export function turned(
  before: readonly AlertStanding[],
  after: readonly AlertStanding[],
): { fired: AlertStanding[]; ended: AlertStanding[] } {
  const was = new Set(before.filter(isFiring).map((rule) => rule.id));
  const is = new Set(after.filter(isFiring).map((rule) => rule.id));
  return {
    fired: after.filter((rule) => isFiring(rule) && !was.has(rule.id)),
    ended: before.filter((rule) => isFiring(rule) && !is.has(rule.id)),
  };
}
