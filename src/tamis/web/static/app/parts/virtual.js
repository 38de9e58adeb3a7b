// A grid that draws only what is in sight, however long the list.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";

// Browsers stop at some 33 million pixels, and lose precision before. Beyond this height one pixel of the
// scroll bar stands for several of the list.
export const TALLEST_PX = 8_000_000;
const GAP_PX = 10;

/**
 * How a list is laid out.
 * @param {number} width of the window in pixels
 * @param {number} total entries
 * @param {{cell: number, ratio: number, caption: number}} size wished width, height / width of the picture, height below it
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
 * @param {{height: number, window: number}} size of the list and of what is in sight
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
 * @param {{height: number, window: number}} size
 */
export function barFor(top, size) {
  const longest = Math.max(1, size.height - size.window);
  const bar = Math.max(0, Math.min(size.height, TALLEST_PX) - size.window);
  return longest <= bar ? top : Math.round((top / longest) * bar);
}

/**
 * @typedef {object} Props
 * @property {number} total
 * @property {{cell: number, ratio: number, caption: number}} size
 * @property {string} label what the list is, for screen readers
 * @property {number} first entry to begin at
 * @property {(index: number) => void} onFirst called with the first entry in sight when scrolling has ended
 * @property {(from: number, to: number) => void} onSight called with what is in sight
 * @property {(index: number, box: {width: number, height: number}) => any} cell draws an entry, with one link or button in it
 */

/** @param {Props} props */
export function Virtual({ total, size, label, first, onFirst, onSight, cell }) {
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [box, setBox] = useState({ width: 0, window: 0 });
  const at = useRef({ top: 0, scroll: 0, settled: 0 });
  const [, redraw] = useState(0);
  const [focused, setFocused] = useState(-1);
  const form = layout(Math.max(1, box.width), total, size);
  const extent = { height: form.height, window: box.window };

  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (scroller.current);
    const watch = new ResizeObserver(() => setBox({ width: /** @type {HTMLElement} */ (element.firstElementChild).clientWidth, window: element.clientHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const moveTo = (/** @type {number} */ top) => {
    const element = /** @type {HTMLDivElement} */ (scroller.current);
    at.current.top = Math.max(0, Math.min(top, Math.max(0, form.height - box.window)));
    element.scrollTop = barFor(at.current.top, extent);
    at.current.scroll = element.scrollTop;
    redraw((n) => n + 1);
  };
  const placed = useRef(-1);
  useLayoutEffect(() => {
    if (box.window === 0 || total === 0) return;
    const index = placed.current < 0 ? first : placed.current;
    moveTo(Math.floor(index / form.columns) * form.rowHeight);
    placed.current = index;
  }, [form.columns, form.rowHeight, total, box.window > 0]);

  const onScroll = () => {
    const element = /** @type {HTMLDivElement} */ (scroller.current);
    if (element.scrollTop === at.current.scroll) return;
    at.current.top = scrolledTo(at.current, element.scrollTop, extent);
    at.current.scroll = element.scrollTop;
    clearTimeout(at.current.settled);
    at.current.settled = window.setTimeout(() => {
      element.scrollTop = barFor(at.current.top, extent);
      at.current.scroll = element.scrollTop;
      placed.current = Math.round(at.current.top / form.rowHeight) * form.columns;
      onFirst(placed.current);
    }, 160);
    redraw((n) => n + 1);
  };
  useEffect(() => () => clearTimeout(at.current.settled), []);

  const row = at.current.top / form.rowHeight;
  const from = Math.max(0, (Math.floor(row) - 1) * form.columns);
  const to = Math.min(total, (Math.ceil(row + box.window / form.rowHeight) + 1) * form.columns);
  const inSight = box.width > 0 && to > from ? `${from} ${to}` : "";
  useEffect(() => {
    if (!inSight) return undefined;
    const later = setTimeout(() => onSight(from, to - 1), 40);
    return () => clearTimeout(later);
  }, [inSight, onSight]);

  const wanted = useRef(-1); // entry that gets the focus as soon as it is here
  const focus = (/** @type {number} */ index) => {
    const target = Math.max(0, Math.min(total - 1, index));
    setFocused(target);
    const top = Math.floor(target / form.columns) * form.rowHeight;
    if (top < at.current.top) moveTo(top);
    else if (top + form.rowHeight > at.current.top + box.window) moveTo(top + form.rowHeight - box.window);
    wanted.current = target;
  };
  useLayoutEffect(() => {
    const element = wanted.current < 0 ? null : focusable(scroller.current, wanted.current);
    if (!element) return;
    wanted.current = -1;
    element.focus({ preventScroll: true });
  });
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const current = wanted.current < 0 ? indexOf(event.target) : wanted.current;
    const step = current < 0 || event.altKey || event.ctrlKey || event.metaKey ? undefined : steps(event.key, form.columns, Math.max(1, Math.floor(box.window / form.rowHeight)));
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    focus(current + step);
  };

  const shown = box.width === 0 ? [] : range(from, to);
  if (focused >= 0 && focused < total && !shown.includes(focused)) shown.push(focused);
  const picture = { width: form.cellWidth, height: Math.round(form.cellWidth * size.ratio) };
  const place = (/** @type {number} */ i) => ({
    width: `${form.cellWidth}px`,
    height: `${form.rowHeight - GAP_PX}px`,
    transform: `translate(${(i % form.columns) * (form.cellWidth + GAP_PX)}px, ${Math.floor(i / form.columns) * form.rowHeight - at.current.top}px)`,
  });
  return html`
    <div class="virtual" ref=${scroller} onScroll=${onScroll} onKeyDown=${onKeyDown}
      onFocusIn=${(/** @type {FocusEvent} */ event) => setFocused(indexOf(event.target))}>
      <div class="virtual-length" style=${{ height: `${Math.min(form.height, TALLEST_PX)}px` }}>
        <ul class="virtual-window" aria-label=${label} style=${{ height: `${box.window}px` }}>
          ${shown.map((i) => html`
            <li key=${i} class="virtual-cell" data-index=${i} aria-setsize=${total} aria-posinset=${i + 1} style=${place(i)}>
              ${cell(i, picture)}
            </li>`)}
        </ul>
      </div>
    </div>`;
}

/**
 * How far a key goes.
 * @param {string} key
 * @param {number} columns
 * @param {number} rows in sight
 * @returns {number | undefined}
 */
function steps(key, columns, rows) {
  const far = Number.MAX_SAFE_INTEGER / 2;
  /** @type {Record<string, number>} */
  const known = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
    PageUp: -columns * rows, PageDown: columns * rows, Home: -far, End: far,
  };
  return known[key];
}

/** @param {EventTarget | null} target */
function indexOf(target) {
  const cell = target instanceof Element ? target.closest("[data-index]") : null;
  return cell ? Number(cell.getAttribute("data-index")) : -1;
}

/** @param {HTMLElement | null} scroller @param {number} index @returns {HTMLElement | null} */
const focusable = (scroller, index) => scroller?.querySelector(`[data-index="${index}"] a, [data-index="${index}"] button`) ?? null;

/** @param {number} from @param {number} to */
const range = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
