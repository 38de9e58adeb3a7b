// Everything that is wrong with the data, by kind, with what to do about it.

import { html, useState } from "../ui.js";
import { count, counted } from "../format.js";
import { useJson } from "../load.js";
import { change, href } from "../router.js";
import { Prose } from "../parts/prose.js";
import { Problem } from "../parts/problem.js";
import { Segmented } from "../parts/controls.js";
import { Empty, Failed, Loading } from "../parts/states.js";

/** @typedef {import("../wire.js").ProblemGroup} ProblemGroup */

const PAGE = 20;

/** @param {{params: URLSearchParams}} props */
export function ProblemsView({ params }) {
  const { data, error, reload } = useJson("/api/problems");
  const severity = params.get("severity") ?? "all";
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} what="Reading the problems" />`;
  const groups = data.problems.filter((/** @type {ProblemGroup} */ group) => severity === "all" || group.severity === severity);
  return html`
    <div class="view-head"><h1>Problems</h1><span class="total">${counted(data.errors, "error")}, ${counted(data.warnings, "warning")}</span><span class="spring"></span>
      <${Segmented} label="How severe" value=${severity} options=${[{ value: "all", text: "All" }, { value: "error", text: "Errors" }, { value: "warning", text: "Warnings" }, { value: "info", text: "Infos" }]}
        onChange=${(/** @type {string} */ value) => change({ severity: value === "all" ? null : value })} /></div>
    <div class="view-body">
      ${groups.length === 0 && html`<${Empty} title=${data.problems.length ? "None of these" : "No problem was found"}><p>${data.problems.length ? "Choose another severity above." : "Every file is as the format wants it."}</p><//>`}
      <div class="problem-groups">${groups.map((/** @type {ProblemGroup} */ group) => html`<${Group} key=${`${group.code} ${group.task}`} group=${group} isOpen=${params.get("open") === idOf(group)} />`)}</div>
    </div>`;
}

/** @param {ProblemGroup} group */
const idOf = (group) => `${group.code}:${group.task ?? ""}`;

/** @param {{group: ProblemGroup, isOpen: boolean}} props */
function Group({ group, isOpen }) {
  const inGrid = href("/grid", { filter: JSON.stringify([{ type: "problem", code: group.code, ...(group.task ? { task: group.task } : {}) }]) });
  const hasSamples = group.examples.some((one) => one.file !== null);
  return html`
    <section class="panel problem-group">
      <header><span class=${`severity ${group.severity}`}>${group.severity}</span><h2><code>${group.code}</code></h2>
        <span class="soft">${group.task ? `in ${group.task}` : ""}</span><span class="spring"></span><b>${count(group.count)}</b></header>
      <p><${Prose} text=${group.message} /></p>
      <p class="hint"><b>What to do:</b> <${Prose} text=${group.hint} /></p>
      <div class="row">
        ${group.examples.length > 0 && html`<button type="button" aria-expanded=${String(isOpen)} onClick=${() => change({ open: isOpen ? null : idOf(group) }, { replace: true })}>${isOpen ? "Hide places" : "Show places"}</button>`}
        ${hasSamples && html`<a class="button quiet" href=${inGrid}>Samples in the grid</a>`}
      </div>
      ${isOpen && html`<${Places} group=${group} />`}
    </section>`;
}

/** @param {{group: ProblemGroup}} props */
function Places({ group }) {
  const [limit, setLimit] = useState(PAGE);
  const query = new URLSearchParams({ code: group.code, limit: String(limit) });
  if (group.task) query.set("task", group.task);
  const { data, error } = useJson(`/api/problems/places?${query}`);
  if (error) return html`<${Failed} error=${error} />`;
  if (!data) return html`<p class="soft" role="status">Loading …</p>`;
  return html`
    <ul class="problem-places">${data.places.map((/** @type {any} */ one) => html`<${Problem} one=${one} />`)}</ul>
    ${data.total > data.places.length && limit < 500 && html`<button type="button" onClick=${() => setLimit(Math.min(500, limit * 4))}>More of ${count(data.total)}</button>`}
    ${data.total > data.places.length && limit >= 500 && html`<p class="soft">The first 500 of ${count(data.total)}. <code>tamis check --all</code> lists every one.</p>`}`;
}
