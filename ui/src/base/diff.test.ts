import { describe, expect, it } from "vitest";
import { Random } from "../testing/random";
import { change, tryDiff } from "./diff";

describe("diffs", () => {
  it("takes a unified diff apart, and nothing else for one", () => {
    const text = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n";
    expect(tryDiff(text)?.map((line) => line.kind)).toEqual([
      "meta",
      "meta",
      "hunk",
      "same",
      "removed",
      "added",
    ]);
    expect(tryDiff("- a list\n- of things\n+ and more")).toBeNull();
    expect(tryDiff("--- front matter\ntitle: x\n---")).toBeNull();
  });

  it("shows an edit as what went and what came", () => {
    expect(change("a\nb\nc", "a\nB\nc").map((line) => line.text)).toEqual([" a", "-b", "+B", " c"]);
    expect(change("", "new").map((line) => line.text)).toEqual(["-", "+new"]);
  });

  it("gives both texts back, whatever the edit", () => {
    const random = new Random(4);
    const text = () => Array.from({ length: random.whole(3) + 1 }, () => "ab"[random.whole(2)]).join("\n");
    for (let round = 0; round < 500; round++) {
      const [before, after] = [text(), text()];
      const lines = change(before, after); // short enough that the context is all there is
      const side = (sign: string) =>
        lines
          .filter((line) => line.text[0] === " " || line.text[0] === sign)
          .map((line) => line.text.slice(1))
          .join("\n");
      expect(side("-")).toBe(before);
      expect(side("+")).toBe(after);
    }
  });
});
