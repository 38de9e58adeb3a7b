// Questions in SQL over the tables of the index; the answer as a table, or as a filter of the grid.

import { html, useEffect, useState } from "../ui.js";
import { counted } from "../format.js";
import { useJson } from "../load.js";
import { change, href } from "../router.js";
import { tasks } from "../store.js";
import { Failed, Loading } from "../parts/states.js";

const NUMBERS = /^(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const LONGEST = 200; // characters of a cell

/** @param {string} name */
const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

/** @returns {{title: string, query: string}[]} */
function examples() {
  const task = [...tasks.value.values()].find((one) => one.has_boxes) ?? [...tasks.value.values()][0];
  const general = { title: "Problems by code", query: "SELECT code, count(*) AS n\nFROM problems GROUP BY code ORDER BY n DESC" };
  if (!task) return [general];
  return [
    { title: "Most predictions", query: `SELECT sample, n_predictions\nFROM ${quoted(task.name)}.sample_scores\nORDER BY n_predictions DESC LIMIT 50` },
    { title: "Classes by mean score", query: `SELECT category_id, count(*) AS n, avg(score) AS mean_score\nFROM ${quoted(task.name)}.predictions\nGROUP BY category_id ORDER BY n DESC` },
    { title: "Large pictures", query: "SELECT key, width, height\nFROM samples ORDER BY width * height DESC LIMIT 20" },
    general,
  ];
}

/** @param {{params: URLSearchParams}} props */
export function SqlView({ params }) {
  const asked = params.get("query") ?? "";
  const [text, setText] = useState(asked || examples()[0].query);
  const [times, setTimes] = useState(0);

  useEffect(() => { if (asked) setText(asked); }, [asked]);
  const result = useJson(asked ? `/api/sql?${new URLSearchParams({ query: asked, limit: "500" })}#${times}` : null);
  const run = () => {
    if (text === asked) setTimes(times + 1);
    else change({ query: text });
  };
  return html`
    <div class="view-head"><h1>SQL</h1><span class="total">read only, in DuckDB's dialect</span></div>
    <div class="view-body sql">
      <div class="sql-main">
        <label class="field"><span class="visually-hidden">Query</span>
          <textarea rows="6" spellcheck=${false} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
            onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); } }}></textarea></label>
        <div class="row">
          <button type="button" class="primary" onClick=${run} disabled=${text.trim() === ""}>Run</button><span class="soft"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span><span class="spring"></span>
          ${examples().map((one) => html`<button type="button" class="quiet" onClick=${() => { setText(one.query); change({ query: one.query }); }}>${one.title}</button>`)}
        </div>
        ${result.loading && html`<${Loading} what="Running" />`}
        ${result.error && html`<${Failed} error=${result.error} />`}
        ${result.data && !result.loading && html`<${Result} data=${result.data} query=${asked} />`}
      </div>
      <aside class="sql-tables"><${Tables} onInsert=${(/** @type {string} */ name) => setText(`${text} ${name}`)} /></aside>
    </div>`;
}

/** @param {{data: any, query: string}} props */
function Result({ data, query }) {
  return html`
    <div class="row result-head"><span class="soft" role="status">${counted(data.rows.length, "row")}${data.truncated ? ", there are more" : ""} in ${data.seconds.toFixed(2)} s</span>
      ${data.names_samples && data.rows.length > 0 && html`<a class="button" href=${href("/grid", { filter: JSON.stringify([{ type: "sql", query }]) })}>Show these samples in the grid</a>`}</div>
    ${data.rows.length === 0 ? html`<p class="soft">The query returns no row.</p>` : html`
      <div class="scroll panel" tabindex="0" role="region" aria-label="Result"><table class="result">
        <thead><tr>${data.columns.map((/** @type {any} */ one) => html`<th class=${NUMBERS.test(one.type) ? "n" : ""} title=${one.type}>${one.name}</th>`)}</tr></thead>
        <tbody>${data.rows.map((/** @type {any[]} */ row) => html`<tr>${row.map((value, i) => html`<td class=${NUMBERS.test(data.columns[i].type) ? "n" : ""}><${Cell} value=${value} column=${data.columns[i].name} /></td>`)}</tr>`)}</tbody>
      </table></div>`}`;
}

/** A value as it can be pasted into a query: no digit is grouped or rounded. @param {{value: any, column: string}} props */
function Cell({ value, column }) {
  if (value === null) return html`<span class="soft">null</span>`;
  if (typeof value === "string" && /^(key|sample)$/.test(column)) return html`<a href=${href("/sample", { key: value })}>${value}</a>`;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST ? html`<span title=${text}>${text.slice(0, LONGEST)}…</span>` : text;
}

/** @param {{onInsert: (name: string) => void}} props */
function Tables({ onInsert }) {
  const { data } = useJson("/api/sql/tables");
  return html`
    <h2>Tables</h2>
    ${(data ?? []).map((/** @type {any} */ table, /** @type {number} */ i) => html`
      <details open=${i === 0}><summary><code>${table.name}</code></summary>
        <button type="button" class="quiet" onClick=${() => onInsert(table.name)}>Insert the name</button>
        <dl class="table-columns">${table.columns.map((/** @type {any} */ column) => html`<div><dt><code>${column.name}</code> </dt><dd class="soft">${column.type.toLowerCase()}</dd></div>`)}</dl>
      </details>`)}`;
}
