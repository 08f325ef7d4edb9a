// Bars of work: filled by category, hatched while they run, named where the name fits.

import { duration } from "../base/format";
import { CATEGORIES } from "../model/category";
import { SESSION_DEPTH } from "../model/packing";
import type { BarList } from "./bar_list";
import type { Labels } from "./label";
import { SESSION_PX } from "./layout";
import type { LaneScene } from "./scene";
import type { CategoryInk, Theme } from "./theme";

const ROUND_FROM_PX = 5;
const EDGE_FROM_PX = 14;
const LABEL_FROM_PX = 26;
/** Lower bars carry no text. */
const LABEL_BAR_PX = 10;
const EDGE_PX = 2;
const TEXT_PAD_PX = 6;
/** How far beyond the canvas a bar is drawn: rounding and edges stay out of sight. */
const OVERHANG_PX = 8;
/** What the filter leaves out is still there, faintly: the work around it explains it. */
const LIFE = CATEGORIES.indexOf("life");
const DIM_ALPHA = 0.22;

interface Brush {
  readonly ctx: CanvasRenderingContext2D;
  readonly scene: LaneScene;
  readonly bars: BarList;
  readonly theme: Theme;
  readonly barPx: number;
}

export class BarPainter {
  private hatch: CanvasPattern | null = null;
  private hatchTheme: Theme | null = null;
  /** Bars by category, then the failed ones; kept between frames to spare the collector. */
  private readonly sessions: number[] = [];
  private readonly groups: number[][] = Array.from({ length: CATEGORIES.length + 1 }, () => []);

  constructor(private readonly labels: Labels) {}

  paint(ctx: CanvasRenderingContext2D, scene: LaneScene, bars: BarList, theme: Theme): void {
    const brush = { ctx, scene, bars, theme, barPx: scene.layout.metrics.barPx };
    this.group(scene, bars);
    this.paintSessions(brush);
    for (const isMatch of [false, true]) {
      ctx.globalAlpha = isMatch ? 1 : DIM_ALPHA;
      this.groups.forEach((group, category) => {
        const own = group.filter((n) => isMatch === matches(scene, bars, n));
        if (own.length > 0) fillGroup(brush, own, inkOf(theme, category));
      });
    }
    this.paintOpen(brush);
    this.paintLabels(brush);
    this.paintSelected(brush);
  }

  private group(scene: LaneScene, bars: BarList): void {
    const { spans } = scene.journal;
    for (const group of [...this.groups, this.sessions]) group.length = 0;
    for (let n = 0; n < bars.length; n++) {
      const i = spans.slot(bars.span[n] as number);
      if (spans.depth[i] === SESSION_DEPTH) {
        this.sessions.push(n);
        continue;
      }
      const category =
        spans.failed[i] === 1 ? CATEGORIES.length : scene.journal.category(spans.kind[i] as number);
      this.groups[category]?.push(n);
    }
  }

  /** Lines along the top of the lane; many at once look like one, and that is what they mean. */
  private paintSessions({ ctx, scene, bars, theme }: Brush): void {
    ctx.fillStyle = theme.session;
    for (const n of this.sessions) {
      const leftPx = Math.max(-OVERHANG_PX, bars.leftPx[n] as number);
      const endPx = Math.min(
        scene.widthPx + OVERHANG_PX,
        (bars.leftPx[n] as number) + (bars.widthPx[n] as number),
      );
      ctx.globalAlpha = matches(scene, bars, n) ? 1 : DIM_ALPHA;
      ctx.fillRect(leftPx, Math.round(bars.topPx[n] as number), Math.max(2, endPx - leftPx), SESSION_PX);
    }
    ctx.globalAlpha = 1;
  }

  private paintOpen({ ctx, scene, bars, theme, barPx }: Brush): void {
    const { spans } = scene.journal;
    const hatch = this.hatchFor(ctx, theme);
    for (let n = 0; n < bars.length; n++) {
      if (!spans.isOpen(bars.span[n] as number) || !matches(scene, bars, n) || isSession(scene, bars, n))
        continue;
      const leftPx = Math.max(-OVERHANG_PX, bars.leftPx[n] as number);
      const endPx = (bars.leftPx[n] as number) + (bars.widthPx[n] as number);
      const topPx = Math.round(bars.topPx[n] as number);
      const kind = spans.kind[spans.slot(bars.span[n] as number)] as number;
      if (hatch) {
        ctx.fillStyle = hatch;
        ctx.fillRect(leftPx, topPx, Math.min(endPx, scene.widthPx) - leftPx, barPx);
      }
      ctx.fillStyle = theme.inks[scene.journal.category(kind)]?.mark ?? theme.accent;
      ctx.fillRect(endPx - EDGE_PX, topPx, EDGE_PX, barPx);
    }
  }

  private paintLabels({ ctx, scene, bars, theme, barPx }: Brush): void {
    const { journal } = scene;
    if (barPx < LABEL_BAR_PX) return;
    ctx.font = `${barPx > 14 ? 11 : 10}px ${theme.font}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const takenPx = new Map<number, number>(); // by row: the deepest is shared, and there names could meet
    for (let n = 0; n < bars.length; n++) {
      const leftPx = Math.max(0, bars.leftPx[n] as number);
      const endPx = Math.min(scene.widthPx, (bars.leftPx[n] as number) + (bars.widthPx[n] as number));
      const roomPx = endPx - leftPx - 2 * TEXT_PAD_PX;
      if (roomPx < LABEL_FROM_PX - 2 * TEXT_PAD_PX || !matches(scene, bars, n) || isSession(scene, bars, n))
        continue;
      const topPx = bars.topPx[n] as number;
      if (leftPx < (takenPx.get(topPx) ?? 0)) continue;
      const i = journal.spans.slot(bars.span[n] as number);
      const name = journal.spanName(bars.span[n] as number);
      const text = this.labels.fit(ctx, name, roomPx);
      if (!text) continue;
      takenPx.set(topPx, endPx);
      const middlePx = topPx + barPx / 2 + 0.5;
      const isGround = journal.category(journal.spans.kind[i] as number) === LIFE;
      ctx.fillStyle = isGround ? theme.muted : theme.text;
      ctx.fillText(text, leftPx + TEXT_PAD_PX, middlePx);
      const endMs = journal.spans.endMs[i] as number;
      if (text !== name || endMs === Infinity) continue;
      const took = duration(endMs - (journal.spans.startMs[i] as number));
      const usedPx = this.labels.width(ctx, name) + TEXT_PAD_PX;
      if (usedPx + this.labels.width(ctx, took) > roomPx) continue;
      ctx.fillStyle = isGround ? theme.faint : theme.muted;
      ctx.fillText(took, leftPx + TEXT_PAD_PX + usedPx, middlePx);
    }
  }

  private paintSelected({ ctx, scene, bars, theme, barPx }: Brush): void {
    if (scene.selection.bar < 0) return;
    for (let n = 0; n < bars.length; n++) {
      if (bars.span[n] !== scene.selection.bar) continue;
      const leftPx = Math.max(-OVERHANG_PX, bars.leftPx[n] as number);
      const endPx = Math.min(
        scene.widthPx + OVERHANG_PX,
        (bars.leftPx[n] as number) + (bars.widthPx[n] as number),
      );
      ctx.strokeStyle = theme.text;
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      ctx.roundRect(
        leftPx - 1,
        Math.round(bars.topPx[n] as number) - 1,
        Math.max(3, endPx - leftPx + 2),
        (isSession(scene, bars, n) ? SESSION_PX : barPx) + 2,
        3,
      );
      ctx.stroke();
    }
  }

  private hatchFor(ctx: CanvasRenderingContext2D, theme: Theme): CanvasPattern | null {
    if (this.hatchTheme === theme) return this.hatch;
    const size = 8;
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const brush = tile.getContext("2d") as CanvasRenderingContext2D;
    brush.strokeStyle = theme.text;
    brush.globalAlpha = 0.13;
    brush.lineWidth = 2;
    brush.beginPath();
    for (const offset of [-size, 0, size]) {
      brush.moveTo(offset - 1, size + 1);
      brush.lineTo(offset + size + 1, -1);
    }
    brush.stroke();
    this.hatch = ctx.createPattern(tile, "repeat");
    this.hatchTheme = theme;
    return this.hatch;
  }
}

function matches(scene: LaneScene, bars: BarList, n: number): boolean {
  const { spans } = scene.journal;
  return spans.match[spans.slot(bars.span[n] as number)] === 1;
}

function isSession(scene: LaneScene, bars: BarList, n: number): boolean {
  const { spans } = scene.journal;
  return spans.depth[spans.slot(bars.span[n] as number)] === SESSION_DEPTH;
}

function inkOf(theme: Theme, category: number): CategoryInk {
  return (
    theme.inks[category] ?? {
      mark: theme.error,
      fill: theme.errorFill,
      solid: theme.error,
      edge: theme.error,
    }
  );
}

function fillGroup({ ctx, scene, bars, barPx }: Brush, group: readonly number[], ink: CategoryInk): void {
  ctx.fillStyle = ink.fill;
  ctx.beginPath();
  for (const n of group) {
    const widthPx = bars.widthPx[n] as number;
    if (widthPx < ROUND_FROM_PX) continue;
    const leftPx = Math.max(-OVERHANG_PX, bars.leftPx[n] as number);
    const endPx = Math.min(scene.widthPx + OVERHANG_PX, (bars.leftPx[n] as number) + widthPx);
    ctx.roundRect(leftPx, Math.round(bars.topPx[n] as number), endPx - leftPx, barPx, 2.5);
  }
  ctx.fill();
  fillEdges({ bars, barPx, ctx }, group, ink);
}

/** Narrow bars whole, wide ones at their start: the eye finds where work began. */
function fillEdges(
  { bars, barPx, ctx }: Pick<Brush, "bars" | "barPx" | "ctx">,
  group: readonly number[],
  ink: CategoryInk,
): void {
  for (const isNarrow of [true, false]) {
    ctx.fillStyle = isNarrow ? ink.solid : ink.edge;
    for (const n of group) {
      const widthPx = bars.widthPx[n] as number;
      const isWanted = isNarrow ? widthPx < ROUND_FROM_PX : widthPx >= EDGE_FROM_PX;
      if (isWanted)
        ctx.fillRect(
          bars.leftPx[n] as number,
          Math.round(bars.topPx[n] as number),
          isNarrow ? widthPx : EDGE_PX,
          barPx,
        );
    }
  }
}
