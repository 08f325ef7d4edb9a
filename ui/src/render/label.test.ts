// What a bar says in the room it has.

import { describe, expect, it } from "vitest";
import { Labels } from "./label";

/** Every letter is six pixels wide. */
const ctx = { measureText: (text: string) => ({ width: text.length * 6 }) } as CanvasRenderingContext2D;

describe("Labels", () => {
  it("says the whole name where it fits", () => {
    expect(new Labels().fit(ctx, "shell", 30)).toBe("shell");
  });

  it("cuts a name that stays recognisable", () => {
    expect(new Labels().fit(ctx, "search_files", 50)).toBe("search_…");
  });

  it("says nothing where fewer than four letters are left", () => {
    expect(new Labels().fit(ctx, "run_tests", 28)).toBe("");
  });
});
