// All of memory on one line: how much happened, as height and shade, where something failed, and which part is in view.

import { toPx, type Viewport } from "../base/viewport";
import type { BinGrid } from "../model/bin_grid";
import type { Surface } from "./surface";
import type { Theme } from "./theme";

const EDGE_PX = 1.5;
const LEAST_WINDOW_PX = 2;
/** How much of what lies beside the window is taken back, and how much the window itself is tinted. */
const VEIL = 0.62;
const TINT = 0.1;

export interface Window {
  readonly leftPx: number;
  readonly rightPx: number;
}

/** The past is drawn at a pace of its own, and kept; the window over it moves with every frame. */
export class MinimapPainter {
  private readonly past = document.createElement("canvas");
  private drawn: Window | null = null;

  /** Draws line 0 of the grid over the whole width; on the surface with the next window. */
  paintPast(
    { canvas, widthPx, heightPx, scale }: Surface,
    whole: Viewport,
    grid: BinGrid,
    theme: Theme,
  ): void {
    const { past } = this;
    this.drawn = null;
    past.width = canvas.width;
    past.height = canvas.height;
    const ctx = past.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.fillStyle = theme.bg;
    ctx.fillRect(0, 0, widthPx, heightPx);
    paintCounts(ctx, { widthPx, heightPx }, whole, grid, theme);
  }

  /** Where the same was drawn before, nothing is. */
  paintWindow(surface: Surface, at: Window, theme: Theme): void {
    const { past, drawn } = this;
    if (drawn?.leftPx === at.leftPx && drawn.rightPx === at.rightPx) return;
    this.drawn = at;
    const { ctx, widthPx, heightPx } = surface;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalAlpha = 1;
    ctx.drawImage(past, 0, 0);
    surface.goOn();
    const { leftPx } = at;
    const rightPx = Math.max(at.rightPx, leftPx + LEAST_WINDOW_PX);
    if (leftPx <= 0.5 && rightPx >= widthPx - 0.5) return; // all is in view
    ctx.fillStyle = theme.bg;
    ctx.globalAlpha = VEIL;
    ctx.fillRect(0, 0, leftPx, heightPx);
    ctx.fillRect(rightPx, 0, widthPx - rightPx, heightPx);
    ctx.fillStyle = theme.accent;
    ctx.globalAlpha = TINT;
    ctx.fillRect(leftPx, 0, rightPx - leftPx, heightPx);
    ctx.globalAlpha = 1;
    ctx.fillRect(leftPx, 0, EDGE_PX, heightPx);
    ctx.fillRect(Math.max(leftPx, rightPx - EDGE_PX), 0, EDGE_PX, heightPx);
  }
}

function paintCounts(
  ctx: CanvasRenderingContext2D,
  { widthPx, heightPx }: { readonly widthPx: number; readonly heightPx: number },
  whole: Viewport,
  grid: BinGrid,
  theme: Theme,
): void {
  const from = Math.max(0, grid.binAt(whole.fromMs));
  const to = Math.min(grid.bins, grid.binAt(whole.toMs) + 1);
  let most = 1;
  for (let bin = from; bin < to; bin++) most = Math.max(most, grid.at(0, bin));
  const scale = (heightPx - 3) / Math.log2(1 + most);
  for (const isError of [false, true]) {
    ctx.fillStyle = isError ? theme.error : theme.pulse;
    for (let bin = from; bin < to; bin++) {
      const count = isError ? grid.errorsAt(0, bin) : grid.at(0, bin);
      if (count === 0) continue;
      const leftPx = Math.floor(toPx(whole, widthPx, grid.startMs(bin)));
      const rightPx = Math.max(leftPx + 1, Math.floor(toPx(whole, widthPx, grid.startMs(bin + 1))) - 1);
      const tallPx = isError ? 2 : Math.max(1.5, Math.log2(1 + count) * scale);
      ctx.fillRect(leftPx, heightPx - tallPx, rightPx - leftPx, tallPx);
    }
  }
}
