// The live connection: says hello, follows, and comes back by itself after a loss, from where it was.

import { type Message, parseMessage, ProtocolError } from "../model/protocol";

export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | {
      readonly kind: "waiting";
      readonly retryAtMs: number;
      readonly attempt: number;
      readonly reason: string;
    }
  | { readonly kind: "signed-out" };

/** The hub beats every 10 s; two missed beats and some air. */
export const SILENCE_MS = 25_000;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 8_000;
/** Events asked for at the start: a few minutes of a busy fleet, and a first paint well under a second. */
const HISTORY = 10_000;

export interface Listener {
  onMessage(data: unknown): void;
  onClose(): void;
}

/** An open connection, or one on its way. */
export interface Socket {
  close(): void;
}

/** What the stream needs from outside; tests bring their own. */
export interface Surroundings {
  open(path: string, listener: Listener): Socket;
  checkAccess(): Promise<"in" | "out" | "unreachable">;
  now(): number;
  /** Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
  random(): number;
}

export interface Owner {
  onMessage(message: Message): void;
  onState(state: LinkState): void;
  /** Where to connect to, asked before each connection. */
  address(): string;
  /** What was taken in cannot be trusted any more. */
  onCorrupt(error: ProtocolError): void;
}

export class Stream {
  private socket: Socket | null = null;
  private attempt = 0;
  private cancelTimer: () => void = () => undefined;
  private isStopped = true;

  constructor(
    private readonly owner: Owner,
    private readonly around: Surroundings,
  ) {}

  start(): void {
    this.isStopped = false;
    this.connect();
  }

  stop(): void {
    this.isStopped = true;
    this.drop();
  }

  /** The page is let in no more, until it is `start`ed again. */
  leave(): void {
    this.stop();
    this.owner.onState({ kind: "signed-out" });
  }

  /** Tries at once if it is waiting: the network came back, or a person asks. */
  retryNow(): void {
    if (!this.isStopped && !this.socket) this.connect();
  }

  private connect(): void {
    this.drop();
    if (this.attempt === 0) this.owner.onState({ kind: "connecting" });
    const socket = this.around.open(this.owner.address(), {
      onMessage: (data) => this.take(socket, data),
      onClose: () => this.lost(socket, "the connection closed"),
    });
    this.socket = socket;
    this.watchSilence(socket);
  }

  private take(socket: Socket, data: unknown): void {
    if (socket !== this.socket) return;
    this.watchSilence(socket);
    try {
      const message = parseMessage(String(data));
      if (!message) return;
      if (message.type === "hello") {
        this.attempt = 0;
        this.owner.onState({ kind: "live" });
      }
      this.owner.onMessage(message);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.owner.onCorrupt(error);
      this.attempt = Math.max(this.attempt, 4); // no use in hurrying back
      this.lost(socket, error.message);
    }
  }

  private watchSilence(socket: Socket): void {
    this.cancelTimer();
    this.cancelTimer = this.around.after(SILENCE_MS, () => this.lost(socket, "the hub fell silent"));
  }

  private lost(socket: Socket, reason: string): void {
    if (socket !== this.socket) return;
    this.drop();
    const delayMs = retryDelayMs(this.attempt++, this.around.random());
    this.owner.onState({
      kind: "waiting",
      retryAtMs: this.around.now() + delayMs,
      attempt: this.attempt,
      reason,
    });
    this.cancelTimer = this.around.after(delayMs, () => void this.reconnect());
  }

  /** A refused handshake looks like a dead hub to a page: ask which it is. */
  private async reconnect(): Promise<void> {
    const access = await this.around.checkAccess();
    if (this.isStopped || this.socket) return;
    if (access === "out") this.leave();
    else this.connect();
  }

  private drop(): void {
    this.cancelTimer();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

/** Doubles from a quarter of a second to eight, each between half and all of it. */
export function retryDelayMs(attempt: number, random: number): number {
  const fullMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
  return fullMs * (0.5 + random / 2);
}

/** All events as columns. `resume`: where to go on; null to begin anew. */
export function streamPath(resume: { epoch: string; since: number } | null): string {
  const query = new URLSearchParams({ history: String(HISTORY) });
  if (resume) {
    query.set("epoch", resume.epoch);
    query.set("since", String(resume.since));
  }
  return `/logs/ws?${query}`;
}

/** The numbers of the events that a query finds. */
export function seqsPath(query: string): string {
  return `/logs/ws?${new URLSearchParams({ format: "seqs", q: query })}`;
}

/** The browser itself. */
export function browserSurroundings(checkAccess: Surroundings["checkAccess"]): Surroundings {
  return {
    open: openSocket,
    checkAccess,
    now: () => performance.now(),
    after(ms, run) {
      const timer = window.setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  };
}

function openSocket(path: string, listener: Listener): Socket {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}${path}`);
  socket.addEventListener("message", (event) => listener.onMessage(event.data));
  socket.addEventListener("close", () => listener.onClose());
  return socket;
}
