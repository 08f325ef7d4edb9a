// The design tokens (app/tokens.css) as the canvas needs them: resolved for the scheme that is on.

import { AGENT_COLORS } from "../base/hue";
import { CATEGORIES } from "../model/category";

export type Rgb = readonly [number, number, number];

export interface CategoryInk {
  readonly mark: string;
  readonly fill: string;
  /** Of bars too narrow for an edge. */
  readonly solid: string;
  readonly edge: string;
}

export interface Theme {
  readonly isDark: boolean;
  readonly bg: string;
  readonly line: string;
  readonly grid: string;
  readonly veil: string;
  readonly session: string;
  readonly text: string;
  readonly muted: string;
  readonly faint: string;
  readonly accent: string;
  readonly error: string;
  readonly errorFill: string;
  readonly pulse: string;
  /** As `density`: what all pictures of the lanes stand on, `bg`, `grid` and `line`. */
  readonly ground: { readonly bg: number; readonly grid: number; readonly line: number };
  /** Little-endian RGBA of the histogram behind the bars, from few events to many, and of errors. */
  readonly density: readonly number[];
  /** The same, for a brush. */
  readonly densityInks: readonly string[];
  readonly densityError: number;
  readonly inks: readonly CategoryInk[];
  readonly agents: readonly string[];
  readonly font: string;
}

export const DENSITY_LEVELS = 8;

let current: Theme | null = null;

/** Reads the tokens. Costs a style pass for each: call it when the scheme changes. Who asks at the same time, as all
    views do when they appear, shares what was read. */
export function readTheme(host: HTMLElement): Theme {
  if (!current) queueMicrotask(() => (current = null));
  return (current ??= resolveTheme(host));
}

function resolveTheme(host: HTMLElement): Theme {
  const read = tokenReader(host);
  const bg = read("--bg");
  const hue = (name: string) => read(`--cat-${name}`);
  const isDark = luma(bg) < 128;
  const fillShare = isDark ? 0.36 : 0.3;
  const error = read("--error");
  const line = read("--line");
  const grid = mix(line, bg, 0.55);
  const shades = Array.from({ length: DENSITY_LEVELS }, (_, level) =>
    mix(read("--pulse"), bg, 0.55 + (0.45 * level) / (DENSITY_LEVELS - 1)),
  );
  return {
    isDark,
    bg: css(bg),
    line: css(line),
    grid: css(grid),
    ground: { bg: packed(bg), grid: packed(grid), line: packed(line) },
    session: css(mix(hue("life"), bg, 0.4)),
    veil: css(read("--surface")),
    text: css(read("--text")),
    muted: css(read("--text-2")),
    faint: css(read("--text-3")),
    accent: css(read("--accent")),
    error: css(error),
    errorFill: css(mix(error, bg, fillShare + 0.06)),
    pulse: css(read("--pulse")),
    density: shades.map(packed),
    densityInks: shades.map(css),
    densityError: packed(error),
    inks: CATEGORIES.map((name) => ({
      mark: css(hue(name)),
      ...barInk(hue(name), bg, name === "life" ? (isDark ? 0.6 : 0.8) : 1, fillShare),
    })),
    agents: Array.from({ length: AGENT_COLORS }, (_, i) => css(read(`--agent-${i}`))),
    font: getComputedStyle(host).fontFamily,
  };
}

export function mix(one: Rgb, other: Rgb, share: number): Rgb {
  const channel = (i: 0 | 1 | 2) => Math.round(one[i] * share + other[i] * (1 - share));
  return [channel(0), channel(1), channel(2)];
}

/** Resolves `light-dark()` and any colour notation by asking the browser for pixels. */
function tokenReader(host: HTMLElement): (name: string) => Rgb {
  const probe = host.appendChild(document.createElement("span"));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const ctx = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  queueMicrotask(() => probe.remove());
  return (name) => {
    probe.style.color = `var(${name})`;
    ctx.fillStyle = getComputedStyle(probe).color;
    ctx.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = ctx.getImageData(0, 0, 1, 1).data;
    return [red, green, blue];
  };
}

/** Sessions and agent runs are the ground for other work: `weight` below 1 keeps them back, on white less
    than on black, where the eye sees a grey sooner. */
function barInk(
  hue: Rgb,
  bg: Rgb,
  weight: number,
  fillShare: number,
): { fill: string; solid: string; edge: string } {
  const shade = (share: number) => css(mix(hue, bg, share * weight));
  return { fill: shade(fillShare), solid: shade(0.7), edge: shade(0.9) };
}

function luma([red, green, blue]: Rgb): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

function packed([red, green, blue]: Rgb): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
