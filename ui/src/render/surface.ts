// A canvas that is as sharp as the screen: drawn in CSS pixels, stored in device pixels.

export class Surface {
  readonly ctx: CanvasRenderingContext2D;
  widthPx = 0;
  heightPx = 0;
  scale = 1;
  /** The size on the page may be another one; to ask for it in every frame would lay the page out twice. */
  private isStale = true;

  constructor(readonly canvas: HTMLCanvasElement) {
    const ctx = canvas.getContext("2d", { alpha: false });
    if (!ctx) throw new Error("this browser has no 2D canvas");
    this.ctx = ctx;
    new ResizeObserver(() => this.measureAgain()).observe(canvas); // ends with the canvas
  }

  /** For whoever knows of another size before the browser tells: paper. */
  measureAgain(): void {
    this.isStale = true;
  }

  /** Fits the store to the size on the page; free where nothing changed. Returns whether it emptied the store. */
  fit(): boolean {
    const scale = window.devicePixelRatio || 1;
    if (!this.isStale && scale === this.scale) return false;
    this.isStale = false;
    const widthPx = this.canvas.clientWidth;
    const heightPx = this.canvas.clientHeight;
    if (widthPx === this.widthPx && heightPx === this.heightPx && scale === this.scale) return false;
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.scale = scale;
    this.canvas.width = Math.max(1, Math.round(widthPx * scale));
    this.canvas.height = Math.max(1, Math.round(heightPx * scale));
    return true;
  }

  /** Clears to `color` and lets everything be drawn in CSS pixels. */
  begin(color: string): CanvasRenderingContext2D {
    const ctx = this.goOn();
    ctx.fillStyle = color;
    ctx.fillRect(0, 0, this.widthPx, this.heightPx);
    return ctx;
  }

  /** The same for whoever fills all of it: nothing is cleared. */
  goOn(): CanvasRenderingContext2D {
    const { ctx } = this;
    ctx.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    ctx.globalAlpha = 1;
    return ctx;
  }
}
