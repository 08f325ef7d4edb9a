// All of memory on one line: how much happened, as height and shade, and where something failed.

import { toPx, type Viewport } from "../base/viewport";
import type { BinGrid } from "../model/bin_grid";
import type { Surface } from "./surface";
import type { Theme } from "./theme";

/** Draws line 0 of the grid over the whole width. */
export function paintMinimap(surface: Surface, whole: Viewport, grid: BinGrid, theme: Theme): void {
  const { widthPx, heightPx } = surface;
  const ctx = surface.begin(theme.bg);
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
