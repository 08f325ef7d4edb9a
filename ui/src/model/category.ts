// Event types in a dozen families: what a mark's colour and shape mean. Types are free text, so the
// table goes by the words in them; the first row that fits decides.

export const CATEGORIES = [
  "llm",
  "tool",
  "user",
  "reply",
  "decision",
  "memory",
  "handoff",
  "permission",
  "safety",
  "evaluation",
  "life",
  "log",
  "error",
  "other",
] as const;

export type Category = (typeof CATEGORIES)[number];

const RULES: readonly (readonly [RegExp, Category])[] = [
  [/^(error|.*[._-](error|failed|failure|exception))$/i, "error"],
  [/permission|approval/i, "permission"],
  [/tool|function[._-]?call|command|mcp/i, "tool"],
  [/^(llm|model|completion|chat|gen_ai|embedding)/i, "llm"],
  [/^(user|prompt|human)|userprompt|question/i, "user"],
  [/response|reply|answer|assistant/i, "reply"],
  [/decision|plan|reason|thought/i, "decision"],
  [/learn|memory|recall|remember|note/i, "memory"],
  [/hand-?off|delegat|spawn|subagent|transfer/i, "handoff"],
  [/safety|guard|policy|block/i, "safety"],
  [/eval|score|judge|feedback|test/i, "evaluation"],
  [/session|agent|start$|end$|stop$/i, "life"],
  [/log|debug|info|trace|heartbeat|status/i, "log"],
];

const OTHER = CATEGORIES.indexOf("other");

/** Index into `CATEGORIES`. */
export function categoryOf(kind: string): number {
  const rule = RULES.find(([words]) => words.test(kind));
  return rule ? CATEGORIES.indexOf(rule[1]) : OTHER;
}
