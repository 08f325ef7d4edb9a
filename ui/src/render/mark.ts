// The shapes of instants, drawn once into an atlas and stamped from there.

import { SHAPES } from "../base/shape";
import { CATEGORIES } from "../model/category";
import type { MarkCell } from "./mark_pixels";
import type { Theme } from "./theme";

const BOX = 10; // of the paths in base/shape
export const MARK_PX = 9;
const PAD_PX = 1;

export class Marks {
  private readonly atlas = document.createElement("canvas");
  /** Width and height of a mark with its edge, in pixels of the screen. */
  cellPx = 0;
  private scale = 1;
  private key = "";
  private cells: readonly MarkCell[] | null = null;

  prepare(theme: Theme, scale: number): void {
    const key = `${theme.inks.map((ink) => ink.mark).join()}/${scale}`;
    if (key === this.key) return;
    this.key = key;
    this.cells = null;
    this.scale = scale;
    this.cellPx = Math.ceil((MARK_PX + 2 * PAD_PX) * scale);
    this.atlas.width = this.cellPx * CATEGORIES.length;
    this.atlas.height = this.cellPx;
    const ctx = this.atlas.getContext("2d") as CanvasRenderingContext2D;
    CATEGORIES.forEach((name, i) => {
      const unit = (MARK_PX * scale) / BOX;
      ctx.setTransform(unit, 0, 0, unit, i * this.cellPx + PAD_PX * scale, PAD_PX * scale);
      const path = new Path2D(SHAPES[name]);
      ctx.lineWidth = 2;
      ctx.strokeStyle = theme.bg; // keeps marks apart that touch
      ctx.stroke(path);
      ctx.fillStyle = (theme.inks[i] as { mark: string }).mark;
      ctx.fill(path, "evenodd");
    });
  }

  /** The mark of a category as pixels of the screen. */
  cell(category: number): MarkCell {
    return (this.cells ??= this.readCells())[category] as MarkCell;
  }

  private readCells(): MarkCell[] {
    const { cellPx } = this;
    const ctx = this.atlas.getContext("2d") as CanvasRenderingContext2D;
    const { data, width } = ctx.getImageData(0, 0, this.atlas.width, cellPx); // all at once: each look is a wait
    const pixels = new Int32Array(data.buffer);
    return CATEGORIES.map((_, n) => {
      const cell = new Int32Array(cellPx * cellPx);
      for (let y = 0; y < cellPx; y++) {
        const from = y * width + n * cellPx;
        cell.set(pixels.subarray(from, from + cellPx), y * cellPx);
      }
      return cell;
    });
  }

  /** About a place, to a whole pixel of the screen: between two, a mark would be blurred, and dearer to draw. */
  stamp(ctx: CanvasRenderingContext2D, category: number, xPx: number, yPx: number): void {
    const { cellPx, scale } = this;
    const sizePx = cellPx / scale;
    const leftPx = Math.round((xPx - sizePx / 2) * scale) / scale;
    const topPx = Math.round((yPx - sizePx / 2) * scale) / scale;
    ctx.drawImage(this.atlas, category * cellPx, 0, cellPx, cellPx, leftPx, topPx, sizePx, sizePx);
  }

  /** The same onto a canvas that counts in pixels of the screen, from the corner of the mark's cell. */
  stampCell(ctx: CanvasRenderingContext2D, category: number, leftPx: number, topPx: number): void {
    const { cellPx } = this;
    ctx.drawImage(this.atlas, category * cellPx, 0, cellPx, cellPx, leftPx, topPx, cellPx, cellPx);
  }
}
