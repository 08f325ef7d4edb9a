// In place of the live socket: a hub that tells a day of so many events (`window.__events`) at once, then keeps
// silent. Given to the page before its own scripts (bench/ui/million.py).
(() => {
  const COUNT = window.__events;
  const AGENTS = 50;
  const BATCH = 5_000;
  const DAY_MS = 86_400_000;
  const OPENS = 1;
  const CLOSES = 2;
  const ERROR = 4;
  const now = Date.now();
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 4294967296;
  };

  const hello = {
    type: "hello",
    v: 1,
    epoch: "million",
    seq: COUNT,
    now,
    version: "bench",
    agents: Array.from({ length: AGENTS }, (_, n) => [
      `agent-${n}`,
      n === 0 ? -1 : 0,
    ]),
    kinds: ["log", "tool_invocation", "tool_result", "llm_response", "error"],
    sessions: [],
    labels: Array.from({ length: 20 }, (_, n) => `tool_${n}`),
  };

  /** Half of it is calls, a start and its end beside each other; 2 % fail. */
  function batch(first) {
    const column = () => new Array(BATCH);
    const told = {
      type: "batch",
      seq0: first,
      n: BATCH,
      t0: 0,
      history: true,
      dt: column(),
      agent: column(),
      kind: column(),
      session: column().fill(-1),
      label: column(),
      sev: column(),
      dur: column(),
      span: column(),
      parent: column().fill(""),
      flag: column(),
      tokens: column(),
      text: column(),
    };
    for (let n = 0; n < BATCH; n += 2) {
      const agent = Math.floor(random() ** 2 * AGENTS);
      const atMs = now - DAY_MS + ((first + n) / COUNT) * DAY_MS;
      const isCall = random() < 0.5;
      const isFailed = random() < 0.02;
      const tookMs = random() ** 4 * 60_000;
      for (let half = 0; half < 2; half++) {
        const i = n + half;
        const ends = isCall && half === 1;
        told.dt[i] = atMs + (ends ? tookMs : half * 20);
        told.agent[i] = agent;
        told.kind[i] = isCall ? 1 + half : isFailed ? 4 : 3 * half;
        told.label[i] = isCall ? agent % 20 : -1;
        told.sev[i] = isFailed && (ends || !isCall) ? 3 : 1;
        told.dur[i] = ends ? tookMs : -1;
        told.span[i] = isCall ? `s${first + n}` : "";
        told.flag[i] =
          (isCall ? (ends ? CLOSES : OPENS) : 0) |
          (told.sev[i] === 3 ? ERROR : 0);
        told.tokens[i] = isCall ? 0 : 100;
        told.text[i] = `step ${first + i} of what the agent does all day`;
      }
    }
    return told;
  }

  class Hub extends EventTarget {
    static OPEN = 1;
    readyState = 1;
    bufferedAmount = 0;
    constructor() {
      super();
      let first = 1;
      const tell = (message) =>
        this.hear("message", { data: JSON.stringify(message) });
      const next = () => {
        if (first > COUNT) return;
        tell(batch(first));
        first += BATCH;
        setTimeout(next, 0);
      };
      setTimeout(() => {
        this.hear("open", {});
        tell(hello);
        setInterval(
          () =>
            tell({ type: "beat", now: Date.now(), seq: COUNT, lag_bytes: 0 }),
          5_000,
        );
        next();
      }, 0);
    }
    hear(type, more) {
      const event = Object.assign(new Event(type), more);
      this[`on${type}`]?.(event);
      this.dispatchEvent(event);
    }
    send() {}
    close() {}
  }
  window.WebSocket = Hub;
})();
