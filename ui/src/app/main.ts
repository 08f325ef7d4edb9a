// The start: trade the one-time code, build the page, open the stream.

import { mount } from "svelte";
import { checkAccess, exchangeCode, fetchSeqs, onSessionEnd } from "../api/client";
import { browserSurroundings, Stream } from "../api/stream";
import { Board } from "../state/board.svelte";
import { Places } from "../state/place.svelte";
import { Sieve } from "../state/sieve";
import { SchemeChoice } from "../state/scheme.svelte";
import "./tokens.css";
import "./base.css";
import "./print.css";
import { exposeFacts } from "./facts";
import Root from "./Root.svelte";

/** Takes the code out of the address before anything else can see it there. */
function takeCode(): string {
  const code = new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

async function signIn(code: string): Promise<void> {
  try {
    await exchangeCode(code);
  } catch {
    // used up or expired: an earlier session may still hold
  }
}

async function start(): Promise<void> {
  const code = takeCode();
  const around = browserSurroundings(checkAccess);
  const board = new Board((query, listener) => new Sieve(query, listener, around, fetchSeqs));
  const stream = new Stream(board, around);
  const target = document.getElementById("app");
  if (!target) throw new Error("the page lacks its #app element");
  exposeFacts(board);
  if (code) await signIn(code); // a view asks for what it shows as soon as it is there
  mount(Root, {
    target,
    props: { desk: { board, scheme: new SchemeChoice(), places: new Places() }, stream },
  });
  if ((await checkAccess()) === "out") stream.leave();
  else stream.start();
  onSessionEnd(async () => {
    if ((await checkAccess()) === "out") stream.leave(); // no late answer to a question from before
  });
  /** Somebody looks: tries at once, also where a new link was opened in another tab meanwhile. */
  const retry = async () => {
    if (board.link.kind !== "signed-out") stream.retryNow();
    else if ((await checkAccess()) === "in" && board.link.kind === "signed-out") stream.start();
  };
  addEventListener("online", () => void retry());
  addEventListener("focus", () => void retry());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void retry();
  });
}

void start();
