// Preferences of this browser. A page without storage (private mode, blocked) works and forgets.

const PREFIX = "laneway.";

export function readPref(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function writePref(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // not kept, then
  }
}

/** A stored number, or null if there is none within the bounds. */
export function readNumberPref(name: string, least: number, most: number): number | null {
  const stored = readPref(name);
  const value = Number(stored);
  return stored !== null && value >= least && value <= most ? value : null;
}
