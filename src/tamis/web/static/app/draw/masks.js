// Masks as outlines along pixel edges: sharp at every zoom, and cheap to fill.

/** @typedef {{path: Path2D, area: number}} Outline */

/** @type {WeakMap<readonly number[], Outline>} */
const outlines = new WeakMap();

/**
 * The outline of a mask in pixels of its picture, made once.
 * @param {readonly number[]} runs row-major run lengths, the first counts zeros
 * @param {number} width of the picture in pixels
 */
export function maskOutline(runs, width) {
  let outline = outlines.get(runs);
  if (!outline) {
    outline = traced(rowsOf(runs, width), width);
    outlines.set(runs, outline);
  }
  return outline;
}

/**
 * The set stretches of each row: start and end, start and end, ...
 * @param {readonly number[]} runs
 * @param {number} width
 * @returns {Map<number, number[]>}
 */
export function rowsOf(runs, width) {
  /** @type {Map<number, number[]>} */
  const rows = new Map();
  let at = 0;
  runs.forEach((length, i) => {
    const end = at + length;
    while (i % 2 === 1 && at < end) {
      const y = Math.floor(at / width), stop = Math.min(end, (y + 1) * width);
      const row = rows.get(y) ?? [];
      row.push(at - y * width, stop - y * width);
      rows.set(y, row);
      at = stop;
    }
    at = end;
  });
  return rows;
}

/**
 * Whether a pixel is set.
 * @param {readonly number[]} runs
 * @param {number} index y * width + x
 */
export function isSet(runs, index) {
  let at = 0;
  for (let i = 0; i < runs.length; i += 1) {
    at += runs[i];
    if (index < at) return i % 2 === 1;
  }
  return false;
}

/**
 * Follow the edges between set and unset pixels, with the set ones on the right hand.
 * @param {Map<number, number[]>} rows
 * @param {number} width
 * @returns {Outline}
 */
function traced(rows, width) {
  const stride = width + 1;
  /** @type {Map<number, number[]>} where the edges that start at a corner end */
  const edges = new Map();
  const add = (/** @type {number} */ from, /** @type {number} */ to) => {
    const ends = edges.get(from);
    if (ends) ends.push(to);
    else edges.set(from, [to]);
  };
  let area = 0;
  for (const [y, row] of rows) {
    const top = y * stride, bottom = top + stride;
    for (let i = 0; i < row.length; i += 2) {
      area += row[i + 1] - row[i];
      add(bottom + row[i], top + row[i]);
      add(top + row[i + 1], bottom + row[i + 1]);
    }
    for (const [from, to] of without(row, rows.get(y - 1) ?? [])) add(top + from, top + to);
    for (const [from, to] of without(row, rows.get(y + 1) ?? [])) add(bottom + to, bottom + from);
  }
  return { path: linked(edges, stride), area };
}

/**
 * Stretches of one row that another does not cover, cut where either begins or ends.
 * @param {number[]} row
 * @param {number[]} other
 * @returns {[number, number][]}
 */
function without(row, other) {
  /** @type {[number, number][]} */
  const left = [];
  let j = 0;
  for (let i = 0; i < row.length; i += 2) {
    let from = row[i];
    while (j < other.length && other[j + 1] <= from) j += 2;
    for (let k = j; k < other.length && other[k] < row[i + 1]; k += 2) {
      if (other[k] > from) left.push([from, other[k]]);
      from = Math.max(from, other[k + 1]);
    }
    if (from < row[i + 1]) left.push([from, row[i + 1]]);
  }
  return left;
}

/**
 * Link edges to closed lines; corners on straight lines are left out.
 * @param {Map<number, number[]>} edges
 * @param {number} stride
 */
function linked(edges, stride) {
  const path = new Path2D();
  for (const start of edges.keys()) {
    while (edges.get(start)?.length) {
      let from = start, to = /** @type {number} */ (edges.get(start)?.pop());
      path.moveTo(start % stride, Math.floor(start / stride));
      while (to !== start) {
        const next = edges.get(to)?.pop();
        if (next === undefined) break;
        const isVertical = from % stride === to % stride;
        if ((to % stride === next % stride) !== isVertical) path.lineTo(to % stride, Math.floor(to / stride));
        [from, to] = [to, next];
      }
      path.closePath();
    }
  }
  return path;
}
