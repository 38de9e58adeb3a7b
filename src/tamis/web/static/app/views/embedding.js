// Samples or objects as points: what lies near is alike.

import { html, useEffect, useMemo, useRef, useState } from "../ui.js";
import { getJson, request, send } from "../api.js";
import { filterOf, setFilter } from "../filters.js";
import { count, counted, number, percent, words } from "../format.js";
import { useKeys } from "../keys.js";
import { useJson } from "../load.js";
import { cropAddress, pictureAddress } from "../marks.js";
import { change, go, href } from "../router.js";
import { columns, columnsById, jobs, remember, status, tasks } from "../store.js";
import { Choice, Fault, StartButton, useOnce } from "../parts/controls.js";
import { FilterChips } from "../parts/filter_panel.js";
import { Plot } from "../parts/plot.js";
import { Prose } from "../parts/prose.js";
import { Work } from "../parts/shell.js";
import { Empty, Failed, Loading } from "../parts/states.js";

/** @typedef {import("../wire.js").PlotInfo} PlotInfo */
/** @typedef {import("../wire.js").Legend} Legend */
/** @typedef {import("../parts/plot.js").PlotData} PlotData */

const SOON_DONE = 100_000; // samples that are laid out without asking

/** @param {{params: URLSearchParams}} props */
export function EmbeddingView({ params }) {
  const finished = [...jobs.value.values()].filter((job) => job.kind === "plot").map((job) => job.state).join();
  const { data, error, reload } = useJson(`/api/plots#${finished}`);
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  const plots = /** @type {PlotInfo[]} */ (data);
  const plot = plots.find((one) => one.space === params.get("space")) ?? plots[0];
  if (!plot) return html`<${Empty} title="There is nothing to plot"><p>There are neither embeddings nor predictions, from which vectors could be made. <code>tamis embed</code> makes embeddings of the images.</p><//>`;
  return html`<${Space} key=${plot.space} params=${params} plots=${plots} plot=${plot} />`;
}

/** @param {{params: URLSearchParams, plots: PlotInfo[], plot: PlotInfo}} props */
function Space({ params, plots, plot }) {
  const by = params.get("by") ?? defaultColour(plot);
  const conditions = filterOf(params);
  const points = usePoints(plot);
  const colours = useColours(plot, by, points.data);
  const marked = useMarked(params.get("filter"), points.data);
  const [tool, setTool] = useState(/** @type {"move" | "lasso"} */ ("lasso"));
  useKeys({ m: () => setTool("move"), s: () => setTool("lasso") });
  const onLasso = (/** @type {[number, number][]} */ polygon) => setFilter([...conditions.filter((one) => one.type !== "lasso"), { type: "lasso", space: plot.space, version: plot.version, polygon }]);
  const nMarked = marked ? marked.reduce((sum, one) => sum + one, 0) : null;
  return html`
    <div class="view-head">
      <h1>Embedding</h1><span class="total" role="status">${points.data ? `${counted(points.data.x.length, plot.of === "samples" ? "sample" : "object")}${nMarked === null ? "" : `, ${count(nMarked)} in the filter`}` : ""}</span><span class="spring"></span>
      ${plots.length > 1 && html`<${Choice} hideLabel label="What the points are" value=${plot.space} options=${plots.map((one) => ({ value: one.space, text: one.label }))} onChange=${(/** @type {string} */ space) => change({ space, by: null })} />`}
      <${Choice} hideLabel label="Colour by" value=${by} options=${colourOptions(plot)} onChange=${(/** @type {string} */ value) => change({ by: value }, { replace: true })} />
      <div class="segmented" role="group" aria-label="What dragging does">
        <button type="button" title="Select (s)" aria-pressed=${String(tool === "lasso")} onClick=${() => setTool("lasso")}>Lasso</button>
        <button type="button" title="Move (m)" aria-pressed=${String(tool === "move")} onClick=${() => setTool("move")}>Move</button>
      </div>
      ${conditions.length > 0 && html`<a class="button primary" href=${href("/grid", { filter: params.get("filter") })}>Show in the grid</a>`}
    </div>
    <div class="embedding">
      <${FilterChips} conditions=${conditions} />
      <${PlotState} plot=${plot} points=${points}>
        ${points.data && html`<${Plot} data=${{ ...points.data, colour: colours.bytes }} palette=${colours.palette} marked=${marked} tool=${tool} onLasso=${onLasso}
          label=${`${plot.label}, coloured by ${by}`} onOpen=${(/** @type {number} */ i) => open(plot, /** @type {PlotData} */ (points.data).ids[i])} hint=${(/** @type {number} */ i) => html`<${Hint} plot=${plot} id=${/** @type {PlotData} */ (points.data).ids[i]} />`} />
          <${LegendBox} plot=${plot} by=${by} legend=${colours.legend} />`}
      <//>
    </div>`;
}

/** @param {PlotInfo} plot */
function defaultColour(plot) {
  if (plot.of !== "samples") return "category";
  const known = columns.value.filter((one) => one.kind === "number" && 2 * one.unknown <= (status.value?.samples ?? 0));
  return (known.find((one) => one.id.endsWith("uncertainty_entropy")) ?? known[0])?.id ?? "key";
}

/** @param {PlotInfo} plot */
function colourOptions(plot) {
  const own = plot.of === "samples" ? [] : [{ value: "category", text: "Class" }, { value: "score", text: "Score" }];
  return [...own, ...columns.value.filter((one) => one.kind !== "text").map((one) => ({ value: one.id, text: words(one.label), group: one.group === "sample" ? "Sample" : one.group === "metadata" ? "Metadata" : one.group }))];
}

/** @param {PlotInfo} plot @param {number} id */
async function open(plot, id) {
  const point = await getJson(`/api/plots/point?${new URLSearchParams({ space: plot.space, point: String(id) })}`);
  go(href("/sample", { key: point.key, object: point.position === null ? null : `${point.position}:${plot.of}` }));
}

/** Start what makes a plot. @param {PlotInfo} plot */
const layOut = (plot) => send("POST", "/api/plots", { space: plot.space }).then(remember);

/** What there is to see before the points are there. @param {{plot: PlotInfo, points: any, children?: any}} props */
function PlotState({ plot, points, children }) {
  const { isBusy, error, start: make } = useOnce(() => layOut(plot));
  const job = plot.job ? jobs.value.get(plot.job) : undefined;
  const failed = error ?? (job?.state === "failed" ? job : null);
  const isSoonDone = plot.of === "samples" && (status.value?.samples ?? 0) <= SOON_DONE;
  const asked = useRef(false);
  useEffect(() => {
    if (plot.state !== "missing" || !isSoonDone || failed || job || asked.current) return;
    asked.current = true;
    make();
  }, [plot.state]);
  if (job?.state === "running") return html`<${Empty} title="Laying out the points"><div class="wide-work"><${Work} job=${job} /></div><//>`;
  if (plot.state !== "ready") {
    return html`
      <${Empty} title="Not laid out yet">
        <p>${plot.label}: vectors are made${plot.origin ? ` from ${plot.origin}` : ""} and laid out by their principal components. It is done once for each scan.</p>
        <p><button type="button" class="primary" disabled=${isBusy} onClick=${() => make()}>Lay out</button></p>
        <${Fault} error=${failed} />
      <//>`;
  }
  if (points.error) return html`<${Failed} error=${points.error} />`;
  if (!points.data) return html`<${Loading} what="Loading points" />`;
  return children;
}

/** The points that have a place. @param {PlotInfo} plot */
function usePoints(plot) {
  const [state, setState] = useState(/** @type {{data: PlotData | null, error: any}} */ ({ data: null, error: null }));
  useEffect(() => {
    if (plot.state !== "ready") return undefined;
    const abort = new AbortController(), query = new URLSearchParams({ space: plot.space });
    const load = async () => {
      const raw = new Uint16Array(await (await request(`/api/plots/points?${query}`, { signal: abort.signal })).arrayBuffer());
      const owners = plot.of === "samples" ? null : new Uint32Array(await (await request(`/api/plots/owners?${query}`, { signal: abort.signal })).arrayBuffer());
      setState({ data: placed(raw, owners), error: null });
    };
    load().catch((error) => { if (!abort.signal.aborted) setState({ data: null, error }); });
    return () => abort.abort();
  }, [plot.space, plot.state, plot.version, status.value?.snapshot]);
  return state;
}

/** @param {Uint16Array} raw x, y, x, y, ...; 65535 where there is no place @param {Uint32Array | null} owners @returns {PlotData} */
function placed(raw, owners) {
  const n = raw.length / 2, ids = new Uint32Array(n), x = new Uint16Array(n), y = new Uint16Array(n), samples = new Uint32Array(n);
  let kept = 0;
  for (let i = 0; i < n; i += 1) {
    if (raw[2 * i] === 65535 && raw[2 * i + 1] === 65535) continue;
    ids[kept] = i;
    x[kept] = raw[2 * i];
    y[kept] = raw[2 * i + 1];
    samples[kept] = owners ? owners[i] : i;
    kept += 1;
  }
  return { ids: ids.slice(0, kept), x: x.slice(0, kept), y: y.slice(0, kept), samples: samples.slice(0, kept) };
}

/** A byte a point, and what the bytes mean. @param {PlotInfo} plot @param {string} by @param {PlotData | null} data */
function useColours(plot, by, data) {
  const query = new URLSearchParams({ space: plot.space, by }).toString();
  const [state, setState] = useState(/** @type {{bytes: Uint8Array | null, legend: Legend | null, query: string}} */ ({ bytes: null, legend: null, query: "" }));
  useEffect(() => {
    if (!data) return undefined;
    const abort = new AbortController();
    const load = async () => {
      const [raw, legend] = await Promise.all([
        request(`/api/plots/colours?${query}`, { signal: abort.signal }).then((response) => response.arrayBuffer()),
        getJson(`/api/plots/legend?${query}`, { signal: abort.signal }),
      ]);
      const all = new Uint8Array(raw);
      setState({ bytes: Uint8Array.from(data.ids, (id) => all[id]), legend, query });
    };
    load().catch(() => { if (!abort.signal.aborted) setState({ bytes: null, legend: null, query }); });
    return () => abort.abort();
  }, [query, data]);
  return { bytes: state.bytes, legend: state.legend, palette: state.legend };
}

/** Which points the filter lets through. @param {string | null} filter @param {PlotData | null} data */
function useMarked(filter, data) {
  const [numbers, setNumbers] = useState(/** @type {Uint32Array | null} */ (null));
  useEffect(() => {
    setNumbers(null);
    if (!filter || !data) return undefined;
    const abort = new AbortController();
    request(`/api/samples/numbers?${new URLSearchParams({ filter })}`, { signal: abort.signal }).then((response) => response.arrayBuffer())
      .then((raw) => setNumbers(new Uint32Array(raw)), () => {});
    return () => abort.abort();
  }, [filter, data, status.value?.snapshot]); // a lasso means other samples when its plot is made again
  return useMemo(() => {
    if (!numbers || !data) return null;
    const most = data.samples.reduce((a, b) => Math.max(a, b), 0), isIn = new Uint8Array(most + 1);
    for (const one of numbers) if (one <= most) isIn[one] = 1;
    return Uint8Array.from(data.samples, (sample) => isIn[sample]);
  }, [numbers, data]);
}

/** What a point stands for. @param {{plot: PlotInfo, id: number}} props */
function Hint({ plot, id }) {
  const { data } = useJson(`/api/plots/point?${new URLSearchParams({ space: plot.space, point: String(id) })}`);
  if (!data) return html`<div class="hint-picture"></div>`;
  const category = data.category === null ? null : tasks.value.get(plot.of)?.byId.get(data.category);
  return html`
    <img class="hint-picture" alt="" src=${data.position === null ? pictureAddress(data.key, 320) : cropAddress(data.key, plot.of, data.position, 160)} />
    <p>${category && html`<b>${category.name}</b> `}<span class="soft">${data.key}</span></p>`;
}

/** @param {{plot: PlotInfo, by: string, legend: Legend | null}} props */
function LegendBox({ plot, by, legend }) {
  const shown = plot.explained ? ` · ${percent(plot.explained[0] + plot.explained[1])} of the variance` : "";
  return html`
    <div class="plot-legend">
      ${legend?.kind === "number" && html`<div class="ramp"><span>${number(legend.min)}</span><i class="ramp-bar"></i><span>${number(legend.max)}</span></div>`}
      ${(columnsById.value.get(by)?.unknown ?? 0) > 0 && html`<p class="soft">Grey: unknown</p>`}
      ${legend?.kind === "label" && html`<details open><summary>${counted(legend.labels.length, "colour")}</summary><ul>${legend.labels.slice(0, 24).map(([text, colour]) => html`<li><i class="swatch" style=${{ background: colour }}></i>${text}</li>`)}${legend.labels.length > 24 && html`<li class="soft">${legend.labels.length - 24} more</li>`}</ul></details>`}
      <p class="soft"><${Prose} text=${plot.origin} />${shown}</p>
      ${plot.is_stale && html`<p class="notice">Embeddings were added since. <${StartButton} class="quiet" work=${() => layOut(plot)}>Lay out again<//></p>`}
    </div>`;
}
