// The routes of alerts (docs/alerts.md).

import type { AlertState } from "../model/alert";
import { fetchJson, sendJson } from "./client";

export type RuleKind = "count" | "error_rate" | "tokens" | "silent" | "open";

/** A rule as it is sent; which fields mean something depends on its kind. */
export interface Draft {
  readonly name: string;
  readonly kind: RuleKind;
  readonly q?: string;
  readonly limit?: number;
  readonly below?: boolean;
  readonly window: string;
  readonly by?: string;
  readonly floor?: number;
  readonly agent?: string;
  readonly for: string;
  readonly keep: string;
}

/** Values of equal steps, the newest last. */
export interface ValueCourse {
  readonly step_ms: number;
  readonly until_ms: number;
  readonly values: readonly number[];
}

export interface Rule extends Draft {
  readonly id: string;
  readonly origin: "page" | "settings";
  readonly muted: string;
  readonly threshold: number;
  readonly show: string;
  readonly state: AlertState;
  readonly since: string | null;
  readonly value: number | null;
  readonly top: string;
  readonly fired: number;
  readonly late: number;
  readonly fault: string;
  readonly column: number;
  readonly course: ValueCourse;
}

export interface AlertReport {
  readonly fault: string;
  readonly rules: readonly Rule[];
  readonly may_edit: boolean;
  readonly webhooks: readonly { readonly host: string; readonly fault: string }[];
}

export interface Trial {
  readonly complete: boolean;
  readonly fired: number;
  readonly firings: readonly { readonly since: string; readonly until: string | null }[];
  readonly course: ValueCourse;
}

export async function fetchAlerts(signal?: AbortSignal): Promise<AlertReport> {
  return (await fetchJson("/api/alerts", {}, signal)) as AlertReport;
}

export async function tryRule(draft: Draft, since: string, signal?: AbortSignal): Promise<Trial> {
  const given = Object.entries(draft).filter(([name, value]) => value !== undefined && name !== "name");
  const query = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
  return (await fetchJson("/api/alerts/trial", { ...query, since }, signal)) as Trial;
}

/** Makes a rule, or changes the one with this id. */
export async function saveRule(draft: Draft, id = ""): Promise<Rule> {
  return (await (id ? sendJson("PUT", pathOf(id), draft) : sendJson("POST", "/api/alerts", draft))) as Rule;
}

export async function removeRule(id: string): Promise<void> {
  await sendJson("DELETE", pathOf(id));
}

/** `muted`: for how long (`1h`, `forever`), or "" to be heard again. */
export async function muteRule(id: string, muted: string): Promise<void> {
  await sendJson("POST", `${pathOf(id)}/mute`, { muted });
}

function pathOf(id: string): string {
  return `/api/alerts/${encodeURIComponent(id)}`;
}
