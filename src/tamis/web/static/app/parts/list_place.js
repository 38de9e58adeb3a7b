// Which part of a long list is in sight: moved by the scroll bar, by keys and by the address.

import { useEffect, useLayoutEffect, useRef, useState } from "../ui.js";
import { barFor, layout, scrolledTo } from "./list_layout.js";

const REST_MS = 160; // without a movement the scrolling has ended

/**
 * @typedef {object} Wish
 * @property {number} total
 * @property {import("./list_layout.js").CellSize} size
 * @property {number} first entry to begin at; followed whenever it is not what `onPlace` was told
 * @property {number} on entry that has the focus at the start, -1 for none
 * @property {(first: number, on: number | null) => void} onPlace told the first entry in sight when the list has
 *   come to rest, and at once, with the entry, when one is about to be opened
 */

/** @param {Wish} wish */
export function usePlace({ total, size, first, on, onPlace }) {
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const box = useBox(scroller);
  const [, redraw] = useState(0);
  const [focused, setFocused] = useState(-1);
  const at = useRef({ top: 0, scroll: 0, resting: 0, index: -1, told: NaN, form: "", wanted: -1 });
  const now = at.current;
  const form = layout(Math.max(1, box.width), total, size);
  const extent = { height: form.height, window: box.window };

  const moveTo = (/** @type {number} */ top) => {
    const element = /** @type {HTMLDivElement} */ (scroller.current);
    now.top = Math.max(0, Math.min(top, Math.max(0, form.height - box.window)));
    element.scrollTop = barFor(now.top, extent);
    now.scroll = element.scrollTop;
    redraw((n) => n + 1);
  };
  const rowTop = (/** @type {number} */ index) => Math.floor(index / form.columns) * form.rowHeight;
  const tell = (/** @type {number | null} */ opened) => {
    clearTimeout(now.resting);
    now.index = Math.round(now.top / form.rowHeight) * form.columns;
    now.told = now.index;
    onPlace(now.index, opened);
  };
  const latest = useRef({ moveTo, tell }); // the list may be laid out anew before it rests
  latest.current = { moveTo, tell };
  const rest = () => {
    clearTimeout(now.resting);
    now.resting = window.setTimeout(() => {
      latest.current.moveTo(now.top);
      latest.current.tell(null);
    }, REST_MS);
  };
  const focus = (/** @type {number} */ index) => {
    const target = Math.max(0, Math.min(total - 1, index));
    const top = rowTop(target);
    setFocused(target);
    if (top < now.top) moveTo(top);
    else if (top + form.rowHeight > now.top + box.window) moveTo(top + form.rowHeight - box.window);
    now.wanted = target;
  };
  const onScroll = () => {
    const element = /** @type {HTMLDivElement} */ (scroller.current);
    if (element.scrollTop === now.scroll) return;
    now.top = scrolledTo(now, element.scrollTop, extent);
    now.scroll = element.scrollTop;
    rest();
    redraw((n) => n + 1);
  };
  useEffect(() => () => clearTimeout(now.resting), []);
  useLayoutEffect(() => {
    if (box.window === 0 || total === 0) return;
    const isAsked = now.told !== first, laidOut = `${form.columns} ${form.rowHeight} ${total}`;
    if (!isAsked && now.form === laidOut) return;
    if (isAsked) Object.assign(now, { index: first, told: first });
    now.form = laidOut;
    moveTo(rowTop(now.index));
    if (isAsked && on >= 0) focus(on);
  });
  return { scroller, box, form, top: now.top, now, focused, setFocused, focus, rest, tell, onScroll };
}

/** Width for the entries and height of the window, in pixels; 0 until they are known. @param {{current: HTMLDivElement | null}} scroller */
function useBox(scroller) {
  const [box, setBox] = useState({ width: 0, window: 0 });
  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (scroller.current);
    const watch = new ResizeObserver(() => setBox({ width: /** @type {HTMLElement} */ (element.firstElementChild).clientWidth, window: element.clientHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return box;
}
