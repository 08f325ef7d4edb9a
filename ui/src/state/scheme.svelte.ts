// Dark, light, or as the system says.

import { readPref, writePref } from "./prefs";

export type Scheme = "system" | "dark" | "light";
const SCHEMES: readonly Scheme[] = ["system", "dark", "light"];

export class SchemeChoice {
  current = $state<Scheme>(SCHEMES.find((scheme) => scheme === readPref("scheme")) ?? "system");
  private readonly listeners = new Set<() => void>();

  constructor() {
    this.apply();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.tell());
    addEventListener("beforeprint", () => {
      document.documentElement.dataset["scheme"] = "light";
      document.documentElement.classList.add("paper");
      this.tell();
    });
    addEventListener("afterprint", () => {
      document.documentElement.classList.remove("paper");
      this.apply();
      this.tell();
    });
  }

  next(): void {
    this.current = SCHEMES[(SCHEMES.indexOf(this.current) + 1) % SCHEMES.length] ?? "system";
    writePref("scheme", this.current);
    this.apply();
    this.tell();
  }

  /** Calls back whenever colours may have changed. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private apply(): void {
    const root = document.documentElement;
    if (this.current === "system") delete root.dataset["scheme"];
    else root.dataset["scheme"] = this.current;
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
