import { describe, expect, it } from "vitest";
import { gist } from "./gist";

describe("the gist of a call", () => {
  it("is its command, file, address or question", () => {
    expect(gist({ timeout_s: 120, command: "pytest -q" })).toBe("$ pytest -q");
    expect(gist({ path: "a.py", encoding: "utf-8" })).toBe("a.py");
    expect(gist({ url: "http://x/" })).toBe("http://x/");
    expect(gist("as it is")).toBe("as it is");
  });

  it("is the whole of a call that has no such argument, on one line", () => {
    expect(gist({ a: [1, 2] })).toBe('{"a":[1,2]}');
    expect(gist({})).toBe("");
    expect(gist(JSON.parse('{"__proto__": "x"}'))).toBe('{"__proto__":"x"}');
    expect(gist("a\n  b")).toBe("a b");
    expect(gist("x".repeat(999)).length).toBe(160);
  });
});
