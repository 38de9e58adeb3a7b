// Selections: the form of a new one, those that were run, and one or two of them in full.

import { html, useEffect, useState } from "../ui.js";
import { send } from "../api.js";
import { duplicatesOf, firstTree } from "../config.js";
import { describe, filterOf } from "../filters.js";
import { count, counted, moment, shortened } from "../format.js";
import { useJson } from "../load.js";
import { change, go, href } from "../router.js";
import { jobs, remember, tasks } from "../store.js";
import { handOf, HandLists, handParams, NOTHING } from "../parts/by_hand.js";
import { Choice, Fault, useOnce } from "../parts/controls.js";
import { ConfigForm, useConfigCheck } from "../parts/config_form.js";
import { EmbedFirst, useEmbeddings } from "../parts/embedded.js";
import { Compare } from "../parts/compare.js";
import { Run } from "../parts/run.js";
import { Failed, Loading } from "../parts/states.js";

/** @typedef {import("../wire.js").SelectionInfo} SelectionInfo */

/** @param {{params: URLSearchParams}} props */
export function SelectView({ params }) {
  const run = params.get("run"), other = params.get("with");
  if (run && other) return html`<${Compare} key=${`${run} ${other}`} a=${run} b=${other} />`;
  if (run) return html`<${Run} key=${run} id=${run} params=${params} />`;
  return html`
    <div class="view-head"><h1>Select</h1><span class="total">what to label next, and why</span></div>
    <div class="view-body select"><${NewRun} params=${params} /><${Runs} /></div>`;
}

/** @param {{params: URLSearchParams}} props */
function NewRun({ params }) {
  const { data: options, error, reload } = useJson("/api/config/options");
  if (error) return html`<section class="panel"><${Failed} error=${error} retry=${reload} /></section>`;
  if (!options) return html`<section class="panel"><${Loading} /></section>`;
  const text = params.get("config") ?? JSON.stringify(firstTree(options, [...tasks.value.keys()]));
  return html`<${RunForm} params=${params} options=${options} text=${text} />`;
}

/** @param {{params: URLSearchParams, options: import("../config.js").ConfigOptions, text: string}} props */
function RunForm({ params, options, text }) {
  const check = useConfigCheck(text);
  const needsThem = check.config !== null && duplicatesOf(check.config) !== false;
  const { data: embeddings, error: notTold } = useEmbeddings(needsThem);
  const title = params.get("title") ?? "", hand = handOf(params, NOTHING);
  const conditions = filterOf(params);
  const isChecked = check.checked === text;
  const isRunnable = isChecked && check.faults.length === 0 && (!needsThem || notTold !== null || embeddings?.missing === 0);
  const { isBusy, error, start } = useOnce(async () => {
    const request = { config: check.yaml ?? text, title, filter: params.get("filter") ?? "[]", pool: params.get("pool"), embeddings: params.get("embeddings"), ...hand };
    const job = await send("POST", "/api/selections", request);
    remember(job);
    go(href("/select", { run: job.id }));
  });
  const [wanted, setWanted] = useState(false);
  useEffect(() => {
    if (!wanted || !isChecked) return; // pressed right after the last change, which leaving its field has only just told
    setWanted(false);
    if (isRunnable) start();
  }, [wanted, isChecked]);
  const press = (/** @type {any} */ event) => {
    const refused = event.currentTarget.closest("section").querySelector("input[aria-invalid='true']"); // typed last, and not taken
    if (refused) refused.focus();
    else setWanted(true);
  };
  return html`
    <section class="panel new-run" aria-label="New selection">
      <${ConfigForm} text=${text} options=${options} check=${check} near=${embeddings?.near ?? null} onText=${(/** @type {string} */ config) => change({ config }, { replace: true })} />
      <div class="fields">
        ${options.pools.length > 0 && html`<${Choice} label="Already selected (a pool)" value=${params.get("pool") ?? ""} options=${[{ value: "", text: "nothing" }, ...options.pools.map((one) => ({ value: one.name, text: `${one.name}, ${count(one.members)}` }))]} onChange=${(/** @type {string} */ pool) => change({ pool }, { replace: true })} />`}
        ${options.embeddings.length > 0 && html`<${Choice} label="Embeddings" value=${params.get("embeddings") ?? ""} options=${[{ value: "", text: "made from the predictions" }, ...options.embeddings.map((value) => ({ value, text: value }))]} onChange=${(/** @type {string} */ embeddings) => change({ embeddings }, { replace: true })} />`}
        <label class="field"><span>Name of this selection</span><input type="text" value=${title} placeholder="e.g. round 1" maxlength="200" onInput=${(/** @type {any} */ event) => change({ title: event.currentTarget.value }, { replace: true })} /></label>
      </div>
      ${hand.pinned.length + hand.rejected.length > 0 && html`
        <div class="hand-lists" role="group" aria-label="By hand"><${HandLists} hand=${hand} onHand=${(/** @type {import("../parts/by_hand.js").Hand} */ next) => change(handParams(next, NOTHING), { replace: true })} />
          <p class="soft">Pinned samples are picked first, whatever decides; rejected ones are not picked. <button type="button" class="quiet" onClick=${() => change(handParams(NOTHING, NOTHING), { replace: true })}>Drop all</button></p></div>`}
      <${EmbedFirst} state=${embeddings} />
      ${conditions.length > 0 && html`<p class="soft">Only from samples with: ${conditions.map(describe).join("; ")}. <button type="button" class="quiet" onClick=${() => change({ filter: null }, { replace: true })}>From all</button></p>`}
      <${Fault} error=${error} />
      <div class="row"><button type="button" class="primary" disabled=${(isChecked && !isRunnable) || isBusy} onClick=${press}>Select</button>
        ${check.yaml && html`<details class="yaml"><summary>The config as a file</summary><pre tabindex="0" aria-label="Config">${check.yaml}</pre></details>`}</div>
    </section>`;
}

/** Those that were run, newest first. */
function Runs() {
  const states = [...jobs.value.values()].filter((job) => job.kind === "selection").map((job) => `${job.id} ${job.state}`).join();
  const { data, error, reload } = useJson(`/api/selections#${states}`);
  return html`
    <section class="panel runs" aria-label="Selections"><h2>Selections</h2>
      ${error && html`<${Failed} error=${error} retry=${reload} />`}
      ${data?.length === 0 && html`<p class="soft">None yet. What you select is kept here, also when the server is started again.</p>`}
      <ul>${(data ?? []).map((/** @type {SelectionInfo} */ one) => html`<${RunRow} key=${one.job.id} one=${one} />`)}</ul>
    </section>`;
}

/** @param {{one: SelectionInfo}} props */
function RunRow({ one }) {
  const job = jobs.value.get(one.job.id) ?? one.job;
  const said = job.state === "done" && one.n_picked !== null ? `${counted(one.n_picked, "pick")} of ${counted(one.n_candidates ?? 0, "candidate")}` : job.state;
  return html`
    <li><a href=${href("/select", { run: job.id })}><b title=${one.request.title}>${shortened(one.request.title || job.title || job.id)}</b>
      <span class=${job.state === "failed" ? "severity error" : "soft"}>${said}</span><small class="soft">${moment(job.created)}</small></a></li>`;
}
