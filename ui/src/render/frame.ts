// The one requestAnimationFrame of the page. Painters are marked dirty and run once in the next
// frame, in the order in which they were added; with nothing dirty there is no frame.

const SAMPLES = 1024;
/** A frame that took this long leaves the text to the next one. */
const FULL_MS = 3;

interface Painter {
  readonly paint: () => void;
  readonly mayWait: boolean;
  isDirty: boolean;
  hasWaited: boolean;
}

export interface FrameReport {
  /** Frames that ran. */
  readonly count: number;
  /** Painters that ran, over all frames. */
  readonly redraws: number;
  /** Main-thread milliseconds a frame: painting, and the messages taken in since the frame before. */
  readonly work: { readonly p50: number; readonly p95: number; readonly p99: number };
}

export class Frame {
  private readonly painters: Painter[] = [];
  private isAsked = false;
  private wakeTimer = 0;
  private count = 0;
  private redraws = 0;
  private owedMs = 0;
  private readonly samplesMs = new Float32Array(SAMPLES);

  /** Returns the function that marks this painter dirty. One that may wait gives way, once, where others took most
      of the frame: two dear painters then make two frames, and neither is late. */
  add(paint: () => void, { mayWait = false } = {}): () => void {
    const painter = { paint, mayWait, isDirty: false, hasWaited: false };
    this.painters.push(painter);
    return () => {
      painter.isDirty = true;
      this.ask();
    };
  }

  remove(paint: () => void): void {
    const index = this.painters.findIndex((painter) => painter.paint === paint);
    if (index >= 0) this.painters.splice(index, 1);
  }

  /** Calls `wake` once after `delayMs`; a later call replaces it. */
  wakeIn(delayMs: number, wake: () => void): void {
    clearTimeout(this.wakeTimer);
    this.wakeTimer = window.setTimeout(wake, delayMs);
  }

  /** Work done outside a frame on behalf of the next one. */
  owe(ms: number): void {
    this.owedMs += ms;
  }

  report(): FrameReport {
    const used = [...this.samplesMs.subarray(0, Math.min(this.count, SAMPLES))].sort((a, b) => a - b);
    const at = (share: number) => used[Math.min(used.length - 1, Math.floor(used.length * share))] ?? 0;
    return { count: this.count, redraws: this.redraws, work: { p50: at(0.5), p95: at(0.95), p99: at(0.99) } };
  }

  /** Begins the counts anew, for a measurement. */
  resetReport(): void {
    this.count = this.redraws = 0;
  }

  private ask(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => this.run());
  }

  private run(): void {
    this.isAsked = false;
    const startedMs = performance.now();
    for (const painter of [...this.painters]) {
      if (!painter.isDirty) continue;
      if (painter.mayWait && !painter.hasWaited && performance.now() - startedMs > FULL_MS) {
        painter.hasWaited = true;
        this.ask();
        continue;
      }
      painter.isDirty = painter.hasWaited = false;
      painter.paint();
      this.redraws++;
    }
    this.samplesMs[this.count++ % SAMPLES] = performance.now() - startedMs + this.owedMs;
    this.owedMs = 0;
  }
}
