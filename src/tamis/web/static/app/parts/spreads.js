// How the picks are spread beside what was there and beside chance, and what each budget buys.

import { html, useState } from "../ui.js";
import { count, number, percent } from "../format.js";
import { Curves, SpreadLegend, ThreeSpreads } from "./charts.js";

const TOP = 12;

/** @param {{report: any}} props the report of a run, as `report.json` */
export function Spreads({ report }) {
  return html`
    <section aria-label="Distributions"><h2>What was picked, beside what was there</h2><${SpreadLegend} />
      <div class="spread-panels">
        ${report.coverage && html`<${CoveragePanel} coverage=${report.coverage} />`}
        ${report.strategies.length > 1 && html`<${StrategyPanel} strategies=${report.strategies} />`}
        ${report.categories.map((/** @type {any} */ one) => html`<${CategoryPanel} one=${one} />`)}
        ${[...report.histograms, ...(report.distances ? [report.distances] : [])].filter((one) => [...one.selected, ...one.random].some((n) => n > 0)).map((one) => html`
          <section class="panel"><h3>${one.label}</h3><${ThreeSpreads} label=${one.label} edges=${one.edges} input=${one.input} selected=${one.selected} random=${one.random} />
            <p class="soft">${meansText(one.means)}${one.note ? ` ${one.note}` : ""}</p></section>`)}
      </div>
    </section>`;
}

/** @param {{input: number | null, selected: number | null, random: number | null}} means */
const meansText = (means) => ["input", "selected", "random"].flatMap((name) => {
  const value = means[/** @type {keyof typeof means} */ (name)];
  return value === null || value === undefined ? [] : [`${name} ${number(value)}`];
}).join(", ").replace(/^/, "Means: ") + ".";

/** @param {{coverage: any}} props */
function CoveragePanel({ coverage }) {
  const lines = (/** @type {any} */ curve) => [
    { name: "selected", kind: "selected", ys: curve.selected },
    { name: "random", kind: "random", ys: curve.random, low: curve.random_low, high: curve.random_high },
  ];
  return html`
    <section class="panel"><h3>Mean distance of all samples to the nearest pick</h3>
      <${Curves} label="Mean distance to the nearest pick, by number of picks" xs=${coverage.budgets} lines=${lines(coverage.mean)} xLabel="picks" yLabel="mean distance" mark=${coverage.elbow} />
      <p class="soft">Lower is better covered.${coverage.elbow ? ` After ${count(coverage.elbow)} picks each further one pays less than the average.` : ""}</p></section>
    <section class="panel"><h3>Distance of the sample that is farthest from a pick</h3>
      <${Curves} label="Largest distance to the nearest pick, by number of picks" xs=${coverage.budgets} lines=${lines(coverage.farthest)} xLabel="picks" yLabel="largest distance" /></section>`;
}

/** @param {{strategies: any[]}} props */
const StrategyPanel = ({ strategies }) => html`
  <section class="panel"><h3>What decided</h3>
    <ul class="shares">${strategies.map((one) => html`<li><span class="object-name" title=${one.description}>${one.label}</span>
      ${one.mean_share === null || one.mean_share === undefined ? html`<span></span><span class="soft">filter</span>` : html`<span class="object-bar"><b style=${{ width: `${100 * one.mean_share}%` }}></b></span><span>${percent(one.mean_share)}</span>`}</li>`)}</ul>
    <p class="soft">Mean share of the decisions over all picks.</p></section>`;

/** Shares of the categories in the three groups. @param {{one: any}} props */
function CategoryPanel({ one }) {
  const [all, setAll] = useState(false);
  const sum = (/** @type {string} */ name) => Math.max(1e-9, one.rows.reduce((/** @type {number} */ total, /** @type {any} */ row) => total + row[name], 0));
  const sums = { input: sum("input"), selected: sum("selected"), random: sum("random") };
  const rows = one.rows.map((/** @type {any} */ row) => ({ name: row.name, input: row.input / sums.input, selected: row.selected / sums.selected, random: row.random / sums.random, n: row.selected }))
    .filter((/** @type {any} */ row) => row.input + row.selected + row.random > 0).toSorted((/** @type {any} */ a, /** @type {any} */ b) => b.input - a.input);
  const listed = all ? rows : rows.slice(0, TOP);
  const most = Math.max(1e-9, ...rows.flatMap((/** @type {any} */ row) => [row.input, row.selected, row.random]));
  const width = (/** @type {number} */ share) => ({ width: `${(100 * share) / most}%` });
  return html`
    <section class="panel"><h3>${one.label}</h3>
      <ul class="category-shares">${listed.map((/** @type {any} */ row) => html`
        <li title=${`${row.name}: input ${percent(row.input)}, selected ${percent(row.selected)} (${count(row.n)}), random ${percent(row.random)}`}>
          <span class="object-name">${row.name}</span><span class="three"><b class="key input" style=${width(row.input)}></b><b class="key selected" style=${width(row.selected)}></b><b class="key random" style=${width(row.random)}></b></span><span class="n">${count(row.n)}</span></li>`)}</ul>
      ${rows.length > listed.length && html`<button type="button" class="quiet more" onClick=${() => setAll(true)}>All ${count(rows.length)}</button>`}
      <p class="soft">Shares of ${one.unit}; the number is how many were selected.</p></section>`;
}
