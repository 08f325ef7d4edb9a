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

/** Tells of what another tab of this browser stores. Returns what ends it. */
export function watchPref(name: string, heard: () => void): () => void {
  const listen = ({ key }: StorageEvent) => {
    if (key === PREFIX + name || key === null) heard();
  };
  window.addEventListener("storage", listen);
  return () => window.removeEventListener("storage", listen);
}

/** A stored number, or null if there is none within the bounds. */
export function readNumberPref(name: string, least: number, most: number): number | null {
  const stored = readPref(name);
  const value = Number(stored);
  return stored !== null && value >= least && value <= most ? value : null;
}
