// The keys of the page. They are silent while someone types.

import { tinykeys } from "tinykeys";
import { isDialogOpen } from "../base/dialog";
import type { Board } from "../state/board.svelte";
import type { Places } from "../state/place.svelte";

const ZOOM_IN = 0.8;
const PAN_RATIO = 0.12;

export interface KeyTargets {
  readonly board: Board;
  readonly places: Places;
  focusFilter(): void;
  toggleHelp(): void;
  togglePalette(): void;
  toggleFacets(): void;
  openAlerts(): void;
  nextScheme(): void;
}

export function bindKeys(targets: KeyTargets): () => void {
  const { board, places, focusFilter, toggleHelp, togglePalette, toggleFacets, nextScheme } = targets;
  const zoomBy = (factor: number) => board.move((timeline) => timeline.zoomBy(factor, middle(board)));
  const panBy = (ratio: number) => board.move((timeline) => timeline.panBy(ratio));
  const live: Record<string, () => void> = {
    w: () => zoomBy(ZOOM_IN),
    s: () => zoomBy(1 / ZOOM_IN),
    "Shift++": () => zoomBy(ZOOM_IN),
    "=": () => zoomBy(ZOOM_IN),
    "-": () => zoomBy(1 / ZOOM_IN),
    a: () => panBy(-PAN_RATIO),
    d: () => panBy(PAN_RATIO),
    ArrowLeft: () => panBy(-PAN_RATIO),
    ArrowRight: () => panBy(PAN_RATIO),
    f: () => board.fit(),
    "0": () => board.showAll(),
    End: () => board.follow(),
    Space: () => (board.timeline.isFollowing ? board.pause() : board.follow()),
    j: () => board.step(1),
    k: () => board.step(-1),
    ArrowDown: () => board.step(1),
    ArrowUp: () => board.step(-1),
    Enter: () => (board.choice ? board.toggleRepeats() : board.step(-1)),
    Escape: () => board.unchoose(),
    e: () => board.toggleValue("has", "error"),
  };
  const everywhere: Record<string, () => void> = {
    "1": () => places.go({ view: "live" }),
    "2": () => places.go({ view: "sessions" }),
    "3": () => places.go({ view: "insights" }),
    b: toggleFacets,
    t: nextScheme,
    "Shift+!": targets.openAlerts,
    "!": targets.openAlerts,
    "/": focusFilter,
    "Shift+?": toggleHelp,
    "?": toggleHelp,
  };
  const bind = (actions: Record<string, () => void>, isOn: () => boolean) =>
    Object.entries(actions).map(([keys, act]) => [
      keys,
      (event: KeyboardEvent) => (isOn() ? run(event, act) : undefined),
    ]);
  const palette = (event: KeyboardEvent) => {
    event.preventDefault(); // also while someone types: browsers would search
    if (!document.querySelector("dialog[open]:not([data-testid=palette])")) togglePalette();
  };
  return tinykeys(
    window,
    Object.fromEntries([
      ["$mod+k", palette],
      ...bind(live, () => places.isLive),
      ...bind(everywhere, () => true),
    ]),
  );
}

function middle(board: Board): number {
  return board.pointerMs ?? (board.view.fromMs + board.view.toMs) / 2;
}

function run(event: KeyboardEvent, act: () => void): void {
  if (isBusy(event)) return;
  event.preventDefault();
  act();
}

/** Someone types, a dialog is open, or the key belongs to the control that has the focus. */
function isBusy(event: KeyboardEvent): boolean {
  if (isDialogOpen()) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("input, textarea, select, [contenteditable]")) return true;
  return (event.key === " " || event.key === "Enter") && target.closest("button, a") !== null;
}
