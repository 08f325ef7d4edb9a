import { beforeEach, describe, expect, test } from "vitest";
import type { Message } from "../model/protocol";
import { batch, hello } from "../testing/frames";
import {
  type LinkState,
  type Listener,
  retryDelayMs,
  SILENCE_MS,
  Stream,
  streamPath,
  type Surroundings,
} from "./stream";

class World implements Surroundings {
  nowMs = 0;
  opened: { path: string; listener: Listener; isClosed: boolean }[] = [];
  timers: { atMs: number; run: () => void }[] = [];
  access: "in" | "out" | "unreachable" = "in";

  open(path: string, listener: Listener) {
    const socket = { path, listener, isClosed: false };
    this.opened.push(socket);
    return { close: () => (socket.isClosed = true) };
  }
  checkAccess = () => Promise.resolve(this.access);
  now = () => this.nowMs;
  random = () => 1;
  after(ms: number, run: () => void) {
    const timer = { atMs: this.nowMs + ms, run };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }
  async pass(ms: number) {
    this.nowMs += ms;
    const due = this.timers.filter((timer) => timer.atMs <= this.nowMs);
    this.timers = this.timers.filter((timer) => timer.atMs > this.nowMs);
    for (const timer of due) timer.run();
    await Promise.resolve();
    await Promise.resolve();
  }
  get last() {
    const socket = this.opened.at(-1);
    if (!socket) throw new Error("nothing was opened");
    return socket;
  }
  say(message: unknown) {
    this.last.listener.onMessage(JSON.stringify(message));
  }
}

class Page {
  messages: Message[] = [];
  states: LinkState["kind"][] = [];
  corrupt: string[] = [];
  known: { epoch: string; since: number } | null = null;
  onMessage = (message: Message) => void this.messages.push(message);
  onState = (state: LinkState) => void this.states.push(state.kind);
  onCorrupt = (error: Error) => void this.corrupt.push(error.message);
  address = () => streamPath(this.known);
}

let world: World;
let page: Page;
let stream: Stream;

beforeEach(() => {
  world = new World();
  page = new Page();
  stream = new Stream(page, world);
  stream.start();
});

describe("the stream", () => {
  test("begins anew without a past, and is live with hello", () => {
    expect(world.last.path).toBe("/logs/ws?history=10000");
    world.say(hello());
    world.say(batch(1, [{ at: 1 }]));

    expect(page.states).toEqual(["connecting", "live"]);
    expect(page.messages.map((message) => message.type)).toEqual(["hello", "batch"]);
  });

  test("comes back after a loss, and asks for what it missed", async () => {
    world.say(hello());
    page.known = { epoch: "e1", since: 41 };
    world.last.listener.onClose();
    expect(page.states.at(-1)).toBe("waiting");
    await world.pass(250);

    expect(world.opened.length).toBe(2);
    expect(world.last.path).toBe("/logs/ws?history=10000&epoch=e1&since=41");
  });

  test("waits longer after each failure, and begins short again after a success", async () => {
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      world.last.listener.onClose();
      const before = world.nowMs;
      const due = world.timers[0]?.atMs ?? 0;
      waits.push(due - before);
      await world.pass(due - before);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);

    world.say(hello());
    world.last.listener.onClose();
    expect((world.timers[0]?.atMs ?? 0) - world.nowMs).toBe(250);
  });

  test("gives up on a hub that fell silent", async () => {
    world.say(hello());
    await world.pass(SILENCE_MS - 1);
    world.say({ type: "beat", now: 1, seq: 0, lag_bytes: 0 });
    await world.pass(SILENCE_MS - 1);
    expect(page.states.at(-1)).toBe("live");

    await world.pass(2);
    expect(page.states.at(-1)).toBe("waiting");
    expect(world.opened[0]?.isClosed).toBe(true);
  });

  test("is signed out where the hub says so, and stays that way", async () => {
    world.access = "out";
    world.last.listener.onClose();
    await world.pass(250);
    expect(page.states.at(-1)).toBe("signed-out");

    stream.retryNow();
    await world.pass(60_000);
    expect(world.opened.length).toBe(1);
  });

  test("goes on trying while the hub cannot be reached", async () => {
    world.access = "unreachable";
    world.last.listener.onClose();
    await world.pass(250);

    expect(world.opened.length).toBe(2);
  });

  test("does not trust a hub that breaks the protocol", () => {
    world.last.listener.onMessage("{");

    expect(page.corrupt.length).toBe(1);
    expect(page.states.at(-1)).toBe("waiting");
    expect(world.last.isClosed).toBe(true);
  });

  test("hears nothing more from a connection that it gave up", async () => {
    const old = world.last;
    old.listener.onClose();
    await world.pass(250);
    old.listener.onMessage(JSON.stringify(hello()));
    old.listener.onClose();

    expect(page.messages).toEqual([]);
    expect(world.opened.length).toBe(2);
  });

  test("tries at once when asked, but not twice", () => {
    world.last.listener.onClose();
    stream.retryNow();
    stream.retryNow();

    expect(world.opened.length).toBe(2);
  });
});

test("the wait is between half and all of its step", () => {
  for (let attempt = 0; attempt < 12; attempt++) {
    const fullMs = Math.min(8000, 250 * 2 ** attempt);
    expect([retryDelayMs(attempt, 0), retryDelayMs(attempt, 1)]).toEqual([fullMs / 2, fullMs]);
  }
});

test("an epoch goes into the address as a value, whatever it holds", () => {
  expect(streamPath({ epoch: "a&b=c", since: 0 })).toBe("/logs/ws?history=10000&epoch=a%26b%3Dc&since=0");
});
