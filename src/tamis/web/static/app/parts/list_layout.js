// Where the entries of a long list lie, and how its scroll bar stands for it. No state, no elements.

// Browsers stop at some 33 million pixels, and lose precision before. Beyond this height one pixel of the
// scroll bar stands for several of the list.
export const TALLEST_PX = 8_000_000;
export const GAP_PX = 10;

/** @typedef {{cell: number, ratio: number, caption: number}} CellSize wished width, height / width of the picture, height below it */
/** @typedef {{columns: number, cellWidth: number, rowHeight: number, height: number}} Layout */
/** @typedef {{height: number, window: number}} Extent of the list and of what is in sight */

/**
 * How a list is laid out.
 * @param {number} width of the window in pixels
 * @param {number} total entries
 * @param {CellSize} size
 * @returns {Layout}
 */
export function layout(width, total, { cell, ratio, caption }) {
  const columns = Math.max(1, Math.floor((width + GAP_PX) / (Math.min(cell, width) + GAP_PX)));
  const cellWidth = Math.floor((width - GAP_PX * (columns - 1)) / columns);
  const rowHeight = Math.round(cellWidth * ratio) + caption + GAP_PX;
  return { columns, cellWidth, rowHeight, height: Math.ceil(total / columns) * rowHeight };
}

/**
 * Where the list is after the scroll bar moved: small steps are steps of the list, leaps go by proportion.
 * @param {{top: number, scroll: number}} last
 * @param {number} scroll of the bar now
 * @param {Extent} size
 */
export function scrolledTo(last, scroll, size) {
  const longest = Math.max(0, size.height - size.window);
  const bar = Math.max(0, Math.min(size.height, TALLEST_PX) - size.window);
  if (longest === bar) return scroll;
  if (scroll <= 0) return 0;
  if (scroll >= bar - 1) return longest;
  const step = scroll - last.scroll;
  const top = Math.abs(step) < 3 * size.window ? last.top + step : (scroll / bar) * longest;
  return Math.max(0, Math.min(longest, top));
}

/**
 * Where the scroll bar belongs for a place of the list.
 * @param {number} top
 * @param {Extent} size
 */
export function barFor(top, size) {
  const longest = Math.max(1, size.height - size.window);
  const bar = Math.max(0, Math.min(size.height, TALLEST_PX) - size.window);
  return longest <= bar ? top : Math.round((top / longest) * bar);
}

/**
 * How far a key goes.
 * @param {string} key
 * @param {number} columns
 * @param {number} rows in sight
 * @returns {number | undefined}
 */
export function steps(key, columns, rows) {
  const far = Number.MAX_SAFE_INTEGER / 2;
  /** @type {Record<string, number>} */
  const known = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
    PageUp: -columns * rows, PageDown: columns * rows, Home: -far, End: far,
  };
  return known[key];
}
