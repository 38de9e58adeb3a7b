// Predicted objects, cut out of their pictures.

import { html, useMemo, useState } from "../ui.js";
import { filterOf, keepPlace, placeIn, TOP } from "../filters.js";
import { count, counted, number, words } from "../format.js";
import { cropAddress, sideFor } from "../marks.js";
import { change, href, place } from "../router.js";
import { categoryOf, tasks, version } from "../store.js";
import { Choice, NumberField, Segmented } from "../parts/controls.js";
import { Classes, FilterChips, FilterToggle } from "../parts/filter_panel.js";
import { Histogram } from "../parts/charts.js";
import { useJson } from "../load.js";
import { usePages } from "../parts/pages.js";
import { Empty, Failed, Loading } from "../parts/states.js";
import { Virtual } from "../parts/virtual.js";

/** @typedef {import("../wire.js").ObjectCard} ObjectCard */

/** @type {Record<string, number>} */
const SIZES = { s: 90, m: 140, l: 240 };

/** @param {{params: URLSearchParams}} props */
export function ObjectsView({ params }) {
  const withObjects = [...tasks.value.values()].filter((task) => task.has_boxes || task.has_keypoints || (task.has_masks && task.summary.task_type !== "semantic-segmentation"));
  const task = withObjects.find((one) => one.name === params.get("task")) ?? withObjects[0];
  if (!task) return html`<div class="view-head"><h1>Objects</h1></div><${Empty} title="No task predicts objects"><p>Detections, instances and keypoints are objects; <a href="/grid">the grid</a> shows the others.</p><//>`;
  return html`<${Objects} params=${params} task=${task} choices=${withObjects.map((one) => one.name)} />`;
}

/** @param {{params: URLSearchParams, task: import("../wire.js").TaskInfo, choices: string[]}} props */
function Objects({ params, task, choices }) {
  const [open, setOpen] = useState(false);
  const conditions = filterOf(params);
  const categories = readIds(params.get("categories"));
  const sort = params.get("sort") ?? "score", isDescending = params.get("ascending") !== "1";
  const scoreMin = readNumber(params.get("score_min")), scoreMax = readNumber(params.get("score_max"));
  const request = useMemo(() => {
    const wanted = new URLSearchParams({ task: task.name, sort, descending: String(isDescending) });
    if (params.get("filter")) wanted.set("filter", String(params.get("filter")));
    if (categories.length) wanted.set("categories", JSON.stringify(categories));
    if (scoreMin !== null) wanted.set("score_min", String(scoreMin));
    if (scoreMax !== null) wanted.set("score_max", String(scoreMax));
    return wanted;
  }, [params.toString(), task.name]);
  const pages = usePages("/api/objects", request, "objects", version.value);
  const counts = useJson(conditions.length ? `/api/counts?${new URLSearchParams({ filter: params.get("filter") ?? "[]" })}` : null);
  const inFilter = counts.data?.tasks.find((/** @type {any} */ one) => one.task === task.name);
  const active = categories.length + conditions.length + (scoreMin === null ? 0 : 1) + (scoreMax === null ? 0 : 1);
  const set = (/** @type {Record<string, any>} */ values) => change({ ...values, ...TOP });
  return html`
    <div class="view-head">
      <h1>Objects</h1><span class="total" role="status" aria-live="polite">${pages.total === null ? "" : counted(pages.total, "object")}</span><span class="spring"></span>
      <${FilterToggle} open=${open} onToggle=${() => setOpen(!open)} active=${active} />
      ${choices.length > 1 && html`<${Segmented} label="Task" value=${task.name} options=${choices.map((name) => ({ value: name, text: name }))} onChange=${(/** @type {string} */ name) => set({ task: name, categories: null, sort: null })} />`}
      <div class="row sort-row">
        <${Choice} hideLabel label="Sort by" value=${sort} options=${[...new Set([...task.prediction_scores, "key"])].map((name) => ({ value: name, text: name === "key" ? "Name" : words(name) }))} onChange=${(/** @type {string} */ value) => set({ sort: value })} />
        <button type="button" class="icon" aria-label=${isDescending ? "Largest first. Change to smallest first." : "Smallest first. Change to largest first."} onClick=${() => set({ ascending: isDescending })}>${isDescending ? "↓" : "↑"}</button>
      </div>
      <${Segmented} label="Size of the pictures" value=${params.get("size") ?? "m"} options=${[{ value: "s", text: "S" }, { value: "m", text: "M" }, { value: "l", text: "L" }]} onChange=${(/** @type {string} */ size) => change({ size: size === "m" ? null : size }, { replace: true })} />
    </div>
    <div class=${open ? "with-filters open" : "with-filters"}>
      <aside class="filter-side"><form class="filters" aria-label="Filter of objects" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
        <fieldset class="filter-part"><legend><b>Classes</b></legend><${Classes} task=${task} inFilter=${inFilter} chosen=${categories} onChange=${(/** @type {number[]} */ ids) => set({ categories: ids.length ? JSON.stringify(ids) : null })} /></fieldset>
        <fieldset class="filter-part"><legend><b>Score</b></legend>
          <${Histogram} label="Scores" edges=${task.score_bins.edges} counts=${task.score_bins.counts} height=${38} onBin=${(/** @type {number} */ low) => set({ score_min: Number(low.toFixed(4)) })} />
          <div class="pair"><${NumberField} label="From" min=${0} max=${1} step=${0.05} value=${scoreMin} onChange=${(/** @type {number | null} */ value) => set({ score_min: value })} />
            <${NumberField} label="to" min=${0} max=${1} step=${0.05} value=${scoreMax} onChange=${(/** @type {number | null} */ value) => set({ score_max: value })} /></div></fieldset>
        ${active > 0 && html`<button type="button" class="quiet" onClick=${() => set({ categories: null, score_min: null, score_max: null, filter: null })}>Clear all</button>`}
      </form></aside>
      <div class="grid-side">
        <${FilterChips} conditions=${conditions} />
        <${Crops} params=${params} pages=${pages} task=${task} sort=${sort} isFiltered=${active > 0} />
      </div>
    </div>`;
}

/** @param {{params: URLSearchParams, pages: import("../parts/pages.js").Pages, task: import("../wire.js").TaskInfo, sort: string, isFiltered: boolean}} props */
function Crops({ params, pages, task, sort, isFiltered }) {
  if (pages.error) return html`<${Failed} error=${pages.error} retry=${pages.reload} />`;
  if (pages.total === null) return html`<${Loading} what="Loading objects" />`;
  if (pages.total === 0) return html`<${Empty} title=${isFiltered ? "No object meets this filter" : "No objects"}><p>${isFiltered ? "Choose other classes or scores." : `The files of ${task.name} hold no prediction.`}</p><//>`;
  return html`
    <${Virtual} label="Objects" total=${pages.total} ...${placeIn(params)} onPlace=${keepPlace} onSight=${pages.want} size=${{ cell: SIZES[params.get("size") ?? "m"] ?? SIZES.m, ratio: 1, caption: 26 }}
      cell=${(/** @type {number} */ i, /** @type {any} */ box) => html`<${Crop} one=${pages.item(i)} box=${box} task=${task.name} filter=${params.get("filter")} sort=${sort} />`} />`;
}

/** @param {{one: ObjectCard | undefined, box: {width: number, height: number}, task: string, filter: string | null, sort: string}} props */
function Crop({ one, box, task, filter, sort }) {
  const [fault, setFault] = useState(false);
  if (!one) return html`<div class="card waiting"><div class="card-picture" style=${{ height: `${box.height}px` }}></div></div>`;
  const category = categoryOf(task, one.category);
  const name = category?.name ?? String(one.category), score = one.score === null ? "" : one.score.toFixed(2);
  const value = sort === "score" || sort === "key" || one.value === null ? score : number(one.value);
  return html`
    <a class="card crop" href=${href("/sample", { key: one.key, object: `${one.position}:${task}`, tasks: JSON.stringify([task]), filter, objects: place.peek().params.toString() })}>
      <span class="card-picture" style=${{ height: `${box.height}px` }}>
        ${fault ? html`<span class="card-fault">No picture</span>` : html`<img key=${`${one.key} ${one.position}`} class="fit" alt="" decoding="async" draggable=${false} src=${cropAddress(one.key, task, one.position, sideFor(box.width))} onError=${() => setFault(true)} />`}
      </span>
      <span class="card-name"><i class="swatch" style=${{ background: category?.colour }}></i>${name}</span><span class="card-value">${value}</span>
      <span class="visually-hidden">, object ${count(one.position)} of ${one.key}</span>
    </a>`;
}

/** @param {string | null} text @returns {number[]} */
function readIds(text) {
  try {
    const ids = JSON.parse(text ?? "[]");
    return Array.isArray(ids) ? ids.filter(Number.isInteger) : [];
  } catch {
    return [];
  }
}

/** @param {string | null} text */
const readNumber = (text) => (text === null || text === "" || Number.isNaN(Number(text)) ? null : Number(text));
