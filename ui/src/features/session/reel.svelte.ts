// A session or trace on its way to the screen: fetched, told, and fetched again where more of it came.

import { toldOf } from "../../api/client";
import { fetchTelling } from "../../api/report";
import type { StoredEvent } from "../../model/stored";
import { type Story, tellStory } from "../../model/story";
import { headline } from "./turn";

export type Source = { readonly session: string } | { readonly trace: string };

export class Reel {
  story = $state.raw<Story | null>(null);
  events = $state.raw<readonly StoredEvent[]>([]);
  isWhole = $state(true);
  problem = $state("");
  isLoading = $state(true);
  private readonly ending = new AbortController();

  constructor(readonly source: Source) {
    void this.load();
  }

  async load(): Promise<void> {
    this.isLoading = true;
    try {
      const told = await fetchTelling(this.source, this.ending.signal);
      if (told.events.length === 0) this.problem = "The log holds no event of it.";
      else {
        this.problem = "";
        this.events = told.events;
        this.isWhole = told.isWhole;
        this.story = tellStory(told.events);
      }
    } catch (error) {
      if (this.ending.signal.aborted) return;
      this.problem = toldOf(error);
    } finally {
      this.isLoading = false;
    }
  }

  stop(): void {
    this.ending.abort();
  }

  /** What a reader calls it: the first thing a person said. */
  get title(): string {
    const said = this.events.find((event) => event.event === "user_message")?.content;
    return typeof said === "string" ? headline(said) : "";
  }
}
