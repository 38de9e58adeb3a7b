// Keys that work everywhere, and those of the view in front.

import { signal, useLayoutEffect } from "./ui.js";
import { go } from "./router.js";

export const helpIsOpen = signal(false);

/** Views by the key that follows `g`. */
export const VIEWS = [
  { key: "o", path: "/", name: "Overview" },
  { key: "g", path: "/grid", name: "Grid" },
  { key: "b", path: "/objects", name: "Objects" },
  { key: "e", path: "/embedding", name: "Embedding" },
  { key: "d", path: "/duplicates", name: "Duplicates" },
  { key: "p", path: "/problems", name: "Problems" },
  { key: "s", path: "/select", name: "Select" },
  { key: "q", path: "/sql", name: "SQL" },
];

/** @typedef {Record<string, () => void>} Bindings by `event.key` */

/** @type {Set<{current: Bindings}>} */
const active = new Set();
let pressedG = -Infinity; // when `g` was pressed last

/**
 * Bind keys while a component is shown, from the moment that it is: a key pressed at once is not lost.
 * @param {Bindings} bindings
 */
export function useKeys(bindings) {
  useLayoutEffect(() => {
    const entry = { current: bindings };
    active.add(entry);
    return () => { active.delete(entry); };
  });
}

/** Whether somebody is writing. @param {EventTarget | null} target */
const isWriting = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)
  || (target instanceof HTMLInputElement && !/^(checkbox|radio|range|button)$/.test(target.type)));

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isWriting(event.target)) {
      if (event.key === "Escape" && event.target instanceof HTMLElement) event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (handled(event.key)) event.preventDefault();
  });
}

/** @param {string} key */
function handled(key) {
  const afterG = performance.now() - pressedG < 1200;
  pressedG = -Infinity;
  const view = afterG ? VIEWS.find((one) => one.key === key) : undefined;
  if (view) {
    go(view.path);
    return true;
  }
  if (key === "g") {
    pressedG = performance.now();
    return true;
  }
  if (key === "?") {
    helpIsOpen.value = true;
    return true;
  }
  if (key === "/") return focusSearch();
  const bound = [...active].reverse().find((entry) => key in entry.current);
  bound?.current[key]();
  return bound !== undefined;
}

function focusSearch() {
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-search]"));
  field?.focus();
  field?.select();
  return field !== null;
}
