import { describe, expect, test } from "vitest";
import { batch, hello, type Said } from "../testing/frames";
import { Journal } from "./journal";
import { ABANDONED_AFTER_MS } from "./lane";
import { FLAG_CLOSES, FLAG_ERROR, FLAG_OPENS } from "./protocol";

const KINDS = ["log", "tool_invocation", "tool_result", "error", "permission_request", "session_start"];
const [LOG, CALL, RESULT, ERROR, ASK, SESSION] = KINDS.map((_, n) => n);

function laneAfter(...said: Partial<Said>[]) {
  const journal = new Journal();
  journal.takeHello(hello({ kinds: KINDS }));
  journal.takeBatch(
    batch(
      1,
      said.map((one, n) => ({ at: n * 10, kind: LOG as number, ...one })),
    ),
  );
  return journal.lanes[0]!;
}

const call = (span: string): Partial<Said> => ({ kind: CALL as number, span, flag: FLAG_OPENS });
const result = (span: string, flag = 0): Partial<Said> => ({
  kind: RESULT as number,
  span,
  flag: FLAG_CLOSES | flag,
});

describe("the state of a lane", () => {
  test("is idle after plain words, and while only a session is open", () => {
    expect(laneAfter({}).state).toBe("idle");
    expect(laneAfter({ kind: SESSION as number, span: "s", flag: FLAG_OPENS }).state).toBe("idle");
  });

  test("is working while work is open, whatever failed within it", () => {
    expect(laneAfter(call("a"), call("b"), result("b", FLAG_ERROR)).state).toBe("working");
  });

  test("is failed when the last thing was an error, until something else happens", () => {
    expect(laneAfter(call("a"), result("a", FLAG_ERROR)).state).toBe("failed");
    expect(laneAfter({ kind: ERROR as number, flag: FLAG_ERROR }, {}).state).toBe("idle");
  });

  test("goes by when things happened, not by when they were told", () => {
    expect(laneAfter({ at: 100, kind: ERROR as number, flag: FLAG_ERROR }, { at: 50 }).state).toBe("failed");
    expect(laneAfter({ at: 100 }, { at: 50, kind: ERROR as number, flag: FLAG_ERROR }).state).toBe("idle");
  });

  test("is waiting while a question to a person is open, as work or as the last word", () => {
    const asked = { kind: ASK as number };
    expect(laneAfter({ ...asked, span: "q", flag: FLAG_OPENS }).state).toBe("waiting");
    expect(laneAfter(call("a"), asked).state).toBe("waiting");
    expect(laneAfter(call("a"), asked, {}).state).toBe("working");
  });

  test("is not working any more when nobody below was heard of for long", () => {
    const lane = laneAfter(call("a"));
    expect(lane.stateAt(ABANDONED_AFTER_MS + 1, 0)).toBe("idle");
    expect(lane.stateAt(ABANDONED_AFTER_MS + 1, ABANDONED_AFTER_MS)).toBe("working");
  });
});
