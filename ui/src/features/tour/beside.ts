// Where a card goes that speaks of something: below it, else above, else in its lower right corner.

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

const GAP_PX = 10;
const EDGE_PX = 12;

/** The upper left corner of the card, within the window whatever the target is. */
export function besideOf(target: Box, card: Size, window: Size): { left: number; top: number } {
  const below = target.top + target.height + GAP_PX;
  const above = target.top - GAP_PX - card.height;
  const fitsBelow = below + card.height + EDGE_PX <= window.height;
  const inside = target.top + target.height - card.height - EDGE_PX;
  const top = fitsBelow ? below : above >= EDGE_PX ? above : inside;
  const left = fitsBelow || above >= EDGE_PX ? target.left : target.left + target.width - card.width;
  return {
    left: within(left, window.width - card.width),
    top: within(top, window.height - card.height),
  };
}

function within(value: number, room: number): number {
  return Math.max(EDGE_PX, Math.min(value, room - EDGE_PX));
}
