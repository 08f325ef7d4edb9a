// Views that a person gave a name: what the address said, kept in this browser.

import { readPref, writePref } from "./prefs";

export interface SavedView {
  readonly name: string;
  /** Of the address: "" or "?…". */
  readonly search: string;
}

const MOST = 50;
const LONGEST = 2000;

export function savedViews(): SavedView[] {
  try {
    const stored: unknown = JSON.parse(readPref("views") ?? "[]");
    return Array.isArray(stored) ? stored.filter(isView).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Under a name that is known, the new one takes the place of the old. */
export function saveView(view: SavedView): void {
  if (!isView(view)) return;
  const others = savedViews().filter(({ name }) => name !== view.name);
  writePref("views", JSON.stringify([view, ...others].slice(0, MOST)));
}

export function forgetView(name: string): void {
  writePref("views", JSON.stringify(savedViews().filter((view) => view.name !== name)));
}

function isView(value: unknown): value is SavedView {
  const { name, search } = (value ?? {}) as Partial<SavedView>;
  return (
    typeof name === "string" &&
    name.trim() !== "" &&
    name.length <= LONGEST &&
    typeof search === "string" &&
    search.length <= LONGEST
  );
}
