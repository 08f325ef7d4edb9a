// What the page knows of alerts without asking: how they stand, and who wants to be told.

import { type Alerts, type AlertStanding, isFiring, turned } from "../model/alert";
import { readPref, writePref } from "./prefs";

export class Alarms {
  standing = $state.raw<readonly AlertStanding[]>([]);
  /** Rules that there are. */
  count = $state(0);
  /** Grows with each change of a state. */
  revision = $state(0);
  /** What turned last, in words, for those who hear the page. */
  said = $state("");
  /** A notification of the browser with each firing; asked for by a click alone. */
  notifies = $state(readPref("notify") === "1");
  isOpen = $state(false);
  /** The reader sees a part of the events only, and alerts tell of all. */
  isShut = $state(false);
  /** The rule that a link names. */
  marked = $state("");

  private isFirst = true;

  get firing(): number {
    return this.standing.filter(isFiring).length;
  }

  take(message: Alerts): void {
    const { fired, ended } = turned(this.standing, message.rules);
    this.standing = message.rules;
    this.count = message.count;
    this.revision = message.revision;
    // What stood so when the page came is no news.
    if (!this.isFirst) this.tell(fired, ended);
    this.isFirst = false;
  }

  open(marked = ""): void {
    if (this.isShut) return;
    this.marked = marked;
    this.isOpen = true;
  }

  /** Call it from a click: browsers ask a person then, and only then. */
  async setNotifies(wanted: boolean): Promise<void> {
    const allowed = wanted && canNotify() ? await Notification.requestPermission() : "default";
    this.notifies = wanted && allowed === "granted";
    writePref("notify", this.notifies ? "1" : null);
  }

  private tell(fired: readonly AlertStanding[], ended: readonly AlertStanding[]): void {
    if (fired.length + ended.length === 0) return;
    this.said = [
      fired.length > 2 ? `${fired.length} alerts fire` : fired.map(({ name }) => `Alert: ${name}`).join(", "),
      ended.length > 2
        ? `${ended.length} alerts are over`
        : ended.map(({ name }) => `Over: ${name}`).join(", "),
    ]
      .filter(Boolean)
      .join(". ");
    for (const rule of fired) this.notify(rule);
  }

  private notify(rule: AlertStanding): void {
    if (!this.notifies || !canNotify() || Notification.permission !== "granted") return;
    const body = rule.top ? `It fires: ${rule.top}` : "It fires";
    // The tag has a later one of the same rule take its place: nothing stacks.
    const shown = new Notification(rule.name, { body, tag: `laneway-${rule.id}` });
    shown.onclick = () => {
      window.focus();
      this.open(rule.id);
    };
  }
}

export function canNotify(): boolean {
  return "Notification" in window && window.isSecureContext;
}
