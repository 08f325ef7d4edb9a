import { describe, expect, test } from "vitest";
// @ts-expect-error a plain script without types
import { bans, problems } from "./check_imports.mjs";

describe("the sources", () => {
  test("keep to their floors, and never make markup or code of text", () => {
    expect(problems()).toEqual([]);
  });

  test.each([
    ["<p>{@html text}</p>", "markup"],
    ["node.innerHTML = text", "markup"],
    ["node.insertAdjacentHTML('x', text)", "markup"],
    ["eval(text)", "code"],
    ["new Function(text)", "code"],
    ['<p style="color: red">', "inline style"],
  ])("would be caught with %s", (text, why) => {
    expect(bans("x.svelte", text).join()).toContain(why);
  });
});
