// The predictions of a task on one sample, as a list that goes with the overlay.

import { html, useEffect, useRef, useState } from "../ui.js";
import { isSame } from "../draw/overlay.js";
import { categoryColour } from "../colours.js";
import { count, counted, number, words } from "../format.js";
import { tasks } from "../store.js";

/** @typedef {import("../draw/overlay.js").MarkRef} MarkRef */
/** @typedef {import("../wire.js").Prediction} Prediction */

const FIRST = 100;
const LIKELIEST = 8;

/**
 * @param {{task: import("../wire.js").TaskOfSample, from: number, active: MarkRef | null, onPick: (ref: MarkRef | null) => void, onHover: (ref: MarkRef | null) => void}} props
 */
export function ObjectList({ task, from, active, onPick, onHover }) {
  const [all, setAll] = useState(false);
  const shown = task.predictions.filter((one) => (one.score ?? 1) >= from).toSorted((a, b) => (b.score ?? 1) - (a.score ?? 1) || a.position - b.position);
  const hidden = task.predictions.length - shown.length;
  const listed = all ? shown : shown.filter((one, i) => i < FIRST || isActive(task.task, one, active));
  return html`
    <section class="task-section">
      <h2>${task.task} <small class="soft">${task.file ? counted(task.predictions.length, "prediction") : ""}</small></h2>
      ${!task.file && html`<p class="soft">No prediction file: it is unknown what is on this picture.</p>`}
      ${task.file && !task.valid && html`<p class="severity error">The file could not be used. See its problems below.</p>`}
      ${task.file && task.valid && task.predictions.length === 0 && html`<p class="soft">The model found nothing.</p>`}
      <${SampleScores} scores=${task.scores} />
      <ul class="objects" onMouseLeave=${() => onHover(null)}>
        ${listed.map((one) => html`<${ObjectRow} key=${one.position} task=${task.task} one=${one} isOpen=${isActive(task.task, one, active)} onPick=${onPick} onHover=${onHover} />`)}
      </ul>
      ${shown.length > listed.length && html`<button type="button" class="quiet" onClick=${() => setAll(true)}>All ${count(shown.length)}</button>`}
      ${hidden > 0 && html`<p class="soft">${counted(hidden, "prediction")} below the score shown.</p>`}
    </section>`;
}

/** @param {string} task @param {Prediction} one @param {MarkRef | null} active */
const isActive = (task, one, active) => active !== null && isSame(active, { task, position: one.position });

/** @param {{scores: Record<string, number | null>}} props */
function SampleScores({ scores }) {
  const entries = Object.entries(scores);
  if (entries.length === 0) return null;
  return html`<dl class="sample-scores">${entries.map(([name, value]) => html`<div><dt>${words(name)}</dt><dd>${number(value)}</dd></div>`)}</dl>`;
}

/**
 * @param {{task: string, one: Prediction, isOpen: boolean, onPick: (ref: MarkRef | null) => void, onHover: (ref: MarkRef | null) => void}} props
 */
function ObjectRow({ task, one, isOpen, onPick, onHover }) {
  const row = useRef(/** @type {HTMLLIElement | null} */ (null));
  const ref = { task, position: one.position };
  const score = one.score ?? null;
  useEffect(() => { if (isOpen) row.current?.scrollIntoView({ block: "nearest" }); }, [isOpen]);
  return html`
    <li ref=${row} class=${isOpen ? "open" : ""}>
      <button type="button" class="object" aria-expanded=${String(isOpen)} onMouseEnter=${() => onHover(ref)} onClick=${() => onPick(isOpen ? null : ref)}>
        <i class="swatch" style=${{ background: categoryColour(one.category_id) }}></i>
        <span class="object-name">${one.category}</span>
        <span class="object-bar">${score !== null && html`<b style=${{ width: `${100 * score}%` }}></b>`}</span>
        <span class="object-score">${score === null ? ownProbability(task, one) : score.toFixed(3)}</span>
      </button>
      ${isOpen && html`<${ObjectDetail} task=${task} one=${one} />`}
    </li>`;
}

/** The probability of the class itself, where there is no score. @param {string} task @param {Prediction} one */
function ownProbability(task, one) {
  const at = tasks.value.get(task)?.categories.findIndex((category) => category.id === one.category_id) ?? -1;
  return one.probabilities?.[at]?.toFixed(3) ?? "";
}

/** @param {{task: string, one: Prediction}} props */
function ObjectDetail({ task, one }) {
  const own = Object.entries(one.scores ?? {});
  return html`
    <div class="object-detail">
      ${one.probabilities && html`<${Probabilities} task=${task} values=${one.probabilities} chosen=${one.category_id} />`}
      <dl class="facts-list">
        <div><dt>place in the file</dt><dd>${one.position}</dd></div>
        ${one.bbox && html`<div><dt>box (x, y, width, height)</dt><dd>${one.bbox.map((value) => Number(value.toFixed(2))).join(", ")}</dd></div>`}
        ${one.mask && html`<div><dt>mask</dt><dd>${count(one.mask.reduce((sum, run, i) => sum + (i % 2 ? run : 0), 0))} px</dd></div>`}
        ${own.map(([name, value]) => html`<div><dt>${words(name)}</dt><dd>${number(value)}</dd></div>`)}
      </dl>
      ${one.keypoints && html`<${Keypoints} task=${task} one=${one} />`}
    </div>`;
}

/** The likeliest classes as bars. @param {{task: string, values: number[], chosen: number}} props */
export function Probabilities({ task, values, chosen }) {
  const categories = tasks.value.get(task)?.categories ?? [];
  const sorted = values.map((value, i) => ({ value, category: categories[i] })).toSorted((a, b) => b.value - a.value);
  const rest = sorted.slice(LIKELIEST).reduce((sum, one) => sum + one.value, 0);
  return html`
    <ul class="probabilities" aria-label="Probabilities of the classes">
      ${sorted.slice(0, LIKELIEST).map(({ value, category }) => html`
        <li class=${category?.id === chosen ? "chosen" : ""}><span class="object-name" title=${category?.name}>${category?.name ?? "?"}</span>
          <span class="object-bar"><b style=${{ width: `${100 * Math.min(1, value)}%`, background: categoryColour(category?.id ?? 0) }}></b></span><span>${value.toFixed(3)}</span></li>`)}
      ${sorted.length > LIKELIEST && html`<li class="soft"><span class="object-name">${count(sorted.length - LIKELIEST)} others together</span><span></span><span>${rest.toFixed(3)}</span></li>`}
    </ul>`;
}

/** @param {{task: string, one: Prediction}} props */
function Keypoints({ task, one }) {
  const names = tasks.value.get(task)?.byId.get(one.category_id)?.keypoint_names;
  const values = one.keypoints ?? [];
  const rows = Array.from({ length: Math.floor(values.length / 3) }, (_, i) => values.slice(3 * i, 3 * i + 3));
  return html`
    <details><summary>${counted(rows.length, "keypoint")}</summary>
      <table class="keypoints"><thead><tr><th>Keypoint</th><th class="n">x</th><th class="n">y</th><th class="n">confidence</th></tr></thead>
        <tbody>${rows.map(([x, y, confidence], i) => html`<tr><td>${names?.[i] ?? i}</td><td class="n">${x.toFixed(1)}</td><td class="n">${y.toFixed(1)}</td><td class="n">${confidence.toFixed(2)}</td></tr>`)}</tbody></table>
    </details>`;
}
