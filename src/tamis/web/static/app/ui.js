// The one place that knows the libraries: everything else imports what it draws with from here.

import { h } from "preact";
import htm from "htm";

export { Fragment, render } from "preact";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal } from "@preact/signals";

/** @typedef {import("preact").ComponentChildren} Children */

/**
 * A template of elements. Values are always text or attributes, never markup, so names from files cannot become code.
 * @type {(strings: TemplateStringsArray, ...values: any[]) => any}
 */
export const html = htm.bind(h);
