// A grid that draws only what is in sight, however long the list.

import { html, useEffect, useLayoutEffect } from "../ui.js";
import { GAP_PX, steps, TALLEST_PX } from "./list_layout.js";
import { usePlace } from "./list_place.js";

/**
 * @typedef {import("./list_place.js").Wish & {
 *   label: string,
 *   onSight: (from: number, to: number) => void,
 *   cell: (index: number, box: {width: number, height: number}) => any,
 * }} Props
 * label: what the list is, for screen readers; onSight: called with what is in sight; cell: draws an entry, with one
 * link or button in it
 */

/** @param {Props} props */
export function Virtual({ label, onSight, cell, ...wish }) {
  const { total, size } = wish;
  const place = usePlace(wish);
  const { scroller, box, form, top, now, focused } = place;
  const row = top / form.rowHeight;
  const from = Math.max(0, (Math.floor(row) - 1) * form.columns);
  const to = Math.min(total, (Math.ceil(row + box.window / form.rowHeight) + 1) * form.columns);
  const inSight = box.width > 0 && to > from ? `${from} ${to}` : "";
  useEffect(() => {
    if (!inSight) return undefined;
    const later = setTimeout(() => onSight(from, to - 1), 40);
    return () => clearTimeout(later);
  }, [inSight, onSight]);
  useLayoutEffect(() => {
    const element = now.wanted < 0 ? null : focusable(scroller.current, now.wanted);
    if (!element) return;
    now.wanted = -1;
    element.focus({ preventScroll: true });
  });
  const shown = box.width === 0 ? [] : range(from, to);
  if (focused >= 0 && focused < total && !shown.includes(focused)) shown.push(focused);
  const picture = { width: form.cellWidth, height: Math.round(form.cellWidth * size.ratio) };
  const placed = (/** @type {number} */ i) => ({
    width: `${form.cellWidth}px`,
    height: `${form.rowHeight - GAP_PX}px`,
    transform: `translate(${(i % form.columns) * (form.cellWidth + GAP_PX)}px, ${Math.floor(i / form.columns) * form.rowHeight - top}px)`,
  });
  return html`
    <div class="virtual" ref=${scroller} onScroll=${place.onScroll} onKeyDown=${(/** @type {KeyboardEvent} */ event) => pressed(event, place)}
      onPointerDown=${(/** @type {PointerEvent} */ event) => pointed(event, place)}
      onFocusIn=${(/** @type {FocusEvent} */ event) => place.setFocused(indexOf(event.target))}>
      <div class="virtual-length" style=${{ height: `${Math.min(form.height, TALLEST_PX)}px` }}>
        <ul class="virtual-window" aria-label=${label} style=${{ height: `${box.window}px` }}>
          ${shown.map((i) => html`
            <li key=${i} class="virtual-cell" data-index=${i} aria-setsize=${total} aria-posinset=${i + 1} style=${placed(i)}>
              ${cell(i, picture)}
            </li>`)}
        </ul>
      </div>
    </div>`;
}

/** @param {KeyboardEvent} event @param {ReturnType<typeof usePlace>} place */
function pressed(event, { now, form, box, focus, rest, tell }) {
  const current = now.wanted < 0 ? indexOf(event.target) : now.wanted;
  if (current < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Enter" && now.wanted >= 0) event.preventDefault(); // the entry is not here yet, and another has the focus
  else if (event.key === "Enter") tell(current);
  const step = steps(event.key, form.columns, Math.max(1, Math.floor(box.window / form.rowHeight)));
  if (step === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  focus(current + step);
  rest();
}

/** What is pressed is likely opened next: coming back, it is where it was. @param {PointerEvent} event @param {ReturnType<typeof usePlace>} place */
function pointed(event, { now, tell }) {
  const index = indexOf(event.target);
  now.wanted = -1;
  if (index >= 0 && event.pointerType !== "touch") tell(index);
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
