// Payloads that were too long for their event's line: what the event says of them, and their bytes as text.

import type { StoredEvent } from "../../model/stored";

export interface SideFile {
  /** The seq of the event that names it: who sees a part of the events only must say. */
  readonly seq: number;
  /** A JSON pointer (RFC 6901) into the event. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly form: "text" | "json";
}

/** The event's side files at or below `base`, such as `/output`. Entries of any other form are passed over. */
export function sideFiles(event: StoredEvent | null | undefined, base: string): SideFile[] {
  const list = event?.["side_files"];
  if (!event || !Array.isArray(list)) return [];
  return list
    .filter(isSideFile)
    .filter((file) => file.path === base || file.path.startsWith(`${base}/`))
    .map((file) => ({ ...file, seq: event.seq }));
}

function isSideFile(value: unknown): value is Omit<SideFile, "seq"> {
  if (typeof value !== "object" || value === null) return false;
  const { path, sha256, bytes, form } = value as Record<string, unknown>;
  return (
    typeof path === "string" &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof bytes === "number" &&
    (form === "text" || form === "json")
  );
}

/** `3.2 MB`, `512 kB`. */
export function megabytes(bytes: number): string {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}

/**
 * Bytes in, pieces of text out that end with a line where one ends in time: each is laid out for itself,
 * so that a page with megabytes of them scrolls as a short one does.
 */
export class Pieces {
  readonly #decoder = new TextDecoder();
  #rest = "";

  push(bytes: Uint8Array, isLast: boolean): string[] {
    this.#rest += this.#decoder.decode(bytes, { stream: !isLast });
    const pieces: string[] = [];
    while (this.#rest.length > PIECE_CHARS || (isLast && this.#rest)) {
      const end = lineEnd(this.#rest, isLast);
      pieces.push(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
    }
    return pieces;
  }
}

export const PIECE_CHARS = 16_384;

function lineEnd(text: string, isLast: boolean): number {
  if (isLast && text.length <= PIECE_CHARS) return text.length;
  const newline = text.lastIndexOf("\n", PIECE_CHARS - 1) + 1;
  if (newline > PIECE_CHARS / 2) return newline;
  const code = text.charCodeAt(PIECE_CHARS - 1);
  return code >= 0xd800 && code < 0xdc00 ? PIECE_CHARS - 1 : PIECE_CHARS; // no pair is split
}
