// Two selections side by side.

import { html } from "../ui.js";
import { count, counted, moment, number, percent } from "../format.js";
import { useJson } from "../load.js";
import { href } from "../router.js";
import { Curves } from "./charts.js";
import { Failed, Loading } from "./states.js";

const TOP = 30;

/** @param {{a: string, b: string}} props */
export function Compare({ a, b }) {
  const { data, error, reload } = useJson(`/api/selection/compare?${new URLSearchParams({ a, b })}`);
  const runs = useJson("/api/selections").data ?? [];
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} what="Comparing" />`;
  const info = (/** @type {string} */ id) => runs.find((/** @type {any} */ one) => one.job.id === id);
  const name = (/** @type {string} */ id) => info(id)?.request.title || info(id)?.job.title || id;
  const made = (/** @type {string} */ id) => info(id) && html` <small class="soft">${moment(info(id).job.created, { seconds: true })}</small>`;
  const inGrid = (/** @type {object[]} */ ...conditions) => href("/grid", { filter: JSON.stringify(conditions) });
  const of = (/** @type {string} */ id, exclude = false) => ({ type: "selection", id, ...(exclude ? { exclude } : {}) });
  const rows = data.categories.filter((/** @type {any} */ one) => one.a + one.b > 0).toSorted((/** @type {any} */ x, /** @type {any} */ y) => Math.abs(y.a - y.b) - Math.abs(x.a - x.b));
  return html`
    <div class="view-head"><a class="button quiet" href=${href("/select", { run: a })}>Back</a><h1>Two selections</h1></div>
    <div class="view-body run">
      <p class="legend"><span><i class="key selected"></i>A: <a href=${href("/select", { run: a })}>${name(a)}</a>${made(a)}</span><span><i class="key other"></i>B: <a href=${href("/select", { run: b })}>${name(b)}</a>${made(b)}</span></p>
      <dl class="facts">
        <div class="fact"><dt>Both picked</dt><dd><a href=${inGrid(of(a), of(b))}>${count(data.n_both)}</a><small>${percent(data.jaccard)} of what either picked</small></dd></div>
        <div class="fact"><dt>Only A</dt><dd><a href=${inGrid(of(a), of(b, true))}>${count(data.n_only_a)}</a><small>${distance(data.mean_distance[0])}</small></dd></div>
        <div class="fact"><dt>Only B</dt><dd><a href=${inGrid(of(b), of(a, true))}>${count(data.n_only_b)}</a><small>${distance(data.mean_distance[1])}</small></dd></div>
        ${data.rank_correlation !== null && html`<div class="fact"><dt>Order</dt><dd>${number(data.rank_correlation)}<small>rank correlation of what both picked</small></dd></div>`}
      </dl>
      <div class="spread-panels">
        ${data.budgets.length > 1 && html`<section class="panel"><h3>How many of the first picks both have</h3>
          <${Curves} label="Picks that both have, by number of picks" xs=${data.budgets} lines=${[{ name: "both", kind: "selected", ys: data.overlap }]} xLabel="picks" yLabel="in both" /></section>`}
        <section class="panel"><h3>Where they differ most</h3>
          ${rows.length === 0 ? html`<p class="soft">Neither picked a sample with predictions.</p>` : html`
          <table><thead><tr><th>Class</th><th>Task</th><th class="n">A</th><th class="n">B</th></tr></thead><tbody>
            ${rows.slice(0, TOP).map((/** @type {any} */ one) => html`<tr><td>${one.name}</td><td class="soft">${one.task}</td><td class="n">${count(one.a)}</td><td class="n">${count(one.b)}</td></tr>`)}</tbody></table>`}
          <p class="soft">Predictions in the picks. ${rows.length > TOP ? `${counted(rows.length - TOP, "more class", "more classes")}.` : ""}</p></section>
      </div>
    </div>`;
}

/** @param {number | null} value */
const distance = (value) => (value === null ? "" : `all samples are ${number(value)} from its picks on average`);
