// Unified diffs line by line, and the change from one text to another as such lines.

export type DiffKind = "added" | "removed" | "hunk" | "meta" | "same";

export interface DiffLine {
  readonly kind: DiffKind;
  readonly text: string;
}

const SIGNS: Readonly<Record<string, DiffKind>> = { "+": "added", "-": "removed", " ": "same", "": "same" };
/** Lines of the old and new text that are shown around a change. */
const CONTEXT = 3;

/** The lines of a unified diff, or null for a text that is none. */
export function tryDiff(text: string): DiffLine[] | null {
  if (!/^(diff --git |Index: |--- |\*\*\* Begin Patch|@@ )/m.test(text)) return null;
  if (!/^(@@ |\*\*\* (Update|Add|Delete) File)/m.test(text)) return null;
  let isInHunk = false;
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => {
      if (line.startsWith("@@")) {
        isInHunk = true;
        return { kind: "hunk", text: line };
      }
      if (/^(diff |index |Index: |--- |\+\+\+ |\*\*\* |=====)/.test(line)) {
        isInHunk = line.startsWith("*** ");
        return { kind: "meta", text: line };
      }
      const kind = isInHunk ? SIGNS[line.slice(0, 1)] : undefined;
      return { kind: kind ?? "meta", text: line };
    });
}

/** What an edit does: the lines that differ between what both texts begin and end with. */
export function change(before: string, after: string): DiffLine[] {
  const old = before.split("\n");
  const now = after.split("\n");
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < most - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  const as = (kind: DiffKind, sign: string, lines: readonly string[]): DiffLine[] =>
    lines.map((line) => ({ kind, text: sign + line }));
  return [
    ...as("same", " ", old.slice(Math.max(0, head - CONTEXT), head)),
    ...as("removed", "-", old.slice(head, old.length - tail)),
    ...as("added", "+", now.slice(head, now.length - tail)),
    ...as("same", " ", old.slice(old.length - tail, old.length - tail + CONTEXT)),
  ];
}
