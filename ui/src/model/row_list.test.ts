import { expect, test } from "vitest";
import { Random } from "../testing/random";
import { AS_INSTANT, emptyRow, EventTable } from "./event_table";
import { RowList } from "./row_list";

test("the list holds the matching rows in memory, in order, as rows come and go", () => {
  const random = new Random(9);
  const events = new EventTable(1 << 13);
  const list = new RowList();
  const matching: number[] = [];
  for (let round = 0; round < 120; round++) {
    for (let n = 0; n < 300; n++) {
      const row = events.add({ ...emptyRow(), seq: events.end + 1 }, AS_INSTANT);
      const isMatch = random.chance(0.3);
      events.match[events.slot(row)] = isMatch ? 1 : 0;
      if (isMatch) matching.push(row);
    }
    list.refresh(events);
    const wanted = matching.filter((row) => row >= events.first);

    expect(list.length).toBe(wanted.length);
    expect(list.dropped).toBe(matching.length - wanted.length);
    expect(list.row(0)).toBe(wanted[0]);
    expect(list.row(list.length - 1)).toBe(wanted.at(-1));
    const probe = random.whole(wanted.length);
    expect(list.indexOf(wanted[probe] as number)).toBe(probe);
  }
});
