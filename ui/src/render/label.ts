// Text that fits: what a bar can say in the room it has.

const ELLIPSIS = "…";
/** Fewer letters than this and an ellipsis tell nobody anything: "ru…" may be any of five tools. */
const LEAST_KEPT = 4;
/** Names repeat endlessly; past this many the memory starts afresh. */
const MAX_KNOWN = 4000;

export class Labels {
  private readonly widths = new Map<string, number>();

  /** As much of `text` as fits in `roomPx`, "" where that would be too little to recognise it by. */
  fit(ctx: CanvasRenderingContext2D, text: string, roomPx: number): string {
    const widthPx = this.width(ctx, text);
    if (widthPx <= roomPx) return text;
    const kept = Math.floor(((roomPx - 8) / widthPx) * text.length);
    return kept < LEAST_KEPT ? "" : text.slice(0, kept) + ELLIPSIS;
  }

  width(ctx: CanvasRenderingContext2D, text: string): number {
    const known = this.widths.get(text);
    if (known !== undefined) return known;
    if (this.widths.size > MAX_KNOWN) this.widths.clear();
    const widthPx = ctx.measureText(text).width;
    this.widths.set(text, widthPx);
    return widthPx;
  }

  /** After the font changed. */
  clear(): void {
    this.widths.clear();
  }
}
