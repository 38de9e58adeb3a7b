// What a view shows while it has nothing to show: always with what to do.

import { html } from "../ui.js";
import { Prose } from "./prose.js";

/** @typedef {import("../ui.js").Children} Children */

/** @param {{what?: string}} props */
export const Loading = ({ what = "Loading" }) => html`<div class="state" role="status"><span class="spinner" aria-hidden="true"></span><p>${what} …</p></div>`;

/**
 * Nothing to show, and why.
 * @param {{title: string, children?: Children}} props
 */
export const Empty = ({ title, children }) => html`<div class="state"><h2>${title}</h2>${children}</div>`;

/**
 * What went wrong, and what to do.
 * @param {{error: import("../api.js").ApiError, retry?: () => void, children?: Children}} props
 */
export function Failed({ error, retry, children }) {
  return html`
    <div class="state failed" role="alert">
      <h2>${error.status === 0 ? "No answer" : "This did not work"}</h2>
      <p><${Prose} text=${error.message} /></p>
      ${error.hint && html`<p class="soft"><${Prose} text=${error.hint} /></p>`}
      <p class="row">${retry && html`<button type="button" onClick=${retry}>Try again</button>`}${children}</p>
    </div>`;
}
