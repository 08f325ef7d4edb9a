// The names of one connection. The hub's indexes hold for that connection only; the journal's hold
// for the life of the page.

import type { Interner } from "../base/interner";
import type { Hello, NewNames } from "./protocol";
import { ProtocolError } from "./protocol";

export interface Names {
  readonly agents: Interner;
  readonly kinds: Interner;
  readonly sessions: Interner;
  readonly labels: Interner;
}

/** By index, 1 where the name is in use. */
export type Used = Readonly<Record<keyof Names, Uint8Array>>;

export class Dictionary {
  private readonly agents: number[] = [];
  private readonly kinds: number[] = [];
  private readonly sessions: number[] = [];
  private readonly labels: number[] = [];

  constructor(
    private readonly names: Names,
    private readonly onParent: (agent: number, parent: number) => void,
    hello: Hello,
  ) {
    this.learn(hello);
  }

  learn(news: NewNames): void {
    const agents = news.agents ?? [];
    for (const [name] of agents) this.agents.push(this.names.agents.index(String(name)));
    const first = this.agents.length - agents.length;
    agents.forEach(([, parent], i) => this.adopt(first + i, parent));
    for (const name of news.kinds ?? []) this.kinds.push(this.names.kinds.index(String(name)));
    for (const name of news.sessions ?? []) this.sessions.push(this.names.sessions.index(String(name)));
    for (const name of news.labels ?? []) this.labels.push(this.names.labels.index(String(name)));
    for (const [agent, parent] of news.parents ?? []) this.adopt(agent, parent);
  }

  agent(index: number): number {
    return known(this.agents, index, "agent");
  }

  kind(index: number): number {
    return known(this.kinds, index, "kind");
  }

  session(index: number): number {
    return index === -1 ? -1 : known(this.sessions, index, "session");
  }

  label(index: number): number {
    return index === -1 ? -1 : known(this.labels, index, "label");
  }

  /** Marks what it stands for: the hub may speak of any of it again. */
  markUsed(used: Used): void {
    for (const index of this.agents) used.agents[index] = 1;
    for (const index of this.kinds) used.kinds[index] = 1;
    for (const index of this.sessions) used.sessions[index] = 1;
    for (const index of this.labels) used.labels[index] = 1;
  }

  private adopt(agent: number, parent: number): void {
    if (parent !== -1) this.onParent(this.agent(agent), this.agent(parent));
  }
}

function known(indexes: readonly number[], index: number, what: string): number {
  const found = indexes[index];
  if (found === undefined) throw new ProtocolError(`${what} ${index} is not in the dictionary`);
  return found;
}
