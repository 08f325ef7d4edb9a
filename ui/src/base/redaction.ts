// Finds the markers that stand where a secret stood: [redacted:RULE:xxxxxx].

export interface Piece {
  readonly text: string;
  /** Name of the rule where the piece is a marker, else "". */
  readonly rule: string;
}

const MARKER = /\[redacted:([\w.-]{1,64}):([0-9a-f]{6})\]/gi;

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const hit of text.matchAll(MARKER)) {
    if (hit.index > end) found.push({ text: text.slice(end, hit.index), rule: "" });
    found.push({ text: hit[0], rule: hit[1] ?? "" });
    end = hit.index + hit[0].length;
  }
  if (end < text.length || found.length === 0) found.push({ text: text.slice(end), rule: "" });
  return found;
}
