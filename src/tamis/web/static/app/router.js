// All state of a view is in the address: a view can be bookmarked, sent, and left by the back button.

import { signal } from "./ui.js";

/** @typedef {{path: string, params: URLSearchParams}} Place */
/** @typedef {string | number | boolean | null | undefined | readonly string[]} Value */

/** @returns {Place} */
const here = () => ({ path: window.location.pathname, params: new URLSearchParams(window.location.search) });

/** Where we are. */
export const place = signal(here());

window.addEventListener("popstate", () => { place.value = here(); });

/**
 * Write an address; empty values are left out, lists become repeated keys.
 * @param {string} path
 * @param {Record<string, Value> | URLSearchParams} [params]
 */
export function href(path, params = {}) {
  const query = (params instanceof URLSearchParams ? params : withValues(new URLSearchParams(), params)).toString();
  return query === "" ? path : `${path}?${query}`;
}

/**
 * Copy parameters with some of them set anew.
 * @param {URLSearchParams} params
 * @param {Record<string, Value>} changes
 */
export function withValues(params, changes) {
  const copy = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    copy.delete(name);
    if (Array.isArray(value)) value.forEach((one) => copy.append(name, one));
    else if (value !== null && value !== undefined && value !== "" && value !== false) {
      copy.set(name, value === true ? "1" : String(value));
    }
  }
  return copy;
}

/**
 * Go to an address.
 * @param {string} address
 * @param {{replace?: boolean}} [options] replace: leave no entry in the history, for changes in passing
 */
export function go(address, { replace = false } = {}) {
  const moved = new URL(address, window.location.href).pathname !== window.location.pathname;
  window.history[replace ? "replaceState" : "pushState"](null, "", address);
  place.value = here();
  if (moved) window.scrollTo(0, 0);
}

/**
 * Change parameters of the current view.
 * @param {Record<string, Value>} changes
 * @param {{replace?: boolean}} [options]
 */
export function change(changes, options) {
  go(href(place.value.path, withValues(place.value.params, changes)), options);
}

/** The sample that the address asks for at this moment: it may be ahead of what is drawn, where keys are pressed fast. */
export const wantedKey = () => place.peek().params.get("key");

/** Follow links within the page without loading it again. */
export function followLinks() {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== window.location.origin) return;
    if (/^\/(api|static)(\/|$)/.test(link.pathname)) return;
    event.preventDefault();
    go(link.href);
  });
}
