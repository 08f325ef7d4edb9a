// The shapes of marks, as SVG paths in a box of 10 by 10: one drawing for the canvas and for the page.

const CIRCLE = "M5 1a4 4 0 1 1 0 8a4 4 0 1 1 0-8Z";

/** By category name (model/category.ts). Told apart without colour. */
export const SHAPES: Readonly<Record<string, string>> = {
  llm: "M5 .4L6.2 3.8L9.6 5L6.2 6.2L5 9.6L3.8 6.2L.4 5L3.8 3.8Z",
  tool: "M1.5 1.5H8.5V8.5H1.5Z",
  user: CIRCLE,
  reply: `${CIRCLE}M5 3a2 2 0 1 0 0 4a2 2 0 1 0 0-4Z`,
  decision: "M5 .2L9.8 5L5 9.8L.2 5Z",
  memory: "M2.8 1.2H7.2L9.6 5L7.2 8.8H2.8L.4 5Z",
  handoff: "M1.2 .8L9.4 5L1.2 9.2Z",
  permission: "M.8 1.2H9.2L5 9.4Z",
  safety: "M5 .6L9.4 9H.6Z",
  evaluation: "M3.6 .6H6.4V3.6H9.4V6.4H6.4V9.4H3.6V6.4H.6V3.6H3.6Z",
  life: "M3.8 .4H6.2V9.6H3.8Z",
  log: "M5 2.8a2.2 2.2 0 1 1 0 4.4a2.2 2.2 0 1 1 0-4.4Z",
  error: "M2.2 .6L5 3.4L7.8 .6L9.4 2.2L6.6 5L9.4 7.8L7.8 9.4L5 6.6L2.2 9.4L.6 7.8L3.4 5L.6 2.2Z",
  other: "M1.5 1.5H8.5V8.5H1.5ZM3.3 3.3V6.7H6.7V3.3Z",
};
