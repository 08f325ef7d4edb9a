// What a call does, in a few words: the argument that says most, by its name.

/** By preference; the same as the hub's, held so by spec/vectors/main_arguments.json. */
export const MAIN_ARGUMENTS = [
  "task",
  "request",
  "goal",
  "command",
  "cmd",
  "query",
  "q",
  "pattern",
  "file_path",
  "path",
  "file",
  "url",
  "expression",
  "sql",
  "prompt",
  "question",
  "text",
  "message",
  "title",
  "name",
];
const GIST_CHARS = 160;
const MAX_CALLS = 20;

/** The main argument of a call as text; "" where there is none. */
export function argumentOf(input: unknown): string {
  if (input === undefined || input === null) return "";
  if (typeof input !== "object") return String(input);
  const values = new Map(Object.entries(input));
  const isPlain = (value: unknown) => ["string", "number", "boolean"].includes(typeof value);
  const name = MAIN_ARGUMENTS.find((one) => isPlain(values.get(one)));
  const plain = name === undefined ? [...values.values()].find(isPlain) : values.get(name);
  if (plain !== undefined) return String(plain);
  return values.size > 0 ? JSON.stringify(input) : "";
}

/** One line for the input of a call; "" where it says nothing. */
export function gist(input: unknown): string {
  if (input === undefined || input === null) return "";
  if (typeof input !== "object") return line(String(input));
  const entries = Object.entries(input);
  const named = (name: string) => entries.find(([key]) => key === name)?.[1] as unknown;
  for (const name of MAIN_ARGUMENTS) {
    const value = named(name);
    if (typeof value === "string" && value)
      return line(name === "command" || name === "cmd" ? `$ ${value}` : value);
    if (typeof value === "number") return String(value);
  }
  const plain = entries.find(([, value]) => typeof value === "string" || typeof value === "number");
  if (plain) return line(plain[1]);
  return entries.length === 0 ? "" : line(JSON.stringify(input));
}

interface Call {
  readonly function?: Call;
  readonly name?: unknown;
  readonly arguments?: unknown;
  readonly input?: unknown;
}

/** `search(main.py), add(2 + 3)` where a model asks for tools, else "": as the hub's line tells it. */
export function callsOf(output: unknown): string {
  const asked = Array.isArray(output) ? output : (output as { tool_calls?: unknown } | null)?.tool_calls;
  if (!Array.isArray(asked)) return "";
  return asked
    .slice(0, MAX_CALLS)
    .filter((call): call is Call => typeof call === "object" && call !== null)
    .map((call) => call.function ?? call)
    .filter(({ name }) => typeof name === "string" && name !== "")
    .map(
      (call) => `${call.name as string}(${gist(parsed(call.arguments ?? call.input)).replace(/^\$ /, "")})`,
    )
    .join(", ");
}

/** Arguments come as an object, or as its JSON text. */
function parsed(value: unknown): unknown {
  try {
    return typeof value === "string" ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}

/** Any value on one line. */
export function line(value: unknown): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  const flat = text
    .slice(0, 4 * GIST_CHARS)
    .replace(/\s+/g, " ")
    .trim();
  return flat.length > GIST_CHARS ? `${flat.slice(0, GIST_CHARS - 1)}…` : flat;
}
