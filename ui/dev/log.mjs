// The mock hub's memory: whole events, and the same as frames.

const LEVELS = ["debug", "info", "warning", "error", "critical"];
const STARTS = new Set(["llm_request", "tool_invocation", "permission_request"]);
const ENDS = new Set(["llm_response", "tool_result", "permission_decision"]);
const MAX_EVENTS = 300_000;
/** As the hub: events whose names a viewer may need, and when its dictionaries begin anew. */
const RING = 20_000;
const MOST_NAMES = 50_000;

class Names {
  names = [];
  indexes = new Map();

  index(name) {
    if (name === undefined) return -1;
    if (!this.indexes.has(name)) this.indexes.set(name, this.names.push(name) - 1);
    return this.indexes.get(name);
  }
}

export class Log {
  epoch = Math.random().toString(36).slice(2);
  events = [];
  firstSeq = 1;
  agents = new Names();
  kinds = new Names();
  sessions = new Names();
  labels = new Names();
  parents = [];

  get lastSeq() {
    return this.firstSeq + this.events.length - 1;
  }

  add(event) {
    const known = this.parents[this.agents.indexes.get(event.agent)];
    const agent = this.agents.index(event.agent);
    const parent = this.agents.index(event.parent_agent);
    if (parent >= 0) this.parents[agent] = parent;
    this.events.push({
      event,
      seq: this.lastSeq + 1,
      adopted: parent >= 0 && known !== parent ? [agent, parent] : null,
      kind: this.kinds.index(event.event),
      agent,
      session: this.sessions.index(event.session_id),
      label: this.labels.index(event.tool ?? event.model),
    });
    if (this.events.length > MAX_EVENTS) {
      this.events.splice(0, MAX_EVENTS / 10);
      this.firstSeq += MAX_EVENTS / 10;
    }
  }

  sizes() {
    return [this.agents, this.kinds, this.sessions, this.labels].map((names) => names.names.length);
  }

  /** Whether the dictionaries are so long that the hub would begin them anew. */
  get hasManyNames() {
    return Math.max(...this.sizes()) > MOST_NAMES;
  }

  /** Forgets names that none of the newest events has. Of older ones the whole events stay. */
  renumber() {
    const held = this.events.slice(-RING);
    const parents = new Map(
      this.agents.names.map((name, i) => [name, this.agents.names[this.parents[i] ?? -1]]),
    );
    for (const name of ["agents", "kinds", "sessions", "labels"]) this[name] = new Names();
    this.parents = [];
    for (const row of held) {
      const { event } = row;
      row.agent = this.agents.index(event.agent);
      row.adopted = null;
      row.kind = this.kinds.index(event.event);
      row.session = this.sessions.index(event.session_id);
      row.label = this.labels.index(event.tool ?? event.model);
    }
    for (const [name, parent] of parents)
      if (parent && this.agents.indexes.has(name))
        this.parents[this.agents.indexes.get(name)] = this.agents.index(parent);
  }

  hello() {
    const agents = this.agents.names.map((name, i) => [name, this.parents[i] ?? -1]);
    return {
      type: "hello",
      v: 1,
      epoch: this.epoch,
      seq: this.lastSeq,
      now: Date.now(),
      batch_ms: 50,
      version: "mock",
      agents,
      kinds: this.kinds.names,
      sessions: this.sessions.names,
      labels: this.labels.names,
    };
  }

  /** Events [from, to) as one frame, for a viewer who knows the first `sizes` names of each dictionary. */
  batch(from, to, sizes) {
    const rows = this.events.slice(from - this.firstSeq, to - this.firstSeq);
    const t0 = rows[0].event.timestamp;
    return {
      type: "batch",
      seq0: rows[0].seq,
      n: rows.length,
      t0,
      dt: rows.map((row) => Math.round((row.event.timestamp - t0) * 1000) / 1000),
      agent: rows.map((row) => row.agent),
      kind: rows.map((row) => row.kind),
      session: rows.map((row) => row.session),
      label: rows.map((row) => row.label),
      sev: rows.map((row) => severity(row.event)),
      dur: rows.map((row) => row.event.duration_ms ?? -1),
      span: rows.map((row) => row.event.span_id ?? ""),
      parent: rows.map((row) => row.event.parent_span_id ?? ""),
      flag: rows.map((row) => flags(row.event)),
      tokens: rows.map(({ event }) => (event.input_tokens ?? 0) + (event.output_tokens ?? 0)),
      text: rows.map((row) => summary(row.event)),
      new: this.news(sizes, rows),
    };
  }

  news([agents, kinds, sessions, labels], rows) {
    return {
      agents: this.agents.names.slice(agents).map((name) => [name, -1]),
      kinds: this.kinds.names.slice(kinds),
      sessions: this.sessions.names.slice(sessions),
      labels: this.labels.names.slice(labels),
      parents: rows.map((row) => row.adopted).filter(Boolean),
    };
  }

  find(ref) {
    const row = ref.startsWith("@") ? this.events[Number(ref.slice(1)) - this.firstSeq] : undefined;
    return row ? whole(row) : undefined;
  }

  page(query) {
    const until = Date.parse(query.get("until") ?? "") || Infinity;
    const wanted = (row) =>
      row.event.timestamp < until &&
      (!query.get("trace") || row.event.trace_id === query.get("trace")) &&
      (!query.get("cursor") || row.seq < Number(query.get("cursor")));
    const limit = Number(query.get("limit") ?? 200);
    const found = [];
    for (let i = this.events.length - 1; i >= 0 && found.length <= limit; i--) {
      if (wanted(this.events[i])) found.push(this.events[i]);
    }
    const shown = found.slice(0, limit);
    if (query.get("order") === "oldest") shown.reverse();
    return { events: shown.map(whole), next: found.length > limit ? String(shown.at(-1).seq) : null };
  }
}

function whole({ event, seq }) {
  const timestamp = new Date(event.timestamp).toISOString().replace("Z", "000Z");
  return { ...event, timestamp, id: `019ab-${seq}`, pod: "dev", host: "laptop", pid: 4242, seq };
}

function severity(event) {
  const named = LEVELS.indexOf(event.level);
  return named >= 0 ? named : LEVELS.indexOf(event.error ? "error" : "info");
}

function flags(event) {
  const opens = STARTS.has(event.event) || event.event.endsWith("_start");
  const closes = ENDS.has(event.event) || event.event.endsWith("_end");
  const isError = event.error !== undefined || severity(event) >= 3;
  return (
    (opens ? 1 : 0) |
    (closes ? 2 : 0) |
    (isError ? 4 : 0) |
    (JSON.stringify(event).includes("[redacted:") ? 8 : 0)
  );
}

function summary(event) {
  const part = event.error?.message ?? event.content ?? event.output ?? event.input ?? "";
  return (typeof part === "string" ? part : JSON.stringify(part)).replace(/\s+/g, " ").slice(0, 200);
}
