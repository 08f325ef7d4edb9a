// Read-only facts about the page for tests and measurements: the lanes are a picture, and cannot be asked.

import { AS_GAP } from "../model/event_table";
import { CATEGORIES } from "../model/category";
import { queryOf } from "../model/filter";
import { countWithin } from "../model/past";
import { SESSION_DEPTH } from "../model/packing";
import { SESSION_PX } from "../render/layout";
import type { FrameReport } from "../render/frame";
import type { Board } from "../state/board.svelte";

export interface Facts {
  readonly frames: FrameReport;
  resetFrames(): void;
  /** Lanes as they stand, from the top. */
  agents(): { name: string; parent: string; events: number; errors: number; open: number; state: string }[];
  /** The newest events in memory, oldest first. */
  events(limit?: number): {
    seq: number;
    timeMs: number;
    agent: string;
    event: string;
    label: string;
    text: string;
    isMatch: boolean;
  }[];
  /** Events that the pulse counts in all of its bins. */
  pulse(): number;
  /** Events that the hub counted where those themselves are not on the page. */
  past(): number;
  openBars(): { agent: string; label: string; event: string; startMs: number }[];
  /** Bars in the visible range that match the filter, with where they begin and end on the canvas. */
  bars(): {
    agent: string;
    label: string;
    category: string;
    isOpen: boolean;
    isFailed: boolean;
    startMs: number;
    endMs: number;
    leftPx: number;
    rightPx: number;
    middlePx: number;
  }[];
  visible(): {
    fromMs: number;
    toMs: number;
    isFollowing: boolean;
    isDense: boolean;
    lanes: number;
    matching: number;
    total: number;
  };
  state(): {
    link: string;
    epoch: string;
    lastSeq: number;
    missing: number;
    gaps: number;
    query: string;
    isSearching: boolean;
  };
}

declare global {
  interface Window {
    __laneway?: Facts;
  }
}

export function exposeFacts(board: Board): void {
  window.__laneway = {
    get frames() {
      return board.frame.report();
    },
    resetFrames: () => board.frame.resetReport(),
    agents: () => agents(board),
    events: (limit = 1000) => events(board, limit),
    pulse: () => board.picture.pulseGrid.counts.reduce((sum, count) => sum + count, 0),
    past: () => counted(board),
    openBars: () => openBars(board),
    bars: () => bars(board),
    visible: () => visible(board),
    state: () => ({
      link: board.link.kind,
      epoch: board.journal.epoch,
      lastSeq: board.journal.lastSeq,
      missing: board.missing,
      gaps: countGaps(board),
      query: queryOf(board.filter),
      isSearching: board.isSearching,
    }),
  };
}

function counted({ journal, history: { past } }: Board): number {
  if (!past) return 0;
  return journal
    .holes()
    .reduce((sum, hole) => sum + countWithin(past.found, past.stepMs, hole.fromMs, hole.toMs), 0);
}

function agents({ journal, picture }: Board): ReturnType<Facts["agents"]> {
  return picture.branches.map(({ agent }) => {
    const lane = journal.lanes[agent];
    return {
      name: journal.agents.name(agent),
      parent: journal.agents.name(journal.parents[agent] ?? -1),
      events: lane?.events ?? 0,
      errors: lane?.errors ?? 0,
      open: lane?.open ?? 0,
      state: lane?.state ?? "idle",
    };
  });
}

function events({ journal }: Board, limit: number): ReturnType<Facts["events"]> {
  const { events: table } = journal;
  const found: ReturnType<Facts["events"]> = [];
  for (let row = Math.max(table.first, table.end - limit); row < table.end; row++) {
    const i = table.slot(row);
    if (table.drawn[i] === AS_GAP) continue;
    found.push({
      seq: table.seq[i] as number,
      timeMs: table.tsMs[i] as number,
      agent: journal.agents.name(table.agent[i] as number),
      event: journal.kinds.name(table.kind[i] as number),
      label: journal.labels.name(table.label[i] as number),
      text: table.text[i] ?? "",
      isMatch: table.match[i] === 1,
    });
  }
  return found;
}

function openBars({ journal }: Board): ReturnType<Facts["openBars"]> {
  const { spans } = journal;
  const found: ReturnType<Facts["openBars"]> = [];
  for (let span = spans.first; span < spans.end; span++) {
    if (!spans.isOpen(span)) continue;
    const i = spans.slot(span);
    found.push({
      agent: journal.agents.name(spans.agent[i] as number),
      label: journal.labels.name(spans.label[i] as number),
      event: journal.kinds.name(spans.kind[i] as number),
      startMs: spans.startMs[i] as number,
    });
  }
  return found;
}

function bars({ journal, picture, view, timeline }: Board): ReturnType<Facts["bars"]> {
  const { spans } = journal;
  const { layout } = picture;
  const widthPx = document.querySelector("[data-testid=lanes-canvas]")?.clientWidth ?? 0;
  const scrollPx = document.querySelector("[data-testid=lanes]")?.scrollTop ?? 0;
  const pxOf = (ms: number) => ((ms - view.fromMs) / (view.toMs - view.fromMs)) * widthPx;
  const found: ReturnType<Facts["bars"]> = [];
  for (let span = spans.first; span < spans.end; span++) {
    const i = spans.slot(span);
    const box = layout.boxOf(spans.agent[i] as number);
    const startMs = spans.startMs[i] as number;
    const isOpen = spans.isOpen(span);
    const endMs = isOpen ? timeline.edgeMs : (spans.endMs[i] as number);
    if (!box || spans.match[i] === 0 || startMs > view.toMs || endMs < view.fromMs) continue;
    found.push({
      agent: journal.agents.name(spans.agent[i] as number),
      label: journal.labels.name(spans.label[i] as number),
      category: CATEGORIES[journal.category(spans.kind[i] as number)] ?? "other",
      isOpen,
      isFailed: spans.failed[i] === 1,
      startMs,
      endMs,
      leftPx: pxOf(startMs),
      rightPx: pxOf(endMs),
      middlePx:
        box.topPx -
        scrollPx +
        layout.barTopPx(box, spans.depth[i] as number) +
        (spans.depth[i] === SESSION_DEPTH ? SESSION_PX : layout.metrics.barPx) / 2,
    });
  }
  return found;
}

function visible({ journal, picture, view, timeline, rows }: Board): ReturnType<Facts["visible"]> {
  rows.refresh(journal.events);
  return {
    ...view,
    isFollowing: timeline.isFollowing,
    isDense: picture.isDense,
    lanes: picture.layout.boxes.length,
    matching: rows.events,
    total: journal.total,
  };
}

function countGaps({ journal: { events: table } }: Board): number {
  let count = 0;
  for (let row = table.first; row < table.end; row++) if (table.drawn[table.slot(row)] === AS_GAP) count++;
  return count;
}
