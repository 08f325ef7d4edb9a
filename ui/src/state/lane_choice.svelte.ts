// How a person arranged the lanes; kept in this browser.

import { type Arrangement, AS_IT_COMES, type Order, ORDERS } from "../model/arrangement";
import { readPref, writePref } from "./prefs";

export class LaneChoice {
  current = $state.raw<Arrangement>(read());
  /** Grows with each change. */
  version = 0;
  /** The pinned lanes are those of somebody's address. */
  private isGiven = false;

  /** What another tab made of it; pinned lanes of an address stay. */
  reread(): void {
    const { pinned } = this.current;
    this.current = this.isGiven ? { ...read(), pinned } : read();
    this.version++;
  }

  /** As an address says, which somebody else may have written: kept once one arranges something oneself. */
  pin(pinned: readonly string[]): void {
    this.current = { ...this.current, pinned };
    this.isGiven = String(pinned) !== String(read().pinned); // the browser's own come by the address, too
    this.version++;
  }

  togglePin(name: string): void {
    const { pinned } = this.current;
    this.set({ pinned: pinned.includes(name) ? pinned.filter((one) => one !== name) : [...pinned, name] });
  }

  /** `names`: all pinned lanes, or all brothers of the tree, as they shall stand. */
  place(names: readonly string[], isPinned: boolean): void {
    const moved = new Set(names);
    if (isPinned) this.set({ pinned: [...names, ...this.current.pinned.filter((name) => !moved.has(name))] });
    else this.set({ own: [...this.current.own.filter((name) => !moved.has(name)), ...names] });
  }

  toggleHidden(name: string): void {
    this.set({ hidden: flip(this.current.hidden, name) });
  }

  toggleFolded(name: string): void {
    this.set({ folded: flip(this.current.folded, name) });
  }

  sort(order: Order): void {
    this.set({ order });
  }

  toggleIdle(): void {
    this.set({ hidesIdle: !this.current.hidesIdle });
  }

  showAll(): void {
    this.set({ hidden: new Set(), folded: new Set(), hidesIdle: false });
  }

  private set(change: Partial<Arrangement>): void {
    this.current = { ...this.current, ...change };
    this.isGiven = false;
    this.version++;
    const { pinned, hidden, folded, order, own, hidesIdle } = this.current;
    writePref(
      "arrangement",
      JSON.stringify({ pinned, hidden: [...hidden], folded: [...folded], order, own, hidesIdle }),
    );
  }
}

function flip(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(names);
  if (!next.delete(name)) next.add(name);
  return next;
}

function read(): Arrangement {
  try {
    const stored = JSON.parse(readPref("arrangement") ?? "{}") as Record<string, unknown>;
    return {
      pinned: names(stored["pinned"]),
      hidden: new Set(names(stored["hidden"])),
      folded: new Set(names(stored["folded"])),
      order: ORDERS.find((order) => order === stored["order"]) ?? "tree",
      own: names(stored["own"]),
      hidesIdle: stored["hidesIdle"] === true,
    };
  } catch {
    return AS_IT_COMES;
  }
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}
