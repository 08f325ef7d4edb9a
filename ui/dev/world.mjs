// A made-up fleet of agents at work: events of schema 1 in virtual time, the same for the same seed.

const CREW = ["researcher", "coder", "memory", "reviewer", "browser", "tester", "writer", "critic", "router"];
const ASKS = [
  "Which of our services still call the old billing endpoint?",
  "Summarise the incident notes of last week in five points.",
  "Write a migration that adds an index on orders(created_at).",
  "Find out why the nightly export takes forty minutes.",
  "Compare the two caching libraries for our use.",
  "Übersetze die Fehlermeldungen der Anmeldeseite ins Deutsche.",
  "日本語のリリースノートを下書きしてください。",
];
const TOOLS = {
  researcher: ["search_files", "read_file", "sqlite_query"],
  coder: ["read_file", "apply_patch", "run_tests", "shell"],
  memory: ["recall", "store_note"],
  reviewer: ["diff", "read_file"],
  browser: ["open_page", "extract_text"],
  tester: ["run_tests", "shell"],
  writer: ["write_note", "read_file"],
  critic: ["read_file"],
  router: ["list_agents"],
};
const ARGUMENTS = {
  search_files: () => ({ pattern: "billing/v1", path: "services/", glob: "*.py" }),
  read_file: (r) => ({
    path: `services/${["orders", "billing", "mail"][r(3)]}/${["app", "client", "models"][r(3)]}.py`,
  }),
  sqlite_query: () => ({
    sql: "select status, count(*) from orders where created_at > ? group by status",
    args: ["2026-11-01"],
  }),
  apply_patch: () => ({
    path: "migrations/0042_orders_created_at.sql",
    patch: "+create index concurrently orders_created_at on orders(created_at);",
  }),
  run_tests: () => ({ command: "pytest -q tests/orders", timeout_s: 120 }),
  shell: () => ({
    command: "git log --oneline -20 | head",
    env: { API_KEY: "[redacted:env-assignment:7f3a9c]" },
  }),
  open_page: () => ({ url: "http://wiki.local/incidents/2026-11-17" }),
};
const RESULTS = [
  "12 matches in 4 files",
  "3 rows",
  "41 passed in 6.82s",
  "patch applied",
  "2,104 characters",
  "no such index yet",
  "stored",
  "0 matches",
];
const FAILURES = [
  ["TimeoutError", "run_tests took longer than 120 s"],
  ["FileNotFoundError", "[Errno 2] No such file or directory: 'services/orders/legacy.py'"],
  ["OperationalError", "database is locked"],
  [
    "HTTPStatusError",
    "Client error '429 Too Many Requests' for url 'http://127.0.0.1:9009/v1/chat/completions'",
  ],
];

function makeRandom(seed) {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const whole = (below) => Math.floor(next() * below);
  return {
    next,
    whole,
    pick: (from) => from[whole(from.length)],
    hex: (digits) => Array.from({ length: digits }, () => whole(16).toString(16)).join(""),
    around: (ms) => ms * (0.4 + 1.2 * next()),
  };
}

/** Runs processes (generators that yield delays in ms) in virtual time. */
class Clock {
  constructor(startMs, speed) {
    this.nowMs = startMs;
    this.speed = speed; // shortens every wait; may change on the way
    this.queue = [];
    this.order = 0;
  }

  after(ms, run) {
    this.queue.push({ atMs: this.nowMs + ms, order: this.order++, run });
  }

  spawn(process, onEnd = () => undefined) {
    const step = process.next();
    if (step.done) onEnd();
    else if (typeof step.value === "function") step.value(() => this.spawn(process, onEnd));
    else this.after(step.value, () => this.spawn(process, onEnd));
  }

  advanceTo(ms) {
    for (;;) {
      let first = -1;
      this.queue.forEach((entry, i) => {
        const best = this.queue[first];
        if (!best || entry.atMs < best.atMs || (entry.atMs === best.atMs && entry.order < best.order))
          first = i;
      });
      if (first < 0 || this.queue[first].atMs > ms) break;
      const [entry] = this.queue.splice(first, 1);
      this.nowMs = entry.atMs;
      entry.run();
    }
    this.nowMs = ms;
  }
}

/** `speed` shortens every wait; see `speedFor`. */
export function makeWorld({ agents, startMs, speed = 1, seed = 7, emit }) {
  const random = makeRandom(seed);
  const clock = new Clock(startMs, speed);
  const wait = (ms) => random.around(ms) / clock.speed;
  const teams = Math.max(1, Math.round(agents / 5) || 1);
  let left = agents;
  for (let team = 0; team < teams; team++) {
    const size = team === teams - 1 ? left : Math.min(left, Math.round(agents / teams));
    left -= size;
    const suffix = team === 0 ? "" : `-${team + 1}`;
    const crew = CREW.slice(0, Math.max(0, size - 1)).map((role) => ({ role, name: role + suffix }));
    clock.spawn(runTeam({ planner: `planner${suffix}`, crew }));
  }
  return clock;

  function say(event) {
    emit({ timestamp: clock.nowMs, ...event });
  }

  function span(base, start, end) {
    const span_id = random.hex(16);
    const startedMs = clock.nowMs;
    say({ ...base, ...start, span_id });
    return {
      span_id,
      end: (more = {}) => say({ ...base, ...end, span_id, duration_ms: clock.nowMs - startedMs, ...more }),
    };
  }

  function* runTeam({ planner, crew }) {
    yield random.next() * wait(6000);
    for (let n = 1; ; n++) {
      const base = {
        agent: planner,
        session_id: `${planner}-${n}-${random.hex(4)}`,
        trace_id: random.hex(32),
      };
      const ask = random.pick(ASKS);
      say({ ...base, event: "user_message", role: "user", content: ask });
      const run = span(base, { event: "agent_start", content: ask }, { event: "agent_end" });
      const inside = { ...base, parent_span_id: run.span_id };
      yield* think(inside, 900);
      say({
        ...inside,
        event: "decision",
        content: `Split the question between ${crew.length || "no"} helpers.`,
      });
      const helpers = crew.filter(() => random.next() < 0.75);
      let running = helpers.length;
      let wake = () => undefined;
      for (const helper of helpers) {
        yield wait(150);
        say({ ...inside, event: "handoff", content: `to ${helper.name}: ${ask.slice(0, 60)}` });
        clock.spawn(helperRun(helper, planner, inside), () => {
          running--;
          if (running === 0) wake();
        });
      }
      if (running > 0)
        yield (resume) => {
          wake = resume;
        };
      yield* think(inside, 1400);
      if (random.next() < 0.3)
        say({ ...inside, event: "learning", content: "Searching the logs first saves a round." });
      say({ ...inside, event: "agent_response", role: "assistant", content: `Done: ${ask.slice(0, 40)} …` });
      run.end();
      yield wait(2500);
    }
  }

  function* helperRun({ role, name }, parent_agent, outer) {
    const base = { ...outer, agent: name, parent_agent };
    const run = span(base, { event: "agent_start" }, { event: "agent_end" });
    const inside = { ...base, parent_span_id: run.span_id };
    yield* think(inside, 700);
    const rounds = 1 + random.whole(3);
    for (let round = 0; round < rounds; round++) {
      const parallel = role === "researcher" ? 1 + random.whole(3) : 1;
      let running = parallel;
      let wake = () => undefined;
      for (let call = 0; call < parallel; call++) {
        clock.spawn(toolCall(inside, random.pick(TOOLS[role])), () => {
          running--;
          if (running === 0) wake();
        });
      }
      if (running > 0)
        yield (resume) => {
          wake = resume;
        };
      yield* think(inside, 800);
    }
    if (role === "memory")
      say({ ...inside, event: "learning", content: "The export reads orders without an index." });
    if (role === "reviewer")
      say({ ...inside, event: "evaluation", content: "score 0.86: clear, one risk left", score: 0.86 });
    if (random.next() < 0.05)
      say({
        ...inside,
        event: "safety_trigger",
        level: "warning",
        content: "A command outside the workspace was refused.",
      });
    if (random.next() < 0.15)
      say({ ...inside, event: "log", level: "debug", content: "cache hit ratio 0.82" });
    run.end();
  }

  function* think(base, ms) {
    const model = random.pick(["qwen3-coder-30b", "llama-3.3-70b", "qwen3-coder-30b"]);
    const call = span(
      { ...base, model, provider: "local" },
      { event: "llm_request", input: { messages: 4 + random.whole(9) } },
      { event: "llm_response" },
    );
    yield wait(ms);
    if (random.next() < 0.02) {
      const [type, message] = FAILURES[3];
      call.end({ error: { type, message }, level: "error" });
      yield wait(400);
      return;
    }
    call.end({
      content: "The next step is to look at the callers.",
      input_tokens: 800 + random.whole(4000),
      output_tokens: 60 + random.whole(700),
    });
  }

  function* toolCall(base, tool) {
    const input = ARGUMENTS[tool]?.((n) => random.whole(n)) ?? { text: "orders export" };
    for (let attempt = 1; attempt <= 2; attempt++) {
      const call = span({ ...base, tool }, { event: "tool_invocation", input }, { event: "tool_result" });
      yield wait(tool === "run_tests" ? 2600 : 450);
      if (random.next() >= 0.06) return call.end({ output: random.pick(RESULTS) });
      const [type, message] = random.pick(FAILURES.slice(0, 3));
      const stack = `Traceback (most recent call last):\n  File "agents/tools.py", line 88, in call\n    return await tool(**arguments)\n  File "agents/tools/${tool}.py", line 31, in ${tool}\n    raise ${type}(message)\n${type}: ${message}`;
      call.end({ error: { type, message, stack }, level: "error" });
      yield wait(300);
    }
  }
}

/** The speed at which `agents` agents make about `rate` events a second: counted over a minute of trial. */
export function speedFor({ agents, rate }) {
  let count = 0;
  const trial = makeWorld({ agents, startMs: 0, emit: () => count++ });
  trial.advanceTo(60_000);
  return rate / (count / 60);
}
