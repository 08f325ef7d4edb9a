// A rule and its value in words.

import type { Rule, RuleKind } from "../../api/alert";
import { duration, short, whole } from "../../base/format";

export const KIND_NAMES: Record<RuleKind, string> = {
  count: "Events over a limit",
  error_rate: "Rate of errors",
  tokens: "Token budget",
  silent: "An agent is silent",
  open: "Work stays open",
};

export function figure(kind: RuleKind, value: number): string {
  if (kind === "silent" || kind === "open") return duration(value * 1000);
  if (kind === "error_rate") return `${Number(value.toFixed(1))} %`;
  return value < 100_000 ? whole(value) : short(value);
}

/** `more than 10 events in 5 m, by agent`. */
export function condition(rule: Rule): string {
  const { kind } = rule;
  const windowMs = durationMs(rule.window);
  const window = Number.isNaN(windowMs) ? rule.window : duration(windowMs);
  if (kind === "silent") return `silent for ${window}`;
  if (kind === "open") return `open for ${window}`;
  const by = rule.by ? `, by ${rule.by}` : "";
  const limit = figure(kind, rule.limit ?? 0);
  if (kind === "error_rate") return `over ${limit} of at least ${rule.floor ?? 0} failed in ${window}${by}`;
  const unit = kind === "tokens" ? "tokens" : "events";
  return `${rule.below ? "fewer" : "more"} than ${limit} ${unit} in ${window}${by}`;
}

/** What it looks at: a query, an agent, or everything. */
export function subject(rule: Rule): string {
  return rule.kind === "silent" ? (rule.agent ?? "") : rule.q || "all events";
}

const UNITS_MS: Record<string, number> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 };

/** `5m` in milliseconds; NaN for what is no duration. */
export function durationMs(text: string): number {
  const found = /^\s*(\d+(?:\.\d+)?)\s*([smhdw]?)\s*$/i.exec(text);
  return found ? Number(found[1]) * (UNITS_MS[(found[2] ?? "").toLowerCase() || "s"] as number) : NaN;
}
