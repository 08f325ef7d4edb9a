// The last queries of this browser, newest first.

import { readPref, writePref } from "./prefs";

const MOST = 12;
const LONGEST = 500;

export function recentQueries(): string[] {
  try {
    const stored: unknown = JSON.parse(readPref("queries") ?? "[]");
    return Array.isArray(stored) ? stored.filter((query) => typeof query === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function rememberQuery(query: string): void {
  if (!query || query.length > LONGEST) return;
  const others = recentQueries().filter((known) => known !== query);
  writePref("queries", JSON.stringify([query, ...others].slice(0, MOST)));
}
