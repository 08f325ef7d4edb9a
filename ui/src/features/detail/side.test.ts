import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../model/stored";
import { megabytes, PIECE_CHARS, Pieces, sideFiles } from "./side";

const EVENT: StoredEvent = { seq: 1, timestamp: "2026-11-23T10:00:00Z", agent: "a", event: "x" };
const FILE = { path: "/output/0/content", sha256: "a".repeat(64), bytes: 9, form: "text" };

describe("side files", () => {
  test("are told by the part of the event that they belong to", () => {
    const event = {
      ...EVENT,
      side_files: [FILE, { ...FILE, path: "/outputs" }, { ...FILE, path: "/output" }],
    };

    expect(sideFiles(event, "/output").map((file) => file.path)).toEqual(["/output/0/content", "/output"]);
    expect(sideFiles(event, "/output")[0]?.seq).toBe(1);
    expect(sideFiles(event, "/input")).toEqual([]);
  });

  test.each([
    [undefined],
    ["buy"],
    [{}],
    [[null, 4, {}]],
    [[{ ...FILE, sha256: "../../etc" }]],
    [[{ ...FILE, form: "html" }]],
  ])("are not seen in %j", (side_files) => {
    expect(sideFiles({ ...EVENT, side_files }, "/output")).toEqual([]);
  });
});

describe("pieces", () => {
  const cut = (text: string, step: number): string[] => {
    const bytes = new TextEncoder().encode(text);
    const pieces = new Pieces();
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      found.push(...pieces.push(bytes.subarray(at, at + step), at + step >= bytes.length));
    }
    return found;
  };

  test.each([
    ["Żółć 漢字 😀 and a line\n".repeat(5000), 1000],
    ["x".repeat(100_000), 4096],
    ["😀".repeat(20_000), 777],
    ["short", 2],
  ])("give the text back, however the bytes were cut", (text, step) => {
    expect(cut(text, step).join("")).toBe(text);
  });

  test("end with a line where they can, and are never long", () => {
    const found = cut("a line of the log\n".repeat(10_000), 65_536);

    expect(found.slice(0, -1).every((piece) => piece.endsWith("\n"))).toBe(true);
    expect(Math.max(...found.map((piece) => piece.length))).toBeLessThanOrEqual(PIECE_CHARS);
  });
});

test("sizes read as people say them", () => {
  expect([3_211_264, 262_144, 10].map(megabytes)).toEqual(["3.2 MB", "262 kB", "1 kB"]);
});
