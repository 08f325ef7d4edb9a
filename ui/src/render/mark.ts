// The shapes of instants, drawn once into an atlas and stamped from there.

import { SHAPES } from "../base/shape";
import { CATEGORIES } from "../model/category";
import type { Theme } from "./theme";

const BOX = 10; // of the paths in base/shape
export const MARK_PX = 9;
const PAD_PX = 1;

export class Marks {
  private readonly atlas = document.createElement("canvas");
  private cellPx = 0;
  private key = "";

  prepare(theme: Theme, scale: number): void {
    const key = `${theme.inks.map((ink) => ink.mark).join()}/${scale}`;
    if (key === this.key) return;
    this.key = key;
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

  stamp(ctx: CanvasRenderingContext2D, category: number, xPx: number, yPx: number): void {
    const size = MARK_PX + 2 * PAD_PX;
    const left = category * this.cellPx;
    ctx.drawImage(this.atlas, left, 0, this.cellPx, this.cellPx, xPx - size / 2, yPx - size / 2, size, size);
  }
}
