// All samples, filtered and sorted.

import { html, useMemo, useState } from "../ui.js";
import { BY_NAME, filterOf, hasOrder, keepPlace, listParams, placeIn, setFilter, TOP } from "../filters.js";
import { count, words } from "../format.js";
import { useKeys } from "../keys.js";
import { useJson } from "../load.js";
import { change, href, withValues } from "../router.js";
import { columns, overview, status, tasks, version } from "../store.js";
import { Card } from "../parts/card.js";
import { Choice, ScoreFrom, Segmented } from "../parts/controls.js";
import { FilterChips, FilterPanel, FilterToggle } from "../parts/filter_panel.js";
import { usePages } from "../parts/pages.js";
import { Empty, Failed, Loading } from "../parts/states.js";
import { Virtual } from "../parts/virtual.js";

/** @type {Record<string, number>} */
const SIZES = { s: 130, m: 220, l: 380 };

const SURE = 0.3; // as in the report

/** @param {{params: URLSearchParams}} props */
export function GridView({ params }) {
  const conditions = filterOf(params);
  const list = listParams(params);
  const shownTasks = tasksOf(params);
  const request = useMemo(() => {
    const wanted = new URLSearchParams(list);
    if (params.has("tasks")) wanted.set("tasks", JSON.stringify(shownTasks));
    return wanted;
  }, [list.toString(), params.has("tasks"), shownTasks.join("\n")]);
  const pages = usePages("/api/samples", request, "samples", version.value);
  const counts = useJson(`/api/counts?${new URLSearchParams({ filter: params.get("filter") ?? "[]" })}`);
  const [open, setOpen] = useState(false);
  const labels = params.get("labels") !== "0";
  useKeys({ l: () => change({ labels: labels ? "0" : null }, { replace: true }) });
  return html`
    <div class="view-head">
      <h1>Grid</h1>
      <span class="total" role="status" aria-live="polite">${pages.total === null || pages.error ? "" : totalText(pages.total)}</span>
      <span class="spring"></span>
      <${FilterToggle} open=${open} onToggle=${() => setOpen(!open)} active=${conditions.length} />
      <${SortChoice} params=${params} />
      <${LookChoices} params=${params} shownTasks=${shownTasks} labels=${labels} />
    </div>
    ${status.value?.state === "loading" && html`<p class="notice" role="status">${status.value.message ?? "Predictions are being read"}: boxes and filters come in a moment.</p>`}
    <div class=${open ? "with-filters open" : "with-filters"}>
      <aside class="filter-side"><${FilterPanel} conditions=${conditions} counts=${counts.data} /></aside>
      <div class="grid-side">
        <${FilterChips} conditions=${conditions}>
          <span class="row"><a class="button" href=${href("/select", { filter: params.get("filter") })}>Select from these</a>
            <a class="button" href=${href("/embedding", { filter: params.get("filter") })}>Embedding</a></span>
        <//>
        <${Samples} params=${params} pages=${pages} list=${list} labels=${labels} isFiltered=${conditions.length > 0} />
      </div>
    </div>`;
}

/** @param {number} total */
function totalText(total) {
  const all = Object.values(overview.value?.samples ?? {}).reduce((a, b) => a + b, 0);
  return total === all || all === 0 ? `${count(total)} samples` : `${count(total)} of ${count(all)} samples`;
}

/**
 * Below which score the grid draws nothing: small pictures would vanish behind what the model hardly believes.
 * @param {URLSearchParams} params
 */
function fromOf(params) {
  const wanted = params.get("from");
  if (wanted !== null) return Number(wanted) || 0;
  const asksForWeak = filterOf(params).some((one) => one.type === "predictions" && (one.score_max ?? 1) < SURE);
  const hasSure = tasksOf(params).some((name) => tasks.value.get(name)?.score_bins.counts.some((n, i, all) => n > 0 && i / all.length >= SURE));
  return asksForWeak || !hasSure ? 0 : SURE;
}

/** Names of the tasks that are drawn: those of the address that there are; all where it names none or only such that are gone. @param {URLSearchParams} params @returns {string[]} */
export function tasksOf(params) {
  const wanted = namesIn(params.get("tasks")), all = [...tasks.value.keys()];
  if (wanted === null) return all;
  if (all.length === 0) return wanted; // it is not known yet which there are
  const known = wanted.filter((name) => tasks.value.has(name));
  return known.length === 0 && wanted.length > 0 ? all : known;
}

/** @param {string | null} text @returns {string[] | null} null where nothing is said, or the address was cut short */
function namesIn(text) {
  try {
    const names = JSON.parse(text ?? "null");
    return Array.isArray(names) ? names : null;
  } catch {
    return null;
  }
}

/** @param {{params: URLSearchParams, pages: import("../parts/pages.js").Pages, list: URLSearchParams, labels: boolean, isFiltered: boolean}} props */
function Samples({ params, pages, list, labels, isFiltered }) {
  const back = useWayBack(params, list);
  if (pages.error) {
    return html`
      <${Failed} error=${pages.error} retry=${pages.reload}>
        ${params.has("filter") && html`<button type="button" onClick=${() => setFilter([])}>Clear the filter</button>`}
        ${params.has("sort") && html`<button type="button" onClick=${() => change({ ...BY_NAME, ...TOP })}>Sort by name</button>`}
      <//>`;
  }
  if (pages.total === null) return html`<${Loading} what="Loading samples" />`;
  if (pages.total === 0 && isFiltered) return html`<${Empty} title="Nothing meets this filter"><p>Remove a condition above, or clear all of them.</p><//>`;
  if (pages.total === 0) return html`<${Empty} title="There are no samples"><p>The datasource holds no image or video that tamis knows. See its folder: ${status.value?.source}</p><//>`;
  if (back.isLooking) return html`<${Loading} what="Loading samples" />`;
  const sort = params.get("sort") ?? "";
  const from = fromOf(params);
  const toSample = (/** @type {string} */ key) => href("/sample", withValues(list, { key, tasks: params.get("tasks"), from: params.get("from"), at: params.get("at") }));
  return html`
    <${Virtual} label="Samples" total=${pages.total} first=${back.first} on=${back.on} onPlace=${keepPlace} onSight=${pages.want}
      size=${{ cell: SIZES[params.get("size") ?? "m"] ?? SIZES.m, ratio: 0.75, caption: params.get("size") === "s" ? 22 : 26 }}
      cell=${(/** @type {number} */ i, /** @type {any} */ box) => {
        const card = pages.item(i);
        return html`<${Card} card=${card} box=${box} href=${card ? toSample(card.key) : ""} labels=${labels} from=${from} sortedBy=${sort === "key" ? "" : sort} />`;
      }} />`;
}

/**
 * Where the list begins. Who comes back from a sample names it by its key: where it is now, only the server knows.
 * @param {URLSearchParams} params
 * @param {URLSearchParams} list
 */
function useWayBack(params, list) {
  const key = params.get("key");
  const found = useJson(key && `/api/samples/place?${withValues(list, { key })}`);
  const { first, on } = placeIn(params);
  const sought = key ? (found.data?.place ?? -1) : on;
  return { isLooking: key !== null && found.loading && !found.data, first: params.has("at") ? first : Math.max(0, sought), on: sought };
}

/** @param {{params: URLSearchParams}} props */
export function SortChoice({ params }) {
  const sort = params.get("sort") ?? "key", isDescending = Boolean(params.get("descending"));
  const options = [
    { value: "key", text: "Name" },
    ...(hasOrder(filterOf(params)) ? [{ value: "pick", text: "Order of picks" }] : []),
    ...columns.value.filter((one) => one.id !== "key").map((one) => ({ value: one.id, text: words(one.label), group: one.group === "sample" ? "Sample" : one.group === "metadata" ? "Metadata" : one.group })),
  ];
  const known = options.some((one) => one.value === sort) ? options : [...options, { value: sort, text: sort }]; // a column that is gone
  return html`
    <div class="row sort-row">
      <${Choice} hideLabel label="Sort by" value=${sort} options=${known}
        onChange=${(/** @type {string} */ value) => change({ sort: value === "key" ? null : value, descending: value !== "key" && value !== "pick", ...TOP })} />
      <button type="button" class="icon" aria-label=${isDescending ? "Largest first. Change to smallest first." : "Smallest first. Change to largest first."} title=${isDescending ? "Largest first" : "Smallest first"}
        onClick=${() => change({ descending: !isDescending, ...TOP })}>${isDescending ? "↓" : "↑"}</button>
    </div>`;
}

/** @param {{params: URLSearchParams, shownTasks: string[], labels: boolean}} props */
function LookChoices({ params, shownTasks, labels }) {
  const all = [...tasks.value.keys()];
  const toggle = (/** @type {string} */ task) => {
    const next = all.filter((name) => (name === task ? !shownTasks.includes(name) : shownTasks.includes(name)));
    change({ tasks: next.length === all.length ? null : JSON.stringify(next) }, { replace: true });
  };
  return html`
    <div class="segmented" role="group" aria-label="Tasks that are drawn">
      ${all.map((task) => html`<button type="button" title=${task} aria-pressed=${String(shownTasks.includes(task))} onClick=${() => toggle(task)}>${task}</button>`)}
    </div>
    <${ScoreFrom} from=${fromOf(params)} onChange=${(/** @type {number} */ from) => change({ from }, { replace: true })} />
    <button type="button" aria-pressed=${String(labels)} title="Labels (l)" onClick=${() => change({ labels: labels ? "0" : null }, { replace: true })}>Labels</button>
    <${Segmented} label="Size of the pictures" value=${params.get("size") ?? "m"} options=${[{ value: "s", text: "S" }, { value: "m", text: "M" }, { value: "l", text: "L" }]}
      onChange=${(/** @type {string} */ size) => change({ size: size === "m" ? null : size }, { replace: true })} />`;
}
