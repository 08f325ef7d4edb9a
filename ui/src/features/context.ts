// How features reach the board: through the component tree, so that tests can bring their own.

import { createContext } from "svelte";
import type { Board } from "../state/board.svelte";
import type { Places } from "../state/place.svelte";
import type { SchemeChoice } from "../state/scheme.svelte";

export interface Desk {
  readonly board: Board;
  readonly scheme: SchemeChoice;
  readonly places: Places;
}

export const [getDesk, setDesk] = createContext<Desk>();
