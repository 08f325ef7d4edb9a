// What was taken out of an event before it was stored, found by the markers that stand there now.

import { pieces } from "../../base/redaction";

export interface Redaction {
  /** The place in the event, as its tree writes it: `input.headers.authorization`. */
  readonly path: string;
  readonly rule: string;
  /** Equal for equal secrets. */
  readonly tag: string;
}

/** More than these are not listed: the tree has them all. */
const MOST = 50;
const DEEPEST = 64;

export function redactionsOf(value: unknown): Redaction[] {
  const found: Redaction[] = [];
  walk(value, "", 0, found);
  return found;
}

function walk(value: unknown, path: string, depth: number, found: Redaction[]): void {
  if (found.length >= MOST || depth > DEEPEST) return;
  if (typeof value === "string") note(value, path, found);
  else if (Array.isArray(value)) value.forEach((item, n) => walk(item, `${path}[${n}]`, depth + 1, found));
  else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      walk(item, path ? `${path}.${key}` : key, depth + 1, found);
    }
  }
}

function note(text: string, path: string, found: Redaction[]): void {
  if (!text.includes("[redacted:")) return;
  for (const { text: marker, rule } of pieces(text)) {
    if (rule && found.length < MOST) found.push({ path, rule, tag: marker.slice(-7, -1) });
  }
}
