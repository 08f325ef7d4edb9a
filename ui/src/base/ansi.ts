// What a program printed to a terminal, as runs of one look: colours and weight are kept, anything that
// moves a cursor or names a window is dropped.

export interface Run {
  readonly text: string;
  /** 0 to 7 as in ECMA-48 (black, red, green, yellow, blue, magenta, cyan, white), or -1. */
  readonly color: number;
  readonly isBold: boolean;
  readonly isFaint: boolean;
}

const ESCAPE = "\u001b";
/** CSI with its parameters and final byte; OSC up to its end; any other escape of two signs. */
const CODES = /\u001b(?:\[([0-9:;<=>?]*)[ -/]*([@-~])?|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~]?)/g;

export function hasEscapes(text: string): boolean {
  return text.includes(ESCAPE);
}

/** The text without any look; progress bars keep all their states. */
export function withoutCodes(text: string): string {
  return text.replace(CODES, "");
}

export function runs(text: string): Run[] {
  const found: Run[] = [];
  let look = { color: -1, isBold: false, isFaint: false };
  let end = 0;
  const say = (piece: string) => {
    const shown = overwritten(piece);
    if (shown) found.push({ text: shown, ...look });
  };
  for (const code of text.matchAll(CODES)) {
    say(text.slice(end, code.index));
    end = code.index + code[0].length;
    if (code[2] === "m") look = applied(look, (code[1] ?? "").split(/[;:]/).map(Number));
  }
  say(text.slice(end));
  return found;
}

/** A carriage return within a line writes over what stood there: progress bars show their last state. */
function overwritten(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(/[^\n]*\r(?=[^\n])/g, "")
    .replace(/[\r\u0007]/g, "");
}

function applied(
  look: { color: number; isBold: boolean; isFaint: boolean },
  codes: readonly number[],
): { color: number; isBold: boolean; isFaint: boolean } {
  let next = look;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (code === 0) next = { color: -1, isBold: false, isFaint: false };
    else if (code === 1) next = { ...next, isBold: true };
    else if (code === 2) next = { ...next, isFaint: true };
    else if (code === 22) next = { ...next, isBold: false, isFaint: false };
    else if (code === 38 || code === 48)
      i += codes[i + 1] === 5 ? 2 : 4; // palettes that are not ours
    else if (code === 39) next = { ...next, color: -1 };
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next = { ...next, color: code % 10 };
  }
  return next;
}
