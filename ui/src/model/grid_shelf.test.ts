import { expect, test } from "vitest";
import { AS_INSTANT, emptyRow, EventTable } from "./event_table";
import { GridShelf } from "./grid_shelf";

const events = new EventTable();
const source = { events, version: "1", lines: 1, lineOf: () => 0 };

test("zooming out and in again counts nothing twice, and what came meanwhile once", () => {
  const shelf = new GridShelf();
  for (let n = 0; n < 100; n++) events.add({ ...emptyRow(), seq: n + 1, tsMs: n * 10, agent: 0 }, AS_INSTANT);
  const look = (stepMs: number) => {
    const grid = shelf.take(stepMs);
    grid.refresh(source, 0, 1000, stepMs);
    return grid;
  };
  const fine = look(16);
  look(32);
  events.add({ ...emptyRow(), seq: 101, tsMs: 5, agent: 0 }, AS_INSTANT);
  expect(look(16)).toBe(fine);
  expect(fine.recounts).toBe(1);
  expect(fine.at(0, fine.binAt(0))).toBe(3);
});

test("only so many grids are kept, the latest used ones", () => {
  const shelf = new GridShelf();
  const first = shelf.take(1);
  const second = shelf.take(2);
  for (let step = 3; step < 18; step++) {
    shelf.take(step);
    shelf.take(2);
  }
  expect(shelf.take(2)).toBe(second);
  expect(shelf.take(1)).not.toBe(first);
});
