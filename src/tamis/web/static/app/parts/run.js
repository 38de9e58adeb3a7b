// One selection: how far it is, what it picked and why, how the picks are spread.

import { html, useState } from "../ui.js";
import { send } from "../api.js";
import { count, counted, moment, shortened } from "../format.js";
import { useJson } from "../load.js";
import { change, go, href } from "../router.js";
import { jobs, overview, tasks } from "../store.js";
import { handOf, handParams, NOTHING } from "./by_hand.js";
import { Choice, Fault, useOnce } from "./controls.js";
import { Picks } from "./picks.js";
import { Prose } from "./prose.js";
import { Spreads } from "./spreads.js";
import { Work } from "./shell.js";
import { Empty, Failed, Loading } from "./states.js";

/** @typedef {import("../wire.js").SelectionInfo} SelectionInfo */

/** @param {{id: string, params: URLSearchParams}} props */
export function Run({ id, params }) {
  const live = jobs.value.get(id);
  const { data, error, reload } = useJson(`/api/selection?${new URLSearchParams({ id })}#${live?.state}`);
  if (error) return html`<${Failed} error=${error} retry=${reload}><a class="button" href="/select">All selections</a><//>`;
  if (!data) return html`<${Loading} />`;
  const info = /** @type {SelectionInfo} */ (data), job = live ?? info.job;
  return html`
    <div class="view-head"><a class="button quiet" href="/select">All selections</a><h1>${info.request.title || job.title || id}</h1><span class="total">${moment(job.created)}</span></div>
    ${job.state === "running" && html`<${Empty} title="Selecting"><div class="wide-work"><${Work} job=${job} /></div><//>`}
    ${job.state !== "running" && job.state !== "done" && html`
      <${Empty} title=${{ failed: "This selection failed", cancelled: "This selection was cancelled", interrupted: "This selection was interrupted" }[job.state]}>
        <p>${job.message}</p>${job.hint && html`<p>${job.hint}</p>`}
        <p class="row"><a class="button primary" href=${again(info, params)}>Change the config</a><${DeleteButton} id=${id} /></p><//>`}
    ${job.state === "done" && html`<${Done} id=${id} info=${info} params=${params} />`}`;
}

/** The form with what a run was asked for, and with what was changed by hand since. @param {SelectionInfo} info @param {URLSearchParams} params */
function again({ request }, params) {
  const { config, title, pool, embeddings } = request;
  const filter = request.filter === "[]" ? null : request.filter;
  return href("/select", { config, title, pool, embeddings, filter, ...handParams(handOf(params, request), NOTHING) });
}

/** @param {{id: string, info: SelectionInfo, params: URLSearchParams}} props */
function Done({ id, info, params }) {
  const report = useJson(`/api/selection/report?${new URLSearchParams({ id })}`);
  const inGrid = href("/grid", { filter: JSON.stringify([{ type: "selection", id }]), sort: "pick" });
  const leftOut = Object.entries(info.left_out);
  return html`
    ${info.snapshot && info.snapshot !== overview.value?.snapshot && html`<p class="notice">The datasource was scanned again since: predictions drawn here may have changed.</p>`}
    <div class="view-body run">
      <dl class="facts">
        <div class="fact"><dt>Picked</dt><dd>${count(info.n_picked ?? 0)}<small>of ${count(info.n_requested ?? 0)} asked for${info.stopped ? `; ${info.stopped}` : ""}</small></dd></div>
        <div class="fact"><dt>Candidates</dt><dd>${count(info.n_candidates ?? 0)}<small>${info.request.filter === "[]" ? "of all samples" : "within a filter"}${info.request.pool ? `, beside pool ${info.request.pool}` : ""}</small></dd></div>
        ${leftOut.length > 0 && html`<div class="fact"><dt>Left out</dt><dd>${count(leftOut.reduce((sum, [, n]) => sum + n, 0))}<small>${leftOut.map(([reason, n]) => `${reason}: ${count(n)}`).join("; ")}</small></dd></div>`}
        ${info.request.pinned.length + info.request.rejected.length > 0 && html`<div class="fact"><dt>By hand</dt><dd>${counted(info.request.pinned.length, "pin")}<small>${counted(info.request.rejected.length, "sample")} rejected</small></dd></div>`}
      </dl>
      ${info.duplicates_doubt && html`<p class="notice run-doubt"><span>Look at what was left out for repeating others, as <${Prose} text=${info.duplicates_doubt} />. <a href="/duplicates">Duplicates</a> shows the pairs; a smaller distance leaves out fewer.</span></p>`}
      <div class="row run-tools">
        <a class="button" href=${inGrid}>Show in the grid</a><a class="button" href=${again(info, params)}>Change the config</a>
        <${CompareChoice} id=${id} /><span class="spring"></span><${DeleteButton} id=${id} />
      </div>
      <div class="two-panels"><${Export} id=${id} /><${ToPool} id=${id} /></div>
      <${Picks} id=${id} info=${info} params=${params} />
      ${report.error && html`<${Failed} error=${report.error} retry=${report.reload} />`}
      ${report.data && html`<${Spreads} report=${report.data} />`}
      <section class="panel"><h2>Config</h2><pre tabindex="0" aria-label="Config">${info.request.config}</pre></section>
    </div>`;
}

/** @param {{id: string}} props */
function DeleteButton({ id }) {
  const [sure, setSure] = useState(false);
  const { isBusy, error, start } = useOnce(async () => {
    await send("POST", "/api/selection/delete", { id }).catch((failure) => {
      if (failure.status !== 404) throw failure; // it is gone already, as was wanted
    });
    go("/select");
  });
  const confirm = (/** @type {MouseEvent} */ event) => event.detail < 2 && start(); // the second of a double click is no answer
  return sure
    ? html`<span class="row"><${Fault} error=${error} />
      <button type="button" class="danger" disabled=${isBusy} onClick=${confirm}>Delete for good</button><button type="button" class="quiet" onClick=${() => setSure(false)}>Keep</button></span>`
    : html`<button type="button" class="quiet" onClick=${() => setSure(true)}>Delete</button>`;
}

/** @param {{id: string}} props */
function CompareChoice({ id }) {
  const { data } = useJson("/api/selections");
  const others = (data ?? []).filter((/** @type {SelectionInfo} */ one) => one.job.id !== id && one.job.state === "done");
  if (others.length === 0) return null;
  return html`<${Choice} hideLabel label="Compare with" value="" options=${[{ value: "", text: "Compare with …" }, ...others.map((/** @type {SelectionInfo} */ one) => ({ value: one.job.id, text: `${shortened(one.request.title || one.job.title)}, ${moment(one.job.created, { seconds: true })}` }))]} onChange=${(/** @type {string} */ other) => change({ with: other })} />`;
}

const FORMATS = [
  { value: "names", text: "Names, one a line" }, { value: "config", text: "The config (YAML)" }, { value: "report", text: "The report (HTML)" },
  { value: "json", text: "Picks and reasons (JSON)" },
  { value: "coco", text: "COCO", of: true }, { value: "coco-results", text: "COCO results", of: true },
  { value: "label-studio", text: "Label Studio", of: true }, { value: "cvat", text: "CVAT", of: true },
  { value: "csv", text: "Predictions (CSV)", of: true }, { value: "jsonl", text: "Predictions (JSON lines)", of: true }, { value: "parquet", text: "Predictions (Parquet)", of: true },
];

/** Files to take away. @param {{id: string}} props */
function Export({ id }) {
  const [format, setFormat] = useState("names");
  const [task, setTask] = useState([...tasks.value.keys()][0] ?? "");
  const needsTask = Boolean(FORMATS.find((one) => one.value === format)?.of);
  const address = `/api/selection/export?${new URLSearchParams({ id, format, ...(needsTask ? { task } : {}) })}`;
  return html`
    <section class="panel"><h2>Export</h2>
      <div class="row end"><${Choice} label="Format" value=${format} options=${FORMATS} onChange=${setFormat} />
        ${needsTask && html`<${Choice} label="Predictions of" value=${task} options=${[...tasks.value.keys()].map((value) => ({ value, text: value }))} onChange=${setTask} />`}
        <a class="button primary" href=${address} download>Download</a></div>
    </section>`;
}

/** @param {{id: string}} props */
function ToPool({ id }) {
  const [name, setName] = useState("labelled");
  const [said, setSaid] = useState("");
  const { isBusy, error, start } = useOnce(async () => {
    setSaid("");
    const pools = /** @type {any[]} */ (await send("POST", "/api/selection/pool", { id, pool: name }));
    setSaid(`${name} has ${counted(pools.find((one) => one.name === name)?.members ?? 0, "member")} now.`);
  });
  return html`
    <section class="panel"><h2>Add to a pool</h2>
      <div class="row end"><label class="field"><span>Pool: what is selected already, in later rounds</span><input type="text" value=${name} maxlength="100" onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)} /></label>
        <button type="button" disabled=${name === "" || isBusy} onClick=${() => start()}>Add the picks</button></div>
      ${said && html`<p class="soft" role="status">${said}</p>`}
      <${Fault} error=${error} />
    </section>`;
}

