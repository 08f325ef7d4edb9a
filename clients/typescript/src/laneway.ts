/** Sends events to a Laneway hub. Nothing here throws into its host or makes it wait. */

export type Fields = Record<string, unknown>;

export interface Options {
  /** The hub's `…/log`; else `LOGGING_URL` of the environment. */
  url?: string;
  /** A token of scope `ingest`; else `LANEWAY_TOKEN`. */
  token?: string;
  /** The lane of events that name none. */
  agent?: string;
  /** Events that wait at most; past it the oldest are dropped and counted. */
  limit?: number;
}

const BATCH = 500;
const MOST_WAIT_MS = 30_000;
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504, 507]);
const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};

const hex = (bytes: number) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (b) => b.toString(16).padStart(2, "0")).join("");

/** A UUIDv7: made here, so that an event that is sent twice counts once. */
function newId(nowMs: number): string {
  const [time, random] = [nowMs.toString(16).padStart(12, "0"), hex(10)];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

const toText = (event: Fields) => {
  try {
    return JSON.stringify(event, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  } catch (error) {
    const { timestamp, id, agent, event: kind } = event; // a ring of objects
    return JSON.stringify({ timestamp, id, agent, event: kind, content: `[not JSON: ${String(error)}]` });
  }
};

export class Laneway {
  readonly stats = { sent: 0, rejected: 0, dropped: 0 };
  private waiting: string[] = [];
  private sending: Promise<void> | null = null;
  constructor(private readonly options: Options = {}) {}

  logEvent(agent: string | null, event: string, content?: unknown, fields: Fields = {}): string {
    const now = new Date();
    const id = newId(now.getTime());
    const name = agent ?? this.options.agent ?? "unknown";
    this.waiting.push(toText({ timestamp: now.toISOString(), agent: name, event, content, id, ...fields }));
    const surplus = this.waiting.length - (this.options.limit ?? 10_000);
    if (surplus > 0) this.stats.dropped += this.waiting.splice(0, surplus).length;
    this.sending ??= Promise.resolve().then(() => this.send());
    return id;
  }

  /** Runs `work` between `tool_invocation` and `tool_result`, which share a span; an error is recorded and passes on. */
  async tool<T>(agent: string | null, tool: string, input: unknown, work: () => Promise<T> | T, fields: Fields = {}): Promise<T> {
    const shared = { tool, span_id: hex(8), ...fields };
    const begun = performance.now();
    const end = (rest: Fields) => this.logEvent(agent, "tool_result", undefined, { ...shared, duration_ms: performance.now() - begun, ...rest });
    this.logEvent(agent, "tool_invocation", undefined, { ...shared, input });
    try {
      const output = await work();
      end({ output });
      return output;
    } catch (error) {
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
      end({ level: "error", error: { type: name, message, stack } });
      throw error;
    }
  }

  /** Resolves when all that was logged so far has been answered, or after `timeoutMs`. */
  async flush(timeoutMs = 5_000): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([this.sending, late]);
    clearTimeout(timer); // it would keep the program alive
    return this.sending === null;
  }

  private async send(): Promise<void> {
    for (let waitMs = 250; this.waiting.length > 0; ) {
      const batch = this.waiting.splice(0, BATCH); // out of reach of `limit` while it is on its way
      const answer = await this.post(batch.join("\n")).catch(() => null);
      if (answer && !RETRIED.has(answer.status)) {
        const receipt = (await answer.json().catch(() => ({}))) as { accepted?: number; rejected?: number };
        this.stats.sent += receipt.accepted ?? 0;
        this.stats.rejected += receipt.rejected ?? (answer.ok ? 0 : batch.length);
        waitMs = 250;
      } else {
        this.waiting.unshift(...batch);
        await new Promise((resolve) => {
          const timer: unknown = setTimeout(resolve, waitMs);
          (timer as { unref?: () => void }).unref?.(); // a hub that is away keeps no program alive
        });
        waitMs = Math.min(waitMs * 2, MOST_WAIT_MS);
      }
    }
    this.sending = null;
  }

  private post(body: string): Promise<Response> {
    const token = this.options.token ?? env["LANEWAY_TOKEN"];
    const headers = { "Content-Type": "application/x-ndjson", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    return fetch(this.options.url ?? env["LOGGING_URL"] ?? "http://127.0.0.1:8001/log", { method: "POST", body, headers });
  }
}
