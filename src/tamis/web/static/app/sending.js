// Requests that change something: each is sent once, however often its button is pressed.

import { useRef, useState } from "./ui.js";

/** @typedef {import("./api.js").ApiError} ApiError */

/**
 * What a button does. While it is on its way, the button is to be disabled, and pressing it again does nothing.
 * @param {() => Promise<void>} action
 * @returns {{isSending: boolean, error: ApiError | null, start: () => void}}
 */
export function useSending(action) {
  const [state, setState] = useState({ isSending: false, error: /** @type {ApiError | null} */ (null) });
  const isOnItsWay = useRef(false); // at once, where the state is known only when it was drawn
  const start = () => {
    if (isOnItsWay.current) return;
    isOnItsWay.current = true;
    setState({ isSending: true, error: null });
    action().then(() => null, (error) => error).then((error) => {
      isOnItsWay.current = false;
      setState({ isSending: false, error });
    });
  };
  return { ...state, start };
}
