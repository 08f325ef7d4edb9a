// Draws all lanes in sight onto one canvas. Knows no framework and fetches nothing.

import { toPx } from "../base/viewport";
import { paintArrows } from "./arrows";
import { viewTicks } from "./axis";
import { BarList } from "./bar_list";
import { BarPainter } from "./bars";
import { Density } from "./density";
import { InstantPainter } from "./instants";
import { Labels } from "./label";
import type { LaneBox } from "./layout";
import { paintHoles } from "./past";
import { boxesInSight, type LaneScene } from "./scene";
import type { Surface } from "./surface";
import type { Theme } from "./theme";

export class LanePainter {
  /** What was drawn last: the hit test looks here. */
  readonly bars = new BarList();
  private collected: LaneScene | null = null;
  private readonly labels = new Labels();
  private readonly barPainter = new BarPainter(this.labels);
  private readonly instantPainter = new InstantPainter();
  private readonly density = new Density();

  /** Before it is painted: whether lanes want another height for what is in view (`bars.need`). */
  measure(scene: LaneScene, nowMs: number): boolean {
    this.collect(scene);
    return this.bars.need.settle(nowMs);
  }

  /** Returns the scene as it was drawn: the dense picture moves by whole pixels. */
  paint(surface: Surface, wanted: LaneScene, theme: Theme): LaneScene {
    const scene = wanted.isDense ? this.paintDensity(surface, wanted, theme) : wanted;
    const ctx = scene.isDense ? surface.ctx : surface.begin(theme.bg);
    if (!scene.isDense) paintGround(ctx, scene, theme);
    paintHoles(ctx, scene, theme);
    if (scene !== this.collected) this.collect(scene);
    this.barPainter.paint(ctx, scene, this.bars, theme);
    paintArrows(ctx, scene, this.bars, theme);
    if (!scene.isDense) this.instantPainter.paint(ctx, scene, theme, surface.scale);
    if (scene.isFollowing) paintNow(ctx, scene, theme);
    return scene;
  }

  private collect(scene: LaneScene): void {
    this.bars.collect(scene);
    this.collected = scene;
  }

  private paintDensity(surface: Surface, scene: LaneScene, theme: Theme): LaneScene {
    return { ...scene, view: this.density.paint(surface.goOn(), scene, theme, surface.scale) };
  }
}

function paintGround(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme): void {
  const { layout, scrollPx, widthPx, heightPx, view } = scene;
  const sight = boxesInSight(scene);
  const last = layout.boxes[sight.to - 1];
  const footPx = last ? Math.min(heightPx, last.topPx + last.heightPx - scrollPx) : 0;
  ctx.fillStyle = theme.grid;
  for (const timeMs of viewTicks(view, widthPx).timesMs) {
    ctx.fillRect(Math.round(toPx(view, widthPx, timeMs)), 0, 1, footPx);
  }
  ctx.fillStyle = theme.line;
  for (let n = sight.from; n < sight.to; n++) {
    const box = layout.boxes[n] as LaneBox;
    ctx.fillRect(0, box.topPx + box.heightPx - scrollPx - 1, widthPx, 1);
  }
}

/** The present: a thin line, so that the end of an open bar is seen to move with it. */
function paintNow(ctx: CanvasRenderingContext2D, scene: LaneScene, theme: Theme): void {
  const xPx = Math.round(toPx(scene.view, scene.widthPx, scene.nowMs));
  if (xPx < 0 || xPx > scene.widthPx) return;
  ctx.globalAlpha = 0.5;
  ctx.fillStyle = theme.accent;
  ctx.fillRect(xPx, 0, 1, scene.heightPx);
  ctx.globalAlpha = 1;
}
