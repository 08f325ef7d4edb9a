// The rows of the stream: as many elements as fit on screen, filled again and again. Elements are
// written only where their text changed.

import { agentColor } from "../../base/hue";
import { duration, plural, whole } from "../../base/format";
import { SHAPES } from "../../base/shape";
import { clock, clockMs, day } from "../../base/tick";
import { CATEGORIES } from "../../model/category";
import { AS_GAP } from "../../model/event_table";
import type { Journal } from "../../model/journal";
import type { LineList } from "../../model/line_list";
import { FLAG_CLOSES, FLAG_ERROR, FLAG_OPENS, FLAG_REDACTED } from "../../model/protocol";

export const ROW_PX = 24;
const SVG = "http://www.w3.org/2000/svg";

interface Row {
  readonly element: HTMLElement;
  readonly cells: Readonly<Record<CellName, HTMLElement>>;
  readonly color: HTMLElement;
  readonly shape: SVGPathElement;
  number: number;
}

const CELLS = ["time", "agent", "kind", "tool", "text", "times", "took"] as const;
type CellName = (typeof CELLS)[number];

/** One line of the list: a row of the table, at a height within the list. */
export interface Entry {
  readonly row: number;
  readonly topPx: number;
  readonly isChosen: boolean;
  /** The first at or after the pointer's moment. */
  readonly isPointed: boolean;
  /** Of another day than the line above it; the first in sight of another day than today. */
  readonly tellsDay: boolean;
}

export class RowPool {
  private readonly rows: Row[] = [];

  /** Id of the element that shows the chosen row; "" where that is out of sight. */
  chosenId = "";

  constructor(
    private readonly host: HTMLElement,
    private readonly journal: Journal,
    private readonly lines: LineList,
  ) {}

  show(entries: readonly Entry[]): void {
    this.chosenId = "";
    while (this.rows.length < entries.length) this.rows.push(this.make());
    this.rows.forEach((row, i) => {
      const entry = entries[i];
      row.element.hidden = !entry;
      if (entry) this.fill(row, entry);
    });
  }

  /** The table row that an element of the list shows, or -1. */
  rowAt(target: EventTarget | null): number {
    const element = target instanceof Element ? target.closest(".row") : null;
    return this.rows.find((row) => row.element === element)?.number ?? -1;
  }

  private fill(row: Row, entry: Entry): void {
    const { events } = this.journal;
    const i = events.slot(entry.row);
    row.number = entry.row;
    const { element } = row;
    element.style.transform = `translateY(${entry.topPx}px)`;
    element.ariaSelected = String(entry.isChosen);
    element.id = `row-${entry.row}`;
    if (entry.isChosen) this.chosenId = element.id;
    const isGap = events.drawn[i] === AS_GAP;
    const end = isGap ? -1 : this.lines.endTold(this.journal, entry.row);
    const endFlag = end < 0 ? 0 : (events.flag[events.slot(end)] as number);
    const flag = isGap ? 0 : (events.flag[i] as number) | endFlag;
    element.className = classes({
      row: true,
      gap: isGap,
      error: (flag & FLAG_ERROR) !== 0,
      warning: events.sev[i] === 2,
      debug: events.sev[i] === 0,
      chosen: entry.isChosen,
      pointed: entry.isPointed,
      "new-day": entry.tellsDay,
      inner: this.lines.isInner(entry.row),
      redacted: (flag & FLAG_REDACTED) !== 0,
    });
    element.dataset["testid"] = isGap ? "gap-row" : "row";
    if (isGap) this.fillGap(row, i);
    else this.fillEvent(row, i, flag, end);
    this.fillTime(row, entry, isGap ? NaN : (events.tsMs[i] as number));
  }

  private fillGap(row: Row, i: number): void {
    const { events } = this.journal;
    const count = events.durMs[i] as number;
    for (const name of CELLS) write(row.cells[name], "");
    const isOlder = events.seq[i] === 1;
    write(
      row.cells.text,
      isOlder
        ? `${plural(count, "older event")} in the log. Load more`
        : `${plural(count, "event")} skipped. Load ${count === 1 ? "it" : "them"}`,
    );
    row.element.dataset["seq"] = "";
  }

  private fillEvent(row: Row, i: number, flag: number, end: number): void {
    const { events, agents, kinds, labels } = this.journal;
    const agent = agents.name(events.agent[i] as number);
    const kind = events.kind[i] as number;
    const category = flag & FLAG_ERROR ? "error" : (CATEGORIES[this.journal.category(kind)] ?? "other");
    const label = events.label[i] as number;
    const durMs = this.durationOf(i, end);
    row.element.dataset["seq"] = String(events.seq[i]);
    row.element.dataset["agent"] = agent;
    row.element.dataset["event"] = kinds.name(kind);
    write(row.cells.agent, agent);
    write(row.cells.kind, end < 0 ? kinds.name(kind) : kinds.name(kind).replace(/_(start|end)$/, ""));
    write(row.cells.tool, label >= 0 ? labels.name(label) : "");
    write(row.cells.text, end < 0 ? this.journal.wordsOf(i) : this.textOf(i, end));
    this.fillTimes(row);
    write(
      row.cells.took,
      durMs >= 0 ? duration(durMs) : flag & FLAG_OPENS && !(flag & FLAG_CLOSES) ? "▸" : "",
    );
    row.color.style.background = `var(--agent-${agentColor(agent)})`;
    if (row.shape.dataset["kind"] === category) return;
    row.shape.dataset["kind"] = category;
    row.shape.setAttribute("d", SHAPES[category] ?? "");
    row.shape.style.fill = `var(--cat-${category})`;
  }

  /** With the day, seconds have no room. */
  private fillTime(row: Row, entry: Entry, ms: number): void {
    const { time } = row.cells;
    if (Number.isNaN(ms)) write(time, "");
    else write(time, entry.tellsDay ? `${day(ms)} ${clock(ms).slice(0, 5)}` : clockMs(ms));
    const title = entry.tellsDay && !Number.isNaN(ms) ? `${day(ms)}, ${clockMs(ms)}` : "";
    if (time.title !== title) time.title = title;
  }

  private fillTimes(row: Row): void {
    const times = this.lines.timesOf(row.number);
    write(row.cells.times, times > 1 ? `× ${whole(times)}` : "");
    if (times > 1) row.cells.times.title = this.lines.isOpened(row.number) ? "As one line" : "Each by itself";
  }

  private durationOf(i: number, end: number): number {
    const { events } = this.journal;
    if (end < 0) return events.durMs[i] as number;
    const e = events.slot(end);
    const told = Math.max(events.durMs[i] as number, events.durMs[e] as number);
    return told >= 0 ? told : Math.abs((events.tsMs[e] as number) - (events.tsMs[i] as number));
  }

  /** What was asked, and what came of it. */
  private textOf(i: number, end: number): string {
    const { events, kinds, labels } = this.journal;
    const isEndFirst = ((events.flag[i] as number) & FLAG_CLOSES) !== 0; // late news
    const asked = this.journal.wordsOf(isEndFirst ? events.slot(end) : i);
    const answer = this.journal.wordsOf(isEndFirst ? i : events.slot(end));
    // An end that brought nothing is summed up by the name of its tool or kind.
    const kind = kinds.name(events.kind[i] as number);
    const names = [asked, "", labels.name(events.label[i] as number), kind.replace(/_(start|end)$/, "")];
    if (names.includes(answer)) return asked;
    return `${asked} ${answer.startsWith("→") ? "" : "→ "}${answer}`.trim();
  }

  private make(): Row {
    const element = document.createElement("div");
    element.role = "option";
    const cells = Object.fromEntries(CELLS.map((name) => [name, element.appendChild(cell(name))])) as Record<
      CellName,
      HTMLElement
    >;
    const color = document.createElement("i");
    cells.agent.before(color);
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", "0 0 10 10");
    picture.setAttribute("aria-hidden", "true");
    const shape = picture.appendChild(document.createElementNS(SVG, "path"));
    shape.setAttribute("fill-rule", "evenodd");
    cells.kind.before(picture);
    this.host.append(element);
    return { element, cells, color, shape, number: -1 };
  }
}

function cell(name: CellName): HTMLElement {
  const made = document.createElement("span");
  made.className = name;
  made.append("");
  return made;
}

function write(element: HTMLElement, text: string): void {
  const node = element.firstChild ?? element.appendChild(document.createTextNode(""));
  if (node.nodeValue !== text) node.nodeValue = text;
}

function classes(names: Readonly<Record<string, boolean>>): string {
  return Object.keys(names)
    .filter((name) => names[name])
    .join(" ");
}
