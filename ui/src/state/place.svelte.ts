// Which view fills the page.

export type Place =
  | { readonly view: "live" }
  /** `marked`: a session that another one is looked for to compare it with, or absent. */
  | { readonly view: "sessions"; readonly marked?: string }
  | { readonly view: "insights" }
  /** `other`: a session beside it, or "". */
  | { readonly view: "session"; readonly id: string; readonly other: string }
  | { readonly view: "trace"; readonly id: string };

export const LIVE: Place = { view: "live" };

export class Places {
  current = $state.raw<Place>(LIVE);
  /** Counts the moves that are worth a step back in the browser's history. */
  moves = $state(0);

  get isLive(): boolean {
    return this.current.view === "live";
  }

  go(place: Place): void {
    this.current = place;
    this.moves++;
  }

  /** Where the browser's history leads. */
  arrive(place: Place): void {
    this.current = place;
  }

  openSession(id: string, other = ""): void {
    this.go({ view: "session", id, other });
  }

  openTrace(id: string): void {
    this.go({ view: "trace", id });
  }
}
