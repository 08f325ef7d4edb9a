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
  return entries.length === 0 ? "" : line(JSON.stringify(input));
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
