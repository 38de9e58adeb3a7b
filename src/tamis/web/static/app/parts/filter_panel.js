// The form that writes the filter: each part shows one kind of condition, with counts of what the filter lets through.

import { html, useState } from "../ui.js";
import { columnLabel, describe, setFilter, taskFilter, withTaskFilter } from "../filters.js";
import { count, counted, words } from "../format.js";
import { useJson } from "../load.js";
import { columns, tasks } from "../store.js";
import { Choice, NumberField, Segmented, TextField } from "./controls.js";
import { Histogram } from "./charts.js";
import { Icon } from "./icons.js";

/** @typedef {import("../filters.js").Condition} Condition */
/** @typedef {import("../wire.js").Counts} Counts */
/** @typedef {import("../wire.js").TaskInfo} TaskInfo */

const FEW = 12; // classes that are listed before somebody asks for all
const MOST = 1_000_000; // predictions of a sample, more than there are

/** What is asked for, each condition with a way to be rid of it. @param {{conditions: Condition[], children?: any}} props */
export function FilterChips({ conditions, children }) {
  if (conditions.length === 0) return null;
  const without = (/** @type {number} */ i) => setFilter(conditions.filter((_, j) => j !== i));
  return html`
    <div class="chips filter-chips" role="group" aria-label="Filter">
      ${conditions.map((one, i) => html`
        <span class="chip"><span title=${describe(one)}>${describe(one)}</span>
          <button type="button" aria-label=${`Remove: ${describe(one)}`} onClick=${() => without(i)}>✕</button></span>`)}
      <button type="button" class="quiet" onClick=${() => setFilter([])}>Clear all</button>
      <span class="spring"></span>${children}
    </div>`;
}

/** @param {{conditions: Condition[], counts: Counts | null}} props */
export function FilterPanel({ conditions, counts }) {
  const text = conditions.find((one) => one.type === "path")?.text ?? "";
  const setPath = (/** @type {string} */ wanted) => setFilter(
    [...conditions.filter((one) => one.type !== "path"), ...(wanted ? [{ type: "path", text: wanted }] : [])], { replace: true },
  );
  return html`
    <form class="filters" aria-label="Filter" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${TextField} label="Name has" value=${text} onChange=${setPath} placeholder="part of a path" search />
      ${[...tasks.value.values()].map((task) => html`<${TaskPart} key=${task.name} task=${task} conditions=${conditions} counts=${counts} />`)}
      <${ColumnParts} conditions=${conditions} />
      <${SetParts} conditions=${conditions} />
    </form>`;
}

/** Classes, scores and numbers of a task's predictions. @param {{task: TaskInfo, conditions: Condition[], counts: Counts | null}} props */
function TaskPart({ task, conditions, counts }) {
  const wanted = taskFilter(conditions, task.name);
  const [mode, setMode] = useState(wanted.mode);
  const shown = wanted.categories.length > 1 || wanted.mode === "none" ? wanted.mode : mode;
  const set = (/** @type {Partial<import("../filters.js").TaskFilter>} */ change) => setFilter(withTaskFilter(conditions, task.name, { ...wanted, mode: shown, ...change }));
  const inFilter = counts?.tasks.find((one) => one.task === task.name);
  const isScored = task.score_bins.counts.some((n) => n > 0);
  const isUsed = conditions.some((one) => one.type === "predictions" && one.task === task.name);
  return html`
    <details class="filter-part" open=${isUsed || tasks.value.size <= 2}>
      <summary><b>${task.name}</b> <small class="soft">${inFilter ? counted(inFilter.predictions, "prediction") : ""}</small></summary>
      <${Classes} task=${task} inFilter=${inFilter} chosen=${wanted.categories} onChange=${(/** @type {number[]} */ categories) => set({ categories })} />
      <${Segmented} label=${`How the classes of ${task.name} count`} value=${shown}
        options=${[{ value: "any", text: "Any", title: "Samples with any of these classes" }, { value: "all", text: "All", title: "Samples with all of these classes" }, { value: "none", text: "None", title: "Samples with none of these classes" }]}
        onChange=${(/** @type {any} */ value) => { setMode(value); set({ mode: value }); }} />
      ${isScored && html`<${Histogram} label=${`Scores of ${task.name}`} edges=${task.score_bins.edges} counts=${task.score_bins.counts} height=${38}
        onBin=${(/** @type {number} */ low) => set({ score_min: Number(low.toFixed(4)) })} />`}
      ${(isScored || wanted.score_min !== null || wanted.score_max !== null) && html`<div class="pair"><${NumberField} label="Score from" min=${0} max=${1} step=${0.05} value=${wanted.score_min} onChange=${(/** @type {number | null} */ score_min) => set({ score_min })} />
        <${NumberField} label="to" min=${0} max=${1} step=${0.05} value=${wanted.score_max} onChange=${(/** @type {number | null} */ score_max) => set({ score_max })} /></div>`}
      <div class="pair"><${NumberField} label="How many, from" min=${0} max=${MOST} step=${1} value=${wanted.count_min} placeholder="1" onChange=${(/** @type {number | null} */ count_min) => set({ count_min })} />
        <${NumberField} label="to" min=${0} max=${MOST} step=${1} value=${wanted.count_max} onChange=${(/** @type {number | null} */ count_max) => set({ count_max })} /></div>
    </details>`;
}

/**
 * The classes of a task with how often they are predicted; the most frequent first.
 * @param {{task: TaskInfo, inFilter?: Counts["tasks"][0], chosen: number[], onChange: (ids: number[]) => void}} props
 */
export function Classes({ task, inFilter, chosen, onChange }) {
  const [all, setAll] = useState(false);
  const [text, setText] = useState("");
  const now = new Map((inFilter?.categories ?? []).map((one) => [one.id, one.predictions]));
  const sorted = task.categories.toSorted((a, b) => b.predictions - a.predictions || a.id - b.id);
  const found = sorted.filter((one) => (one.predictions > 0 || chosen.includes(one.id) || text) && one.name.toLowerCase().includes(text.toLowerCase()));
  const listed = all || text ? found : found.filter((one, i) => i < FEW || chosen.includes(one.id));
  const toggle = (/** @type {number} */ id, /** @type {boolean} */ on) => onChange(on ? [...chosen, id] : chosen.filter((one) => one !== id));
  return html`
    ${sorted.length > FEW && html`<input type="search" class="class-search" aria-label=${`Search classes of ${task.name}`} placeholder="Search classes" value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} />`}
    <ul class="classes" aria-label=${`Classes of ${task.name}`}>
      ${listed.map((one) => html`
        <li key=${one.id}><label class="check"><input type="checkbox" checked=${chosen.includes(one.id)} onChange=${(/** @type {any} */ event) => toggle(one.id, event.currentTarget.checked)} />
          <i class="swatch" style=${{ background: one.colour }}></i><span class="class-name" title=${one.name}>${one.name}</span>
          <small class="soft">${inFilter ? count(now.get(one.id) ?? 0) : count(one.predictions)}</small></label></li>`)}
    </ul>
    ${found.length > listed.length && html`<button type="button" class="quiet more" onClick=${() => setAll(true)}>All ${count(found.length)} classes</button>`}
    ${found.length === 0 && html`<p class="soft">${text ? "No class of that name." : "No predictions."}</p>`}`;
}

/** Scores, metadata and other columns. @param {{conditions: Condition[]}} props */
function ColumnParts({ conditions }) {
  const [added, setAdded] = useState("");
  const mine = conditions.filter((one) => one.type === "number" || one.type === "label").map((one) => one.column);
  const shown = [...new Set([...mine, ...(added ? [added] : [])])];
  const options = columns.value.filter((one) => one.kind !== "text" && !shown.includes(one.id))
    .map((one) => ({ value: one.id, text: words(one.label), group: one.group === "sample" ? "Sample" : one.group === "metadata" ? "Metadata" : one.group }));
  return html`
    ${shown.map((id) => html`<${ColumnPart} key=${id} id=${id} conditions=${conditions} />`)}
    <${Choice} label="Filter by a score, metadata or other column" value="" options=${[{ value: "", text: "Choose a column …" }, ...options]} onChange=${setAdded} />`;
}

/** @param {{id: string, conditions: Condition[]}} props */
function ColumnPart({ id, conditions }) {
  const column = columns.value.find((one) => one.id === id);
  const mine = conditions.find((one) => (one.type === "number" || one.type === "label") && one.column === id);
  const others = conditions.filter((one) => one !== mine);
  const { data } = useJson(column?.kind === "number" ? `/api/histogram?${new URLSearchParams({ column: id, bins: "30", filter: JSON.stringify(others) })}` : null);
  if (!column) return null;
  const setRange = (/** @type {Record<string, number | null>} */ change) => {
    const next = { min: mine?.min ?? null, max: mine?.max ?? null, ...change };
    const limits = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== null));
    setFilter(Object.keys(limits).length ? [...others, { type: "number", column: id, ...limits }] : others);
  };
  const chosen = mine?.values ?? [];
  const setValues = (/** @type {(string | null)[]} */ values) => setFilter(values.length ? [...others, { type: "label", column: id, values }] : others);
  const toggle = (/** @type {string | null} */ value, /** @type {boolean} */ on) => setValues(on ? [...chosen, value] : chosen.filter((/** @type {any} */ one) => one !== value));
  return html`
    <fieldset class="filter-part"><legend><b>${columnLabel(id)}</b></legend>
      ${column.kind === "number" && html`
        ${data && data.counts.length > 0 && html`<${Histogram} label=${columnLabel(id)} edges=${data.edges} counts=${data.counts} height=${38} onBin=${(/** @type {number} */ min, /** @type {number} */ max) => setRange({ min, max })} />`}
        <div class="pair"><${NumberField} label="From" value=${mine?.min ?? null} onChange=${(/** @type {number | null} */ min) => setRange({ min })} />
          <${NumberField} label="to" value=${mine?.max ?? null} onChange=${(/** @type {number | null} */ max) => setRange({ max })} /></div>`}
      ${column.kind === "label" && html`
        <ul class="classes" aria-label=${columnLabel(id)}>
          ${column.values.map(([value, n]) => html`<li key=${value}><label class="check"><input type="checkbox" checked=${chosen.includes(value)} onChange=${(/** @type {any} */ event) => toggle(value, event.currentTarget.checked)} />
            <span class="class-name">${value}</span><small class="soft">${count(n)}</small></label></li>`)}
          ${column.unknown > 0 && html`<li><label class="check"><input type="checkbox" checked=${chosen.includes(null)} onChange=${(/** @type {any} */ event) => toggle(null, event.currentTarget.checked)} /><span class="class-name soft">unknown</span><small class="soft">${count(column.unknown)}</small></label></li>`}
        </ul>`}
    </fieldset>`;
}

/** Problems, selections, pools and tags. @param {{conditions: Condition[]}} props */
function SetParts({ conditions }) {
  const { data: report } = useJson("/api/problems");
  const { data: selections } = useJson("/api/selections");
  const { data: pools } = useJson("/api/pools");
  const { data: tags } = useJson("/api/tags");
  const choose = (/** @type {string} */ type, /** @type {Condition | null} */ wanted) => setFilter([...conditions.filter((one) => one.type !== type), ...(wanted ? [wanted] : [])]);
  const problem = conditions.find((one) => one.type === "problem");
  const codes = [...new Set((report?.problems ?? []).map((/** @type {any} */ group) => group.code))];
  const selection = conditions.find((one) => one.type === "selection");
  const files = conditions.filter((one) => one.type === "file");
  const named = (/** @type {string} */ label, /** @type {string} */ type, /** @type {{name: string, members: number}[] | null} */ all) => all !== null && all.length > 0 && html`
    <${Choice} label=${label} value=${conditions.find((one) => one.type === type)?.name ?? ""}
      options=${[{ value: "", text: "Whatever" }, ...all.map((one) => ({ value: one.name, text: `${one.name} (${count(one.members)})` }))]}
      onChange=${(/** @type {string} */ name) => choose(type, name ? { type, name } : null)} />`;
  return html`
    <${Choice} label="Problem" value=${problem ? (problem.code ?? problem.severity ?? "any") : ""}
      options=${[{ value: "", text: "Whatever" }, { value: "any", text: "Any problem" }, { value: "error", text: "Any error" }, { value: "warning", text: "Any warning" }, ...codes.map((code) => ({ value: code, text: code, group: "Code" }))]}
      onChange=${(/** @type {string} */ value) => choose("problem", value === "" ? null : value === "any" ? { type: "problem" } : ["error", "warning"].includes(value) ? { type: "problem", severity: value } : { type: "problem", code: value })} />
    ${(selections?.length ?? 0) > 0 && html`<${Choice} label="Selection" value=${selection?.id ?? ""}
      options=${[{ value: "", text: "Whatever" }, ...selections.map((/** @type {any} */ one) => ({ value: one.job.id, text: one.request.title || one.job.id }))]}
      onChange=${(/** @type {string} */ id) => choose("selection", id ? { type: "selection", id } : null)} />`}
    ${named("Pool", "pool", pools)}${named("Tag", "tag", tags)}
    <fieldset class="filter-part plain"><legend class="label">Prediction file</legend>
      ${[...tasks.value.keys()].map((task) => {
        const mine = files.find((one) => one.task === task);
        const set = (/** @type {string} */ value) => setFilter([...conditions.filter((one) => one !== mine), ...(value === "" ? [] : [{ type: "file", task, ...(value === "no" ? { exclude: true } : {}) }])]);
        return html`<div class="file-row"><span title=${task}>${task}</span><${Choice} hideLabel label=${`File of ${task}`} value=${mine ? (mine.exclude ? "no" : "yes") : ""} options=${[{ value: "", text: "Whatever" }, { value: "yes", text: "Has one" }, { value: "no", text: "Has none" }]} onChange=${set} /></div>`;
      })}
    </fieldset>`;
}

/** The button that shows the form where there is no room for it. @param {{open: boolean, onToggle: () => void, active: number}} props */
export const FilterToggle = ({ open, onToggle, active }) => html`
  <button type="button" class="filter-toggle" aria-expanded=${String(open)} onClick=${onToggle}><${Icon} name="filter" />Filter${active > 0 && html` <span class="badge">${active}</span>`}</button>`;

