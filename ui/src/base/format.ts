// Numbers and lengths of time as people read them.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function whole(value: number): string {
  return WHOLE.format(value);
}

/** 4 characters at most up to 999 billion: 987, 12.3k, 4.5M. */
export function short(value: number): string {
  if (value < 1000) return String(Math.round(value));
  for (const [unit, size] of [
    ["k", 1e3],
    ["M", 1e6],
    ["G", 1e9],
  ] as const) {
    const scaled = value / size;
    if (scaled < 999.5) return `${scaled < 99.95 ? trim(scaled.toFixed(1)) : Math.round(scaled)}${unit}`;
  }
  return `${Math.round(value / 1e9)}G`;
}

function trim(text: string): string {
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}

/** 0.4 ms, 834 ms, 12.4 s, 5 m, 3 m 05 s, 2 h 10 m, 3 d 04 h. */
export function duration(ms: number): string {
  if (ms < 9.95) return `${trim(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return parts(Math.floor(seconds / 60), "m", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return parts(Math.floor(minutes / 60), "h", minutes % 60, "m");
  return parts(Math.floor(minutes / 1440), "d", Math.floor((minutes % 1440) / 60), "h");
}

function parts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0
    ? `${large} ${largeUnit}`
    : `${large} ${largeUnit} ${String(small).padStart(2, "0")} ${smallUnit}`;
}

/** How long ago, in one unit: now, 12 s ago, 4 m ago, 3 h ago, 2 d ago. */
export function ago(ms: number): string {
  return ms < 2000 ? "now" : `${age(ms)} ago`;
}

/** In one unit, as a duration is spelt, never more than it was: 12 s, 4 m, 3 h, 2 d. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function plural(count: number, one: string): string {
  return `${whole(count)} ${one}${count === 1 ? "" : "s"}`;
}
