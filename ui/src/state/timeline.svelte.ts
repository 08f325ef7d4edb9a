// The visible range, and whether it goes along with the present.

import {
  around,
  between,
  endingAt,
  MAX_SPAN_MS,
  MIN_SPAN_MS,
  pan,
  spanMs,
  type Viewport,
  zoom,
} from "../base/viewport";
import { Pace } from "../base/pace";
import { ABANDONED_AFTER_MS } from "../model/lane";

const DEFAULT_SPAN_MS = 60_000;
/** Air between the newest event and the right edge, as a share of the range. */
const AIR_RATIO = 0.03;
/** After this long without an event the page stands still. */
const REST_AFTER_MS = 2_000;
/** A clock ahead of the hub's by more is not followed into the future. */
const MAX_AHEAD_MS = 5_000;
/** Faster cannot be read, and to lay out text costs more than to draw the lanes. */
const TELL_MS = 100;

export class Timeline {
  private current = $state.raw<Viewport>(endingAt({ fromMs: 0, toMs: DEFAULT_SPAN_MS }, Date.now()));
  /** The view as it is put in words: for text, which follows a gesture at a pace of its own. */
  told = $state.raw<Viewport>(this.current);
  private readonly tell = new Pace(TELL_MS, () => (this.told = this.current));
  /** The length of the range in words, to a hundredth of a millisecond: whoever shows it has nothing to do while
      the range only moves. */
  readonly lengthMs = $derived(Math.round(spanMs(this.told) * 100) / 100);
  isFollowing = $state(true);
  /** While following: a hand is at what is shown, and the range stays where it is. */
  isHeld = $state(false);
  /** The newest moment that is shown while following; open bars end here. Never goes back. */
  edgeMs = 0;

  get view(): Viewport {
    return this.current;
  }

  set view(view: Viewport) {
    this.current = view;
    this.tell.ask();
  }

  /** Forgets the past edge: another epoch. */
  reset(): void {
    this.edgeMs = 0;
  }

  /** Moves the edge to the present while there is something to see. Returns whether there is. */
  advance(nowMs: number, lastMs: number, openCount: number): boolean {
    const known = Number.isNaN(lastMs) ? nowMs : Math.min(lastMs, nowMs + MAX_AHEAD_MS);
    const quietMs = nowMs - known;
    const isActive = quietMs < REST_AFTER_MS || (openCount > 0 && quietMs < ABANDONED_AFTER_MS);
    this.edgeMs = Math.max(this.edgeMs, isActive ? nowMs : known);
    if (this.isFollowing && !this.isHeld) this.stick();
    return isActive;
  }

  follow(): void {
    this.isFollowing = true;
    this.stick();
  }

  pause(): void {
    this.isFollowing = false;
  }

  /** Shows a fixed range; the present goes on without the page. Of one that is too long the newest part. */
  show(view: Viewport): void {
    const span = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, spanMs(view)));
    this.isFollowing = false;
    const fromMs = spanMs(view) > MAX_SPAN_MS ? view.toMs - span : view.fromMs;
    this.view = { fromMs, toMs: fromMs + span };
  }

  showBetween(oneMs: number, otherMs: number): void {
    this.show(between(oneMs, otherMs));
  }

  showAround(fromMs: number, toMs: number): void {
    this.show(around(fromMs, toMs));
  }

  /** Follows with the last `span` milliseconds in view. */
  showLast(span: number): void {
    this.view = endingAt(
      { fromMs: 0, toMs: Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, span)) },
      this.view.toMs,
    );
    this.follow();
  }

  /** While following, the right edge stays where it is. */
  zoomBy(factor: number, anchorMs: number): void {
    this.view = zoom(this.view, factor, this.isFollowing ? this.view.toMs : anchorMs);
    if (this.isFollowing) this.stick();
  }

  panBy(ratio: number): void {
    this.show(pan(this.view, ratio * spanMs(this.view)));
  }

  /** Scrolls no more than needed to bring a moment into view. */
  reveal(timeMs: number): void {
    const { fromMs, toMs } = this.view;
    if (timeMs >= fromMs && timeMs <= toMs) return;
    this.show(endingAt(this.view, timeMs + spanMs(this.view) / 2));
  }

  private stick(): void {
    const toMs = this.edgeMs + spanMs(this.view) * AIR_RATIO;
    if (toMs !== this.view.toMs) this.view = endingAt(this.view, toMs);
  }
}
