// Holds the floors of the page apart, and text nodes text. Run by `npm run check`.
//
// Each floor imports only from those named behind it. Features see no other feature; what they
// share stands below them. Nothing anywhere turns a string into markup or code.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const FLOORS = {
  base: [],
  testing: ["base", "model", "render"],
  model: ["base"],
  api: ["base", "model"],
  render: ["base", "model"],
  state: ["base", "model", "api", "render"],
  widgets: ["base"],
  features: ["base", "model", "api", "render", "state", "widgets"],
  app: ["base", "model", "api", "render", "state", "widgets", "features"],
};
const BANNED = [
  [/\{@html\b/, "{@html} makes markup of text"],
  [
    /\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write|createContextualFragment/,
    "makes markup of text",
  ],
  [/\beval\(|new Function\(|setTimeout\(\s*["'`]/, "makes code of text"],
  [/\sstyle="|\sstyle='/, "an inline style, which the page's policy refuses: use style:name={...}"],
  [/<script(?![^>]*lang="ts")/, "a script that is not TypeScript"],
];

const SOURCE = resolve(dirname(fileURLToPath(import.meta.url)), "../src");

function* files(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else if (/\.(ts|svelte)$/.test(name)) yield path;
  }
}

export function problems(source = SOURCE) {
  const found = [];
  for (const path of files(source)) {
    const name = relative(source, path);
    const text = readFileSync(path, "utf8");
    if (path.endsWith(".svelte")) found.push(...bans(name, text));
    else found.push(...bans(name, text).filter((problem) => !problem.includes("inline style")));
    found.push(...imports(source, path, name, text));
  }
  return found;
}

export function bans(name, text) {
  return BANNED.filter(([pattern]) => pattern.test(text)).map(([, why]) => `${name}: ${why}`);
}

function imports(source, path, name, text) {
  const isTest = name.includes(".test.");
  const [floor, room] = name.split("/");
  const found = [];
  for (const [, target] of text.matchAll(/(?:from|import)\s+"(\.[^"]+)"/g)) {
    const [toFloor, toRoom] = relative(source, resolve(dirname(path), target)).split("/");
    if (toFloor === floor) {
      const isShared = toRoom === undefined || !toRoom || /^context/.test(toRoom);
      if (floor === "features" && room !== toRoom && !isShared)
        found.push(`${name}: features/${room} reaches into features/${toRoom}`);
      continue;
    }
    const allowed = isTest ? [...FLOORS[floor], "testing"] : FLOORS[floor];
    if (!allowed?.includes(toFloor) && !toFloor.startsWith(".."))
      found.push(`${name}: ${floor} may not import ${toFloor}`);
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = problems();
  for (const problem of found) console.error(problem);
  process.exit(found.length ? 1 : 0);
}
