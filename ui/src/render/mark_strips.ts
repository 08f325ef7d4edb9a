// The marks of a view that follows the present, a strip a lane: each is stamped once, and moves along with the others.
// To stamp all of them in every frame took most of it, from a thousand marks in view on.

import { spanMs } from "../base/viewport";
import { CATEGORIES } from "../model/category";
import { AS_INSTANT, type EventTable } from "../model/event_table";
import { FLAG_ERROR } from "../model/protocol";
import type { LaneBox, Layout } from "./layout";
import type { Marks } from "./mark";
import { boxesInSight, type LaneScene } from "./scene";
import type { Theme } from "./theme";

/** Room beyond the right edge: a view that follows moves through it before what is kept is moved. */
const SPARE_PX = 256;
/** A length of time that changed by less is the same one, rounded otherwise. */
const SAME_RATIO = 1e-7;

/** What the strips show; with another one they are void. */
interface Look {
  readonly events: EventTable;
  readonly filterVersion: number;
  readonly layout: Layout;
  readonly theme: Theme;
  /** Pixels of the screen to one of the page; all that is counted here is in those of the screen. */
  readonly scale: number;
  readonly widePx: number;
  readonly spanMs: number;
  /** The lanes in sight: [from, to). */
  readonly from: number;
  readonly to: number;
}

export class MarkStrips {
  /** Rows of failed events that came with the strips: they are drawn above all marks, and anew in each frame. */
  errors: number[] = [];
  private look: Look | null = null;
  private isKept = false;
  private fromMs = 0;
  private pxPerMs = 0;
  /** The time at column 0, which stands `marks.cellPx` from the left edge: a mark reaches beyond its moment. */
  private originMs = 0;
  private offsetPx = 0;
  /** The oldest row on the strips, and the end of those that were looked at. */
  private firstRow = Infinity;
  private readRow = 0;
  /** Last column of each category in each strip: marks on the same pixel are stamped once. */
  private lastPx = new Int32Array(0);
  private ctx: CanvasRenderingContext2D | null = null;

  constructor(
    private readonly marks: Pick<Marks, "cellPx" | "stampCell">,
    private readonly makeCanvas: () => HTMLCanvasElement = () => document.createElement("canvas"),
  ) {}

  /** Brings the strips up to date. False where it is cheaper to draw without them: a look that comes for the first
      time may be another one in the next frame, and a view that goes back has lost what was there. */
  update(scene: LaneScene, theme: Theme, scale: number): boolean {
    const look = lookOf(scene, theme, scale);
    const { fromMs } = scene.view;
    const isSteady = this.look !== null && isSame(look, this.look) && fromMs >= this.fromMs;
    this.fromMs = fromMs;
    this.isKept &&= isSteady && scene.journal.events.first <= this.firstRow;
    if (!isSteady) this.look = look;
    if (!isSteady || this.look === null) return false;
    if (!this.isKept || this.columnOf(fromMs) > SPARE_PX + look.widePx) this.begin(scene, this.look);
    this.offsetPx = this.columnOf(fromMs);
    if (this.offsetPx > SPARE_PX) this.shift(scene, this.look);
    const { events } = look;
    this.stamp(scene, this.look, this.readRow, events.shownEnd, -Infinity);
    this.readRow = events.shownEnd;
    return true;
  }

  /** Where a moment stands on the page, as the marks do. */
  xOf(timeMs: number): number {
    return (this.columnOf(timeMs) - this.offsetPx) / (this.look?.scale ?? 1);
  }

  paint(ctx: CanvasRenderingContext2D, scene: LaneScene): void {
    const { look, marks } = this;
    if (!look || !this.ctx) return;
    const { scale, widePx } = look;
    const { cellPx } = marks;
    for (let n = look.from; n < look.to; n++) {
      const box = look.layout.boxes[n] as LaneBox;
      const topPx = Math.round((box.topPx - scene.scrollPx + box.railPx) * scale - cellPx / 2);
      ctx.drawImage(
        this.ctx.canvas,
        cellPx + this.offsetPx,
        (n - look.from) * cellPx,
        widePx,
        cellPx,
        0,
        topPx / scale,
        widePx / scale,
        cellPx / scale,
      );
    }
  }

  private columnOf(timeMs: number): number {
    return Math.round((timeMs - this.originMs) * this.pxPerMs);
  }

  private begin(scene: LaneScene, look: Look): void {
    const { cellPx } = this.marks;
    const canvas = this.ctx?.canvas ?? this.makeCanvas();
    this.ctx = canvas.getContext("2d") as CanvasRenderingContext2D;
    canvas.width = look.widePx + SPARE_PX + 2 * cellPx; // which empties it
    canvas.height = Math.max(1, (look.to - look.from) * cellPx);
    this.originMs = scene.view.fromMs;
    this.pxPerMs = look.widePx / look.spanMs;
    this.lastPx = new Int32Array((look.to - look.from) * CATEGORIES.length).fill(-0x80000000);
    this.errors = [];
    this.firstRow = Infinity;
    this.readRow = look.events.first;
    this.isKept = true;
  }

  /** Moves what is kept to the left edge. Marks beyond the right one were left out until now. */
  private shift(scene: LaneScene, look: Look): void {
    const ctx = this.ctx as CanvasRenderingContext2D;
    const byPx = this.offsetPx;
    const knownPx = this.endPx;
    ctx.globalCompositeOperation = "copy";
    ctx.drawImage(ctx.canvas, -byPx, 0);
    ctx.globalCompositeOperation = "source-over";
    this.originMs += byPx / this.pxPerMs;
    this.offsetPx = 0;
    for (let n = 0; n < this.lastPx.length; n++) this.lastPx[n] = (this.lastPx[n] as number) - byPx;
    this.errors = this.errors.filter((row) => {
      const timeMs = look.events.tsMs[look.events.slot(row)] as number;
      return look.events.has(row) && this.columnOf(timeMs) >= -this.marks.cellPx;
    });
    this.stamp(scene, look, look.events.first, this.readRow, knownPx - byPx);
  }

  /** The first column that no mark is stamped on. */
  private get endPx(): number {
    return (this.look?.widePx ?? 0) + SPARE_PX;
  }

  /** Those of the rows [fromRow, toRow) that stand at `fromPx` or beyond. */
  private stamp(scene: LaneScene, look: Look, fromRow: number, toRow: number, fromPx: number): void {
    const { cellPx } = this.marks;
    const firstPx = Math.max(-cellPx, fromPx);
    const sinceMs = this.originMs + (firstPx - 1) / this.pxPerMs;
    const untilMs = this.originMs + (this.endPx + 1) / this.pxPerMs;
    const visit = (from: number, to: number) => {
      for (let row = from; row < Math.min(to, toRow); row++) this.stampRow(scene, look, row, firstPx);
    };
    look.events.scan(sinceMs, untilMs, visit, fromRow);
  }

  private stampRow({ journal }: LaneScene, look: Look, row: number, firstPx: number): void {
    const { events, layout, from, to } = look;
    const { cellPx } = this.marks;
    const i = events.slot(row);
    const isError = ((events.flag[i] as number) & FLAG_ERROR) !== 0;
    if (events.match[i] === 0 || (!isError && events.drawn[i] !== AS_INSTANT)) return;
    const column = this.columnOf(events.tsMs[i] as number);
    if (column < firstPx || column >= this.endPx) return;
    const box = layout.indexOf(events.agent[i] as number);
    if (box < from || box >= to) return;
    if (row < this.firstRow) this.firstRow = row;
    if (isError) {
      this.errors.push(row);
      return;
    }
    const category = journal.category(events.kind[i] as number);
    const cell = (box - from) * CATEGORIES.length + category;
    if (this.lastPx[cell] === column) return;
    this.lastPx[cell] = column;
    const leftPx = cellPx + column - Math.round(cellPx / 2);
    this.marks.stampCell(this.ctx as CanvasRenderingContext2D, category, leftPx, (box - from) * cellPx);
  }
}

function lookOf(scene: LaneScene, theme: Theme, scale: number): Look {
  const { from, to } = boxesInSight(scene);
  return {
    events: scene.journal.events,
    filterVersion: scene.filterVersion,
    layout: scene.layout,
    theme,
    scale,
    widePx: Math.round(scene.widthPx * scale),
    spanMs: spanMs(scene.view),
    from,
    to,
  };
}

function isSame(one: Look, other: Look): boolean {
  return (
    one.events === other.events &&
    one.filterVersion === other.filterVersion &&
    one.layout === other.layout &&
    one.theme === other.theme &&
    one.scale === other.scale &&
    one.widePx === other.widePx &&
    one.from === other.from &&
    one.to === other.to &&
    Math.abs(one.spanMs / other.spanMs - 1) < SAME_RATIO
  );
}
