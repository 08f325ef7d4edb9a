import { describe, expect, it } from "vitest";
import { runs } from "./ansi";

const plain = (text: string) =>
  runs(text)
    .map((run) => run.text)
    .join("");

describe("terminal output", () => {
  it("keeps colours and weight", () => {
    expect(runs("a\u001b[1;31mb\u001b[0mc\u001b[92md")).toEqual([
      { text: "a", color: -1, isBold: false, isFaint: false },
      { text: "b", color: 1, isBold: true, isFaint: false },
      { text: "c", color: -1, isBold: false, isFaint: false },
      { text: "d", color: 2, isBold: false, isFaint: false },
    ]);
  });

  it("drops what moves a cursor, names a window, or chooses from a palette", () => {
    expect(plain("\u001b[2J\u001b[3;4Ha\u001b]0;title\u0007b\u001b[38;5;208mc\u001b(Bd")).toBe("abcd");
    expect(plain("cut off\u001b[3")).not.toContain("\u001b");
  });

  it("shows the last state of a line that was written over", () => {
    expect(plain("10 %\r50 %\r100 %\ndone\r\n")).toBe("100 %\ndone\n");
  });

  it("takes any escape without looking for long", () => {
    const nasty = "\u001b[".repeat(20_000) + "\u001b]".repeat(20_000);
    expect(plain(nasty)).not.toContain("\u001b");
  });
});
