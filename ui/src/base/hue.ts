// A stable place on the colour wheel for a name, so that an agent keeps its colour over reloads.

/** FNV-1a, 32 bit. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** How many agent colours the tokens hold (`--agent-0` and on). */
export const AGENT_COLORS = 10;

export function agentColor(name: string): number {
  return hash(name) % AGENT_COLORS;
}
