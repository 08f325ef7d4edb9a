import { describe, expect, test } from "vitest";
import { hello } from "../../testing/frames";
import { Journal } from "../../model/journal";
import { complete, fieldTyped, isUnfinished } from "./completion";

const journal = new Journal();
journal.takeHello(hello({ labels: ["shell", "read file"] }));
const texts = (typed: string) => complete(typed, journal).map((found) => found.text);

describe("completion", () => {
  test.each([
    ["agent:", "agent:planner"],
    ["agent:co", "agent:coder"],
    ["-agent:co", "-agent:coder"],
    ["x AGENT:co", "x AGENT:coder"],
    ["level>=err", "level>=error"],
    ["level:war", "level:warning"],
    ["(tool:re", '(tool:"read file"'],
    ['tool:"read f', 'tool:"read file"'],
    ["agent:(planner,co", "agent:(planner,coder"],
    ["is:", "is:open"],
    ["lev", "level:"],
    ["-ev", "-event:"],
    ["att", "attr."],
    ["cod", "agent:coder"],
  ])("of %j offers %j first", (typed, wanted) => {
    expect(texts(typed)[0]).toBe(wanted);
  });

  test.each(["", "agent:coder ", "timeout agent:nobody", '"quoted ', "constructor:x"])(
    "offers nothing for %j",
    (typed) => {
      expect(texts(typed)).toEqual([]);
    },
  );

  test("offers what the log holds, the most frequent first, with how many events each finds", () => {
    const counts = new Map([
      [
        "agent",
        new Map([
          ["coder", 3],
          ["archivist", 9],
          ["collector", 7],
        ]),
      ],
      ["tool", new Map([["shell", 2]])],
    ]);
    const offered = (typed: string) =>
      complete(typed, journal, counts).map(({ value, count }) => [value, count]);
    expect(offered("agent:co")).toEqual([
      ["collector", 7],
      ["coder", 3],
    ]);
    expect(offered("agent:").map(([value]) => value)).toEqual(["archivist", "collector", "coder", "planner"]);
    expect(offered("tool:")).toEqual([["shell", 2]]); // "read file" is a model's name
    expect(isUnfinished("agent:arch", journal, counts)).toBe(true);
    expect([fieldTyped("x AGENT:co"), fieldTyped("coder")]).toEqual(["agent", ""]);
  });

  test("says whether a condition is whole", () => {
    const [field] = complete("ag", journal);
    const [value] = complete("agent:p", journal);
    expect([field?.isWhole, value?.isWhole]).toEqual([false, true]);
  });

  test("knows a value in the making from one that is there", () => {
    const unfinished = ["agent:", "agent:cod", "x level>=wa"].map((typed) => isUnfinished(typed, journal));
    const finished = ["agent:coder", "agent:nobody", "cod", "x "].map((typed) =>
      isUnfinished(typed, journal),
    );
    expect([unfinished, finished]).toEqual([
      [true, true, true],
      [false, false, false, false],
    ]);
  });
});
