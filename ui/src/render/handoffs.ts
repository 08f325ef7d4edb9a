// Hand-offs that no span tells of: an event that names the agent who goes on, and the first sign of an
// agent that another one spawned.

import { toPx } from "../base/viewport";
import { CATEGORIES } from "../model/category";
import { AS_INSTANT } from "../model/event_table";
import type { Journal } from "../model/journal";
import type { Arrow } from "./arrows";
import { MARK_PX } from "./mark";
import { boxesInSight, isLitRow, type LaneScene } from "./scene";

const HANDOFF = CATEGORIES.indexOf("handoff");
/** More lines than this are a tangle. */
const MAX_LINES = 240;
/** And of those of births that are whole, without anybody asking for them. */
const MAX_WHOLE = 8;

/** Lines from rail to rail, those of lanes in sight. */
export function handoffsOf(scene: LaneScene): Arrow[] {
  if (scene.isDense) return [];
  const births: Arrow[] = [];
  const found: Arrow[] = [];
  addBirths(scene, births);
  addEvents(scene, found);
  const areFew = births.length <= MAX_WHOLE;
  return [...births.map((birth) => ({ ...birth, isLit: birth.isLit || areFew })), ...found];
}

/** A lane whose first event belongs to no work that is known was spawned by the agent above it; lit while something
    of the lane is. */
function addBirths(scene: LaneScene, found: Arrow[]): void {
  const { journal, layout } = scene;
  if (journal.startsLate) return; // the first event here is not the first
  const lit = litAgents(scene);
  const { from, to } = boxesInSight(scene);
  for (let n = from; n < to && found.length < MAX_LINES; n++) {
    const agent = layout.boxes[n]?.agent ?? -1;
    const lane = journal.lanes[agent];
    const parent = journal.parents[agent] ?? -1;
    if (lane?.isBornBare && parent >= 0) add(scene, found, parent, agent, lane.bornMs, lit.has(agent));
  }
}

/** Of whom something is chosen or pointed at. */
function litAgents({ journal, selection, pointed }: LaneScene): ReadonlySet<number> {
  const { events, spans } = journal;
  const found = new Set<number>();
  for (const { bar, row } of [selection, pointed]) {
    if (events.has(row)) found.add(events.agent[events.slot(row)] as number);
    if (spans.has(bar)) found.add(spans.agent[spans.slot(bar)] as number);
  }
  return found;
}

function addEvents(scene: LaneScene, found: Arrow[]): void {
  const { journal, view } = scene;
  const { events } = journal;
  events.scan(view.fromMs, view.toMs, (from, to) => {
    for (let row = from; row < to && found.length < MAX_LINES; row++) {
      const i = events.slot(row);
      if (events.drawn[i] !== AS_INSTANT || events.match[i] === 0) continue;
      if (journal.category(events.kind[i] as number) !== HANDOFF) continue;
      const target = targetOf(journal, events.text[i] ?? "");
      const source = events.agent[i] as number;
      if (target >= 0) add(scene, found, source, target, events.tsMs[i] as number, isLitRow(scene, row));
    }
  });
}

/** The agent that a line such as "→ coder please go on" names, or -1: the longest name that fits. */
export function targetOf({ agents }: Pick<Journal, "agents">, text: string): number {
  if (!text.startsWith("→ ")) return -1;
  const words = text.slice(2).split(" ");
  for (let count = words.length; count > 0; count--) {
    const agent = agents.find(words.slice(0, count).join(" "));
    if (agent >= 0) return agent;
  }
  return -1;
}

function add(
  scene: LaneScene,
  found: Arrow[],
  from: number,
  to: number,
  timeMs: number,
  isLit: boolean,
): void {
  const source = scene.layout.boxOf(from);
  const target = scene.layout.boxOf(to);
  const xPx = toPx(scene.view, scene.widthPx, timeMs);
  if (!source || !target || source === target || xPx < 0 || xPx > scene.widthPx) return;
  found.push({
    xPx: xPx - MARK_PX / 2,
    fromPx: source.topPx + source.railPx - scene.scrollPx,
    toPx: target.topPx + target.railPx - scene.scrollPx,
    isLit,
  });
}
