// A sparkline as paths of SVG: the course of a value, and where its limit lies.

export interface Line {
  /** Of the value. */
  readonly path: string;
  /** Of the area under it. */
  readonly area: string;
  readonly limitY: number;
}

/** Half a pixel of air at the top and the foot, so that no line is cut. */
const AIR = 1.5;

/** `values` by equal steps, as many of `slots` as there are, at the right end; the limit is always in view. */
export function sparkline(
  values: readonly number[],
  limit: number,
  size: { readonly width: number; readonly height: number },
  slots = values.length,
): Line {
  const top = Math.max(limit * 1.25, ...values, 1e-9);
  const y = (value: number) => round(size.height - AIR - (value / top) * (size.height - 2 * AIR));
  const step = size.width / Math.max(1, slots - 1);
  const first = size.width - step * (values.length - 1);
  const points = values.map((value, n) => `${round(first + n * step)} ${y(value)}`);
  const path = points.length > 0 ? `M${points.join("L")}` : "";
  const foot = size.height;
  const area = path ? `${path}L${size.width} ${foot}L${round(first)} ${foot}Z` : "";
  return { path, area, limitY: y(limit) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
