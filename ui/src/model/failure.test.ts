import { describe, expect, test } from "vitest";
import { AS_INSTANT, emptyRow, type EventRow, EventTable } from "./event_table";
import { causeOf, newestError } from "./failure";
import { FLAG_ERROR } from "./protocol";

function tableOf(...rows: readonly Partial<EventRow>[]): EventTable {
  const table = new EventTable(1 << 13);
  rows.forEach((row, n) => table.add({ ...emptyRow(), seq: n + 1, tsMs: n * 10, ...row }, AS_INSTANT));
  return table;
}

const flag = FLAG_ERROR;

describe("the newest error", () => {
  test("is the agent's own, between two moments", () => {
    const table = tableOf({ agent: 1, flag }, { agent: 1, flag }, { agent: 2, flag }, { agent: 1 });

    expect(newestError(table, 1)).toBe(1);
    expect(newestError(table, 1, 0, 10)).toBe(0);
    expect(newestError(table, 2, 0, 10)).toBe(-1);
    expect(newestError(table, 3)).toBe(-1);
  });
});

describe("the cause of an error", () => {
  test("is the innermost work that failed, whoever did it", () => {
    const table = tableOf(
      { agent: 1, flag, span: "x", parent: "elsewhere" },
      { agent: 2, flag, span: "call", parent: "task" },
      { agent: 2, span: "other", parent: "task" },
      { agent: 1, flag, span: "task", parent: "agent" },
      { agent: 1, flag, span: "agent" },
    );

    expect(causeOf(table, 4)).toBe(1);
    expect(causeOf(table, 3)).toBe(1);
    expect(causeOf(table, 0)).toBe(0);
  });

  test("is the error itself where nothing tells what it belongs to", () => {
    const table = tableOf({ flag, parent: "" }, { flag, span: "" });

    expect(causeOf(table, 1)).toBe(1);
  });
});
