// Who set whom to work: a hook at the start of work that another lane asked for. The whole line, from the bar
// around it, is drawn for the work that is chosen or pointed at: all lines at once are a tangle.

import type { BarList } from "./bar_list";
import { handoffsOf } from "./handoffs";
import { isLitBar, type LaneScene } from "./scene";
import type { Theme } from "./theme";

/** With more bars than this in sight, lines between them would hide them. */
const MAX_BARS = 1200;
const MAX_ARROWS = 240;
/** How far a hook reaches towards where its line comes from. */
const STUB_PX = 14;
const HEAD_PX = 4;
const BEND_PX = 7;

export interface Arrow {
  /** Where the head ends, and at what height the line begins and its head points. */
  readonly xPx: number;
  readonly fromPx: number;
  readonly toPx: number;
  /** Drawn whole, else as a hook at its end. */
  readonly isLit: boolean;
}

/** Lines down or up from a parent's bar, in sight or not, to the start of a child's in another lane. */
export function arrowsOf(scene: LaneScene, bars: BarList): Arrow[] {
  if (scene.isDense || bars.length > MAX_BARS) return [];
  const { spans } = scene.journal;
  const { barPx } = scene.layout.metrics;
  const owners = ownersOf(scene, bars);
  const found: Arrow[] = [];
  for (let n = 0; n < bars.length && found.length < MAX_ARROWS; n++) {
    const i = spans.slot(bars.span[n] as number);
    const owner = owners.get(spans.parent[i] ?? "");
    if (owner === undefined || spans.match[i] === 0) continue;
    const o = spans.slot(owner.span);
    const xPx = bars.leftPx[n] as number;
    const isLit = isLitBar(scene, bars.span[n] as number) || isLitBar(scene, owner.span);
    if (spans.agent[o] === spans.agent[i] || spans.match[o] === 0 || xPx < 0 || xPx > scene.widthPx) continue;
    const isBelow = (bars.topPx[n] as number) > owner.topPx;
    found.push({
      xPx,
      fromPx: owner.topPx + (isBelow ? barPx : 0),
      toPx: (bars.topPx[n] as number) + (isBelow ? BEND_PX : barPx - BEND_PX),
      isLit,
    });
  }
  return found;
}

interface Owner {
  readonly span: number;
  readonly topPx: number;
}

/** Work by the id of its span, also of lanes out of sight. */
function ownersOf({ journal: { spans } }: LaneScene, bars: BarList): ReadonlyMap<string, Owner> {
  const owners = new Map<string, Owner>();
  const note = (span: number, topPx: number) => {
    const id = spans.id[spans.slot(span)];
    if (id) owners.set(id, { span, topPx });
  };
  for (let n = 0; n < bars.beyond; n++) note(bars.beyondSpan[n] as number, bars.beyondTopPx[n] as number);
  for (let n = 0; n < bars.length; n++) note(bars.span[n] as number, bars.topPx[n] as number);
  return owners;
}

export function paintArrows(
  ctx: CanvasRenderingContext2D,
  scene: LaneScene,
  bars: BarList,
  theme: Theme,
): void {
  const arrows = [...arrowsOf(scene, bars), ...handoffsOf(scene)];
  if (arrows.length === 0) return;
  ctx.strokeStyle = ctx.fillStyle = theme.muted;
  ctx.lineWidth = 1;
  ctx.globalAlpha = 0.55;
  strokeArrows(
    ctx,
    arrows.filter(({ isLit }) => !isLit),
  );
  ctx.globalAlpha = 1;
  strokeArrows(
    ctx,
    arrows.filter(({ isLit }) => isLit),
  );
}

function strokeArrows(ctx: CanvasRenderingContext2D, arrows: readonly Arrow[]): void {
  ctx.beginPath();
  for (const { xPx, fromPx, toPx, isLit } of arrows) {
    const leftPx = Math.round(xPx) - BEND_PX + 0.5;
    const way = Math.sign(toPx - fromPx);
    ctx.moveTo(leftPx, isLit ? fromPx : toPx - way * STUB_PX);
    ctx.lineTo(leftPx, toPx - way * 3);
    ctx.quadraticCurveTo(leftPx, toPx, leftPx + 3, toPx);
    ctx.lineTo(xPx - 1, toPx);
  }
  ctx.stroke();
  ctx.beginPath();
  for (const { xPx, toPx } of arrows) {
    ctx.moveTo(xPx, toPx);
    ctx.lineTo(xPx - HEAD_PX, toPx - HEAD_PX / 1.6);
    ctx.lineTo(xPx - HEAD_PX, toPx + HEAD_PX / 1.6);
    ctx.closePath();
  }
  ctx.fill();
}
