import { expect, it } from "vitest";
import { rank } from "./rank";

it("wants every word, and prefers the beginnings of words", () => {
  expect(rank("Open the session s-12", "sess open")).toBeGreaterThan(0);
  expect(rank("Open the session s-12", "sess close")).toBe(0);
  expect(rank("agent coder", "coder")).toBeGreaterThan(rank("encoder", "coder"));
  expect(rank("coder", "coder")).toBeGreaterThan(rank("agent coder", "coder"));
  expect(rank("anything", "")).toBe(1);
});
