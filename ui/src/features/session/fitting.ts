// How many names a cell has room for, before "+3" says how many are left.

/** Of a longer name the beginning is shown. */
export const NAME_PX = 140;
/** The mark before a name, and the gap behind it. */
const AROUND_PX = 22;
/** "+12" */
const REST_PX = 30;

/** At least one: it is cut where it does not fit. */
export function fitting(names: readonly string[], roomPx: number, widthOf: (name: string) => number): number {
  let usedPx = 0;
  let count = 0;
  for (const name of names) {
    usedPx += Math.min(NAME_PX, widthOf(name)) + AROUND_PX;
    const restPx = count + 1 < names.length ? REST_PX : 0;
    if (count > 0 && usedPx + restPx > roomPx) break;
    count++;
  }
  return count;
}

/** Measures names as `element` would write them; each once. */
export function measure(element: Element): (name: string) => number {
  const known = new Map<string, number>();
  const ctx = document.createElement("canvas").getContext("2d");
  const style = getComputedStyle(element);
  if (ctx) ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  return (name) => {
    const widthPx = known.get(name) ?? ctx?.measureText(name).width ?? NAME_PX;
    known.set(name, widthPx);
    return widthPx;
  };
}
