// The hub's HTTP routes that the page uses. Every failure is an ApiError that a person can read.

import type { Term } from "../model/filter";
import type { StoredEvent } from "../model/stored";

/** Long enough for a network to settle. */
const REPEAT_MS = 300;

/** Called where the hub does not let the page in, and did before, as far as is known. */
let sessionEnded: () => unknown = () => undefined;

export function onSessionEnd(act: () => unknown): void {
  sessionEnded = act;
}

export class ApiError extends Error {
  /** `status` is 0 where no answer came at all. */
  constructor(
    readonly status: number,
    message: string,
    readonly hint = "",
    /** Where in the query the fault stands, from 1; 0 where it stands nowhere there. */
    readonly column = 0,
  ) {
    super(message);
  }
}

/** What went wrong, and what to do: as sentences. */
export function toldOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint = error instanceof ApiError ? error.hint : "";
  return [error.message, hint && hint.charAt(0).toUpperCase() + hint.slice(1)]
    .filter(Boolean)
    .map((text) => (/[.!?…]$/.test(text) ? text : `${text}.`))
    .join(" ");
}

export interface Page {
  readonly events: readonly StoredEvent[];
  readonly next: string | null;
}

/** `ref` is an event id or `@SEQ`. */
export async function fetchEvent(ref: string, signal?: AbortSignal): Promise<StoredEvent> {
  return (await request(`/api/events/${encodeURIComponent(ref)}`, signal ? { signal } : {})) as StoredEvent;
}

export async function fetchEvents(
  query: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Page> {
  const search = new URLSearchParams(query).toString();
  return (await request(`/api/events?${search}`, signal ? { signal } : {})) as Page;
}

export interface SeqPage {
  readonly seqs: readonly number[];
  readonly next: string | null;
  readonly scan?: { readonly complete: boolean; readonly passed_bytes: number; readonly total_bytes: number };
}

/** Which events of `[from, to)` a query finds, newest first; `cursor` is the `next` of the page before. */
export async function fetchSeqs(
  query: string,
  range: { readonly from: number; readonly to: number; readonly cursor: string },
  signal?: AbortSignal,
): Promise<SeqPage> {
  const search = new URLSearchParams({ q: query, from: String(range.from), to: String(range.to) });
  if (range.cursor) search.set("cursor", range.cursor);
  return (await request(`/api/seqs?${search}`, signal ? { signal } : {})) as SeqPage;
}

/** The conditions of a query, as the hub reads it. */
export async function fetchTerms(query: string): Promise<readonly Term[]> {
  const plan = await request(`/api/explain?${new URLSearchParams({ q: query })}`);
  return (plan as { terms: readonly Term[] }).terms;
}

export interface SidePart {
  readonly bytes: Uint8Array;
  /** Of the whole file. */
  readonly total: number;
}

/** Where a side file is that the event with this seq names. */
export function sidePath(sha256: string, seq: number): string {
  return `/api/side/${encodeURIComponent(sha256)}?event=${encodeURIComponent(`@${seq}`)}`;
}

/** A part of a side file; it may begin or end within a character. */
export async function fetchSide(
  sha256: string,
  seq: number,
  offset: number,
  limit: number,
  signal?: AbortSignal,
): Promise<SidePart> {
  const path = `${sidePath(sha256, seq)}&offset=${offset}&limit=${limit}`;
  const response = await send(path, signal ? { signal } : {});
  if (!response.ok) throw problemOf(response, await readJson(response));
  const bytes = new Uint8Array(await response.arrayBuffer());
  const total = Number(/\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1] ?? bytes.length);
  return { bytes, total };
}

/** "in", "out", or "unreachable" where nothing answers. */
export async function checkAccess(): Promise<"in" | "out" | "unreachable"> {
  try {
    await request("/auth/state");
    return "in";
  } catch (error) {
    return error instanceof ApiError && (error.status === 401 || error.status === 403)
      ? "out"
      : "unreachable";
  }
}

/** Trades a one-time code for the session cookie. */
export async function exchangeCode(code: string): Promise<void> {
  await request("/auth/exchange", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
}

/** Any other route that answers JSON. */
export async function fetchJson(
  path: string,
  query: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<unknown> {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  return request(search.size > 0 ? `${path}?${search}` : path, signal ? { signal } : {});
}

/** Changes something; raises ApiError. */
export async function sendJson(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
): Promise<unknown> {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method, ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }) });
}

async function request(path: string, options: RequestInit = {}): Promise<unknown> {
  const response = await send(path, options);
  const body = await readJson(response);
  if (response.ok) return body;
  throw problemOf(response, body);
}

/** A question is asked twice: a browser breaks off what is under way, to this machine too, when a network
 * comes or goes. */
async function send(path: string, options: RequestInit, mayRepeat = !options.method): Promise<Response> {
  try {
    const response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
    if (response.status === 401 && path.startsWith("/api/")) sessionEnded();
    return response;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    if (mayRepeat) {
      await new Promise((resolve) => setTimeout(resolve, REPEAT_MS));
      return send(path, options, false);
    }
    throw new ApiError(0, "The hub does not answer.", "Is `laneway up` running?");
  }
}

function problemOf(response: Response, body: unknown): ApiError {
  const problem = (body ?? {}) as { message?: string; hint?: string; column?: number };
  return new ApiError(
    response.status,
    problem.message ?? `The hub answered ${response.status}.`,
    problem.hint,
    problem.column,
  );
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}
