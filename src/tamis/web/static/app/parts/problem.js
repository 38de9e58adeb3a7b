// One problem at its place.

import { html } from "../ui.js";
import { href } from "../router.js";
import { Prose } from "./prose.js";

/** @param {{one: import("../wire.js").ProblemPlace, withSample?: boolean}} props */
export const Problem = ({ one, withSample = true }) => html`
  <li class="problem-place">
    <p><span class=${`severity ${one.severity}`}>${one.severity}</span> <code>${one.code}</code>${one.task && html` <span class="soft">in ${one.task}</span>`}</p>
    <p><${Prose} text=${one.message} /></p>
    <p class="soft place-text">${withSample && one.sample ? html`<a href=${href("/sample", { key: one.sample })}>${one.file}</a>` : one.file}
      ${one.path && html` <code>${one.path}</code>`}${one.line !== null && html` (line ${one.line}${one.column === null ? "" : `, column ${one.column}`})`}</p>
    ${!withSample && html`<p class="soft"><${Prose} text=${one.hint} /></p>`}
  </li>`;
