// Marks of single events on the rail of their lane; errors also get a tick through the lane.

import { spanMs } from "../base/viewport";
import { CATEGORIES } from "../model/category";
import { AS_INSTANT } from "../model/event_table";
import { FLAG_ERROR } from "../model/protocol";
import type { LaneBox } from "./layout";
import { MARK_PX, Marks } from "./mark";
import { MarkPixels } from "./mark_pixels";
import { MarkStrips } from "./mark_strips";
import { boxesInSight, type LaneScene } from "./scene";
import type { Theme } from "./theme";

const ERROR = CATEGORIES.indexOf("error");
const REACH_PX = MARK_PX;
/** From so many on it is cheaper to put all marks there at once than to stamp each. */
const MANY_MARKS = 200;

export class InstantPainter {
  private readonly marks = new Marks();
  private readonly strips = new MarkStrips(this.marks);
  /** Last x of each category in each lane: marks on the same pixel are drawn once. */
  private lastPx = new Int32Array(0);
  private readonly pixels = new MarkPixels();
  /** Of each mark the number of its box, its category and its place; kept between frames to spare the collector. */
  private readonly found: number[] = [];

  paint(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme, scale: number): void {
    this.marks.prepare(theme, scale);
    if (this.strips.update(scene, theme, scale)) {
      this.strips.paint(ctx, scene);
      this.paintErrors(ctx, scene, theme, this.keptErrors(scene));
    } else this.paintAll(ctx, scene, theme, scale);
    this.paintSelected(ctx, scene, theme);
  }

  private paintAll(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme, scale: number): void {
    const { events } = scene.journal;
    const reachMs = (REACH_PX / scene.widthPx) * spanMs(scene.view);
    const sight = boxesInSight(scene);
    const size = scene.layout.boxes.length * CATEGORIES.length;
    if (this.lastPx.length !== size) this.lastPx = new Int32Array(size);
    this.lastPx.fill(-100);
    const fromMs = scene.view.fromMs - reachMs;
    const toMs = scene.view.toMs + reachMs;
    const errors: number[] = [];
    this.found.length = 0;
    events.scan(fromMs, toMs, (from, to) => {
      for (let row = from; row < to; row++) this.findRow(scene, row, fromMs, toMs, sight, errors);
    });
    if (this.found.length < 3 * MANY_MARKS) this.stampEach(ctx, scene);
    else this.stampTogether(ctx, scene, sight, scale);
    this.paintErrors(ctx, scene, theme, errors);
  }

  private stampEach(ctx: CanvasRenderingContext2D, { layout, scrollPx }: LaneScene): void {
    const { found } = this;
    for (let n = 0; n < found.length; n += 3) {
      const box = layout.boxes[found[n] as number] as LaneBox;
      this.marks.stamp(
        ctx,
        found[n + 1] as number,
        found[n + 2] as number,
        box.topPx - scrollPx + box.railPx,
      );
    }
  }

  /** The same picture. */
  private stampTogether(
    ctx: CanvasRenderingContext2D,
    scene: LaneScene,
    sight: { from: number; to: number },
    scale: number,
  ): void {
    const { found, marks, pixels } = this;
    const { cellPx } = marks;
    pixels.begin(sight.to - sight.from, Math.ceil(scene.widthPx * scale), cellPx);
    for (let n = 0; n < found.length; n += 3) {
      const leftPx = Math.round((found[n + 2] as number) * scale - cellPx / 2);
      pixels.stamp(marks.cell(found[n + 1] as number), (found[n] as number) - sight.from, leftPx);
    }
    pixels.paint(ctx, scene, scale);
  }

  /** As `findRow` leaves them: the number of the box, the place, and whether it is a mark. */
  private keptErrors({ journal, layout, widthPx }: LaneScene): number[] {
    const { events } = journal;
    const found: number[] = [];
    for (const row of this.strips.errors) {
      const i = events.slot(row);
      const xPx = this.strips.xOf(events.tsMs[i] as number);
      if (xPx < -REACH_PX || xPx > widthPx + REACH_PX) continue;
      const isInstant = events.drawn[i] === AS_INSTANT ? 1 : 0;
      found.push(layout.indexOf(events.agent[i] as number), xPx, isInstant);
    }
    return found;
  }

  private findRow(
    scene: LaneScene,
    row: number,
    fromMs: number,
    toMs: number,
    sight: { from: number; to: number },
    errors: number[],
  ): void {
    const { events } = scene.journal;
    const i = events.slot(row);
    const timeMs = events.tsMs[i] as number;
    if (timeMs < fromMs || timeMs > toMs || events.match[i] === 0) return;
    const isError = ((events.flag[i] as number) & FLAG_ERROR) !== 0;
    const isInstant = events.drawn[i] === AS_INSTANT;
    if (!isError && !isInstant) return;
    const boxIndex = scene.layout.indexOf(events.agent[i] as number);
    if (boxIndex < sight.from || boxIndex >= sight.to) return;
    const xPx = Math.round(((timeMs - scene.view.fromMs) / spanMs(scene.view)) * scene.widthPx);
    if (isError) errors.push(boxIndex, xPx, isInstant ? 1 : 0);
    if (!isInstant || isError) return;
    const category = scene.journal.category(events.kind[i] as number);
    const cell = boxIndex * CATEGORIES.length + category;
    if (Math.abs((this.lastPx[cell] as number) - xPx) < 1) return;
    this.lastPx[cell] = xPx;
    this.found.push(boxIndex, category, xPx);
  }

  private paintErrors(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme, errors: number[]): void {
    ctx.fillStyle = theme.error;
    for (let n = 0; n < errors.length; n += 3) {
      const box = scene.layout.boxes[errors[n] as number] as LaneBox;
      const xPx = errors[n + 1] as number;
      const topPx = box.topPx - scene.scrollPx;
      ctx.fillRect(xPx - 1, topPx + box.heightPx - 4, 2, 4);
      if (errors[n + 2] !== 1) continue;
      ctx.globalAlpha = 0.35;
      ctx.fillRect(xPx - 0.5, topPx + 1, 1, box.heightPx - 2);
      ctx.globalAlpha = 1;
      this.marks.stamp(ctx, ERROR, xPx, topPx + box.railPx);
    }
  }

  private paintSelected(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme): void {
    const { events } = scene.journal;
    const { row, bar } = scene.selection;
    if (bar >= 0 || !events.has(row)) return;
    const i = events.slot(row);
    const box = scene.layout.boxOf(events.agent[i] as number);
    if (!box) return;
    const xPx = Math.round(
      (((events.tsMs[i] as number) - scene.view.fromMs) / spanMs(scene.view)) * scene.widthPx,
    );
    ctx.strokeStyle = theme.text;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.arc(xPx, box.topPx - scene.scrollPx + box.railPx, MARK_PX - 1, 0, 2 * Math.PI);
    ctx.stroke();
  }
}
