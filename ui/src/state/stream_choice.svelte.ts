// How a person reads the stream; kept in this browser.

import type { Folding } from "../model/line_list";
import { readPref, writePref } from "./prefs";

export class StreamChoice {
  current = $state.raw<Folding>({
    pairs: readPref("stream-pairs") !== "0",
    repeats: readPref("stream-repeats") !== "0",
  });

  toggle(name: keyof Folding): void {
    this.current = { ...this.current, [name]: !this.current[name] };
    writePref(`stream-${name}`, this.current[name] ? null : "0");
  }
}
