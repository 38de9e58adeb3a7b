// What a view shows, loaded from the server and kept up to date.

import { useCallback, useEffect, useState } from "./ui.js";
import { getJson } from "./api.js";
import { version } from "./store.js";

/** @typedef {import("./api.js").ApiError} ApiError */

/**
 * @template T
 * @typedef {{data: T | null, error: ApiError | null, loading: boolean, isFresh: boolean, reload: () => void}} Loaded
 */

/**
 * Load JSON, again whenever the address or what is served changes; the last answer stays until the next is there, and is not fresh.
 * @param {string | null} address null loads nothing
 * @returns {Loaded<any>}
 */
export function useJson(address) {
  const [state, setState] = useState(/** @type {{data: any, of: string | null, error: ApiError | null, loading: boolean}} */ ({ data: null, of: null, error: null, loading: address !== null }));
  const [times, setTimes] = useState(0);
  const asked = address && `${address} ${version.value}`;
  useEffect(() => {
    if (address === null) {
      setState({ data: null, of: null, error: null, loading: false });
      return undefined;
    }
    const abort = new AbortController();
    setState((old) => ({ ...old, error: null, loading: true }));
    getJson(address, { signal: abort.signal }).then(
      (data) => {
        setState({ data, of: asked, error: null, loading: false });
      },
      (error) => {
        if (!abort.signal.aborted) setState({ data: null, of: null, error, loading: false });
      },
    );
    return () => abort.abort();
  }, [asked, times]);
  const reload = useCallback(() => setTimes((n) => n + 1), []);
  const { of, ...shown } = state;
  return { ...shown, isFresh: of === asked, reload };
}
