// How features reach the board: through the component tree, so that tests can bring their own.

import { createContext } from "svelte";
import type { Board } from "../state/board.svelte";
import type { SchemeChoice } from "../state/scheme.svelte";

export interface Desk {
  readonly board: Board;
  readonly scheme: SchemeChoice;
}

export const [getDesk, setDesk] = createContext<Desk>();
