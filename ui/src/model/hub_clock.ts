// The hub's clock, as this page knows it from the hub's words.

/** A word that was late tells too early a time: of the last few, the one that was least late is right. */
const REMEMBERED = 8;

export class HubClock {
  private offsetsMs: number[] = [];
  private offsetMs = NaN;

  /** Another hub, or another link to it: its clock may have been set meanwhile. */
  restart(): void {
    this.offsetsMs = [];
  }

  /** The hub said that it is `hubMs`, when this page's own clock, which is never set, showed `pageMs`. */
  hear(hubMs: number, pageMs: number): void {
    this.offsetsMs.push(hubMs - pageMs);
    if (this.offsetsMs.length > REMEMBERED) this.offsetsMs.shift();
    this.offsetMs = Math.max(...this.offsetsMs);
  }

  /** What the hub's clock shows; NaN before its first word. */
  at(pageMs: number): number {
    return pageMs + this.offsetMs;
  }
}
