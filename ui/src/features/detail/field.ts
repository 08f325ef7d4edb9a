// From a place in a stored event to the field of the query language that asks for it.

/** Fields with another name in the language. */
const NAMES: Readonly<Record<string, string>> = {
  session_id: "session",
  trace_id: "trace",
  span_id: "span",
  parent_span_id: "parent_span",
  parent_agent: "parent",
};
/** Fields of the same name; see docs/query.md. */
const PLAIN = new Set([
  "agent",
  "event",
  "tool",
  "level",
  "id",
  "seq",
  "pod",
  "host",
  "pid",
  "role",
  "model",
  "provider",
  "duration_ms",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cost_usd",
]);
const PAYLOADS = new Set(["content", "input", "output", "error"]);

/** `path` as the tree writes it: `input.path`, `http["a b"][0]`; "" where the language cannot ask. */
export function fieldOf(path: string): string {
  const bare = path.replace(/^(start|end)\./, "");
  const [, head = "", rest = ""] = /^([A-Za-z_]\w*)(.*)$/s.exec(bare) ?? [];
  if (!head) return "";
  const inside = rest.replace(/\[\d+\]/g, "").replace(/\[("(?:[^"\\]|\\.)*")\]/g, ".$1"); // of a list any element counts
  if (PAYLOADS.has(head)) return head + inside;
  if (inside) return `attr.${head}${inside}`;
  if (head === "timestamp") return "";
  return NAMES[head] ?? (PLAIN.has(head) ? head : `attr.${head}`);
}

/** The event by the hub's own route, for a terminal that has the token in its environment. */
export function curlOf(origin: string, ref: string): string {
  return `curl -H "Authorization: Bearer $LANEWAY_TOKEN" '${origin}/api/events/${encodeURIComponent(ref)}'`;
}
