// What the address says: query, range and selection, named as in the query API.

export interface PageState {
  /** In the query language; "" for none. */
  readonly query: string;
  /** Following: length of the range, NaN where the address does not say. */
  readonly lastMs: number;
  /** A fixed range, NaN NaN while following. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Event id or @SEQ, "" for none. */
  readonly selected: string;
}

export function readUrl(search: string): PageState {
  const query = new URLSearchParams(search);
  return {
    query: query.get("q") ?? "",
    lastMs: number(query.get("last")),
    sinceMs: number(query.get("since")),
    untilMs: number(query.get("until")),
    selected: query.get("sel") ?? "",
  };
}

/** "" or "?…"; the parts in an order that does not depend on how they came about. */
export function writeUrl(state: PageState): string {
  const query = new URLSearchParams();
  if (state.query) query.set("q", state.query);
  if (!Number.isNaN(state.sinceMs)) {
    query.set("since", String(Math.floor(state.sinceMs)));
    query.set("until", String(Math.ceil(state.untilMs)));
  } else if (!Number.isNaN(state.lastMs)) {
    query.set("last", String(Math.round(state.lastMs)));
  }
  if (state.selected) query.set("sel", state.selected);
  const text = query.toString();
  return text ? `?${text}` : "";
}

function number(text: string | null): number {
  return text ? Number(text) : NaN;
}
