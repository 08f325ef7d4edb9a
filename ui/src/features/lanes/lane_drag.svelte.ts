// Gives a lane another place among its brothers: by dragging its head, or step by step.

import { brothersOf } from "../../model/arrangement";
import type { Board } from "../../state/board.svelte";

const DRAG_FROM_PX = 6;

export class LaneDrag {
  /** The agent whose lane is being moved, or -1. */
  agent = $state(-1);
  /** Where a line shows the place it would take, from the top of all lanes; -1 where it would stay. */
  linePx = $state(-1);
  private place = -1;

  constructor(private readonly board: Board) {}

  /** A head was pressed; `scroller` holds all lanes. Only a hand that moves makes a drag of it. */
  press(event: PointerEvent, agent: number, scroller: HTMLElement): void {
    if (event.button !== 0 || event.pointerType === "touch") return;
    const brothers = this.brothers(agent);
    if (brothers.length < 2) return;
    const ending = new AbortController();
    const { signal } = ending;
    const move = (now: PointerEvent): void => {
      if (this.agent < 0 && Math.abs(now.clientY - event.clientY) < DRAG_FROM_PX) return;
      this.agent = agent;
      this.aim(now.clientY - scroller.getBoundingClientRect().top + scroller.scrollTop);
    };
    const end = (isDrop: boolean): void => {
      if (this.agent >= 0 && isDrop) {
        swallowClick();
        this.drop();
      }
      this.agent = this.linePx = this.place = -1;
      ending.abort();
    };
    window.addEventListener("pointermove", move, { signal });
    window.addEventListener("pointerup", () => end(true), { signal });
    window.addEventListener("pointercancel", () => end(false), { signal });
    window.addEventListener("keydown", (key) => key.key === "Escape" && end(false), {
      signal,
      capture: true,
    });
  }

  step(agent: number, by: 1 | -1): void {
    const names = this.brothers(agent);
    const name = this.board.journal.agents.name(agent);
    const at = names.indexOf(name);
    this.put(agent, names, at + (by > 0 ? 2 : -1));
  }

  private brothers(agent: number): readonly string[] {
    const { picture, laneChoice, journal } = this.board;
    return brothersOf(picture.branches, agent, laneChoice.current.order).map((lane) =>
      journal.agents.name(lane.agent),
    );
  }

  /** Before the first brother whose middle lies below the pointer; each with all that is under it. */
  private aim(yPx: number): void {
    const { picture, laneChoice } = this.board;
    const lanes = brothersOf(picture.branches, this.agent, laneChoice.current.order);
    const tops = lanes.map((lane) => picture.layout.boxOf(lane.agent)?.topPx ?? 0);
    const last = lanes.at(-1);
    const endPx = last ? this.endOf(last.agent, last.depth) : 0;
    const ends = tops.map((_, n) => tops[n + 1] ?? endPx);
    const found = tops.findIndex((topPx, n) => yPx < (topPx + (ends[n] as number)) / 2);
    this.place = found < 0 ? lanes.length : found;
    this.linePx = tops[this.place] ?? endPx;
  }

  private endOf(agent: number, depth: number): number {
    const { layout } = this.board.picture;
    let n = layout.indexOf(agent) + 1;
    while (n < layout.boxes.length && (layout.boxes[n]?.depth ?? 0) > depth) n++;
    const box = layout.boxes[n - 1];
    return box ? box.topPx + box.heightPx : 0;
  }

  private drop(): void {
    this.put(this.agent, this.brothers(this.agent), this.place);
  }

  private put(agent: number, names: readonly string[], place: number): void {
    const name = this.board.journal.agents.name(agent);
    if (place < 0 || place > names.length || names.length < 2) return;
    const moved = [...names.slice(0, place), null, ...names.slice(place)];
    const after = moved.filter((one) => one !== name).map((one) => one ?? name);
    const isPinned = this.board.laneChoice.current.pinned.includes(name);
    this.board.arrange((choice) => choice.place(after, isPinned));
  }
}

/** The click that a browser makes of the end of a drag is none. */
function swallowClick(): void {
  const swallow = (event: Event) => event.stopPropagation();
  window.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => window.removeEventListener("click", swallow, { capture: true }), 0);
}
