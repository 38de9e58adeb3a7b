// A long list of which only the pages in sight are loaded.

import { useCallback, useEffect, useRef, useState } from "../ui.js";
import { getJson } from "../api.js";

const PAGE = 60;
const KEPT = 40; // pages; the oldest are forgotten

/**
 * @typedef {object} Pages
 * @property {number | null} total length of the list, null until it is known
 * @property {(index: number) => any} item an entry, or undefined while it is not here
 * @property {(from: number, to: number) => void} want load what is in sight
 * @property {import("../api.js").ApiError | null} error
 * @property {any} answer the last page as the server sent it
 * @property {() => void} reload
 */

/**
 * @param {string} path
 * @param {URLSearchParams} params without offset and limit
 * @param {string} field of the answer that holds the entries
 * @param {string} version of what the server answers from: another one is loaded anew
 * @returns {Pages}
 */
export function usePages(path, params, field, version) {
  const query = `${path}?${params}#${version}`;
  const [, redraw] = useState(0);
  const [times, setTimes] = useState(0);
  const state = useRef(fresh());
  const load = useCallback((/** @type {number} */ page) => {
    const now = state.current;
    if (now.pages.has(page) || now.asked.has(page)) return;
    const abort = new AbortController();
    now.asked.set(page, abort);
    const withPage = new URLSearchParams(params);
    withPage.set("offset", String(page * PAGE));
    withPage.set("limit", String(PAGE));
    getJson(`${path}?${withPage}`, { signal: abort.signal }).then(
      (answer) => received(now, page, answer, answer[field]),
      (error) => { if (!abort.signal.aborted) now.error = error; },
    ).finally(() => {
      now.asked.delete(page);
      if (now === state.current) redraw((n) => n + 1);
    });
  }, [query, times]);
  useEffect(() => {
    const last = state.current;
    state.current = { ...fresh(), total: last.total, stale: last.pages };
    load(0);
    return () => state.current.asked.forEach((abort) => abort.abort());
  }, [query, times]);
  const want = useCallback((/** @type {number} */ from, /** @type {number} */ to) => {
    const first = Math.floor(Math.max(0, from) / PAGE), last = Math.floor(Math.max(0, to) / PAGE);
    for (const [page, abort] of state.current.asked) {
      if (page !== 0 && (page < first - 1 || page > last + 1)) abort.abort();
    }
    for (let page = first; page <= last; page += 1) load(page);
  }, [load]);
  const now = state.current;
  const item = (/** @type {number} */ index) => (now.pages.get(Math.floor(index / PAGE)) ?? now.stale?.get(Math.floor(index / PAGE)))?.[index % PAGE];
  return { total: now.total, item, want, error: now.error, answer: now.answer, reload: () => setTimes((n) => n + 1) };
}

/** @typedef {{pages: Map<number, any[]>, stale: Map<number, any[]> | null, asked: Map<number, AbortController>, total: number | null, error: any, answer: any}} State */

/** @returns {State} */
const fresh = () => ({ pages: new Map(), stale: null, asked: new Map(), total: null, error: null, answer: null });

/** @param {State} now @param {number} page @param {any} answer @param {any[]} entries */
function received(now, page, answer, entries) {
  now.stale = null;
  now.error = null;
  now.total = answer.total;
  now.answer = answer;
  now.pages.set(page, entries);
  if (now.pages.size > KEPT) now.pages.delete(/** @type {number} */ (now.pages.keys().next().value));
}
