// The datasource at a glance, and where to look next.

import { html, useState } from "../ui.js";
import { count, counted, moment, percent, words } from "../format.js";
import { href } from "../router.js";
import { overview, runningJobs, startScan, status } from "../store.js";
import { Bars, Histogram } from "../parts/charts.js";
import { Fault, useOnce } from "../parts/controls.js";

/** @typedef {import("../wire.js").TaskInfo} TaskInfo */

const TOP = 10;

export function OverviewView() {
  const data = /** @type {import("../wire.js").Overview} */ (overview.value);
  const n = Object.values(data.samples).reduce((a, b) => a + b, 0);
  return html`
    <div class="view-head"><h1>Overview</h1><span class="total">scanned ${moment(data.scanned)}</span><span class="spring"></span><${ScanButtons} /></div>
    <div class="view-body">
      <dl class="facts">
        <${Fact} name="Samples" value=${count(n)} to="/grid" note=${samplesNote(data)} />
        <${Fact} name="Tasks" value=${count(data.tasks.length)} note=${data.tasks.map((task) => task.name).join(", ")} />
        <${Fact} name="Predictions" value=${count(data.tasks.reduce((sum, task) => sum + task.summary.predictions, 0))} note="in valid files" />
        <${Fact} name="Problems" value=${count(data.errors + data.warnings)} to="/problems" note=${data.errors + data.warnings ? `${counted(data.errors, "error")}, ${counted(data.warnings, "warning")}` : "none found"} />
      </dl>
      <${Coverage} coverage=${data.coverage} total=${n} />
      <div class="task-panels">${data.tasks.map((task) => html`<${TaskPanel} key=${task.name} task=${task} total=${n} />`)}</div>
      ${data.tasks.length === 0 && html`<p class="soft">There is no task with a valid schema in <code>.lightly/predictions</code>. <a href="/problems">Problems</a> says why.</p>`}
      <p class="soft where">Images: <code>${data.source}</code><br />Predictions: <code>${status.value?.lightly}</code><br />Index: <code>${status.value?.index}</code></p>
    </div>`;
}

/** @param {import("../wire.js").Overview} data */
function samplesNote(data) {
  const { image = 0, frame = 0 } = data.samples;
  return [image ? counted(image, "image") : "", frame ? `${counted(frame, "frame")} of ${counted(data.videos, "video")}` : ""].filter(Boolean).join(", ");
}

/** @param {{name: string, value: string, note?: string, to?: string}} props */
const Fact = ({ name, value, note, to }) => html`
  <div class="fact"><dt>${name}</dt><dd>${to ? html`<a href=${to}>${value}</a>` : value}${note && html`<small title=${note}>${note}</small>`}</dd></div>`;

function ScanButtons() {
  const { start, isBusy, error } = useOnce(startScan);
  const isScanning = isBusy || runningJobs.value.some((job) => job.kind === "scan");
  return html`
    <${Fault} error=${error} />
    <button type="button" disabled=${isScanning} onClick=${() => start(false)} title="Read what changed since the last scan">Scan again</button>
    <button type="button" class="quiet" disabled=${isScanning} onClick=${() => start(true)} title="Read every file, whether it changed or not">Read everything</button>`;
}

/** How many samples have predictions of how many tasks. @param {{coverage: number[], total: number}} props */
function Coverage({ coverage, total }) {
  const most = coverage.length - 1;
  if (most < 1 || total === 0) return null;
  return html`
    <section class="panel coverage">
      <h2>Samples with predictions</h2>
      <div class="coverage-bar" role="img" aria-label=${coverage.map((n, k) => `${n} samples with ${k} tasks`).join(", ")}>
        ${coverage.map((n, k) => n > 0 && html`<span style=${{ flexGrow: n, opacity: 0.25 + (0.75 * k) / most }} class=${k === 0 ? "none" : ""} title=${`${counted(n, "sample")} with ${k} of ${most} tasks`}></span>`)}
      </div>
      <ul class="legend">${coverage.map((n, k) => n > 0 && html`<li>${k === most ? `all ${counted(most, "task")}` : k === 0 ? "no task" : `${k} of ${most} tasks`}: ${counted(n, "sample")}, ${percent(n / total)}</li>`)}</ul>
    </section>`;
}

/** @param {{task: TaskInfo, total: number}} props */
function TaskPanel({ task, total }) {
  const { summary } = task;
  const [all, setAll] = useState(false);
  const used = task.categories.filter((one) => one.predictions > 0).toSorted((a, b) => b.predictions - a.predictions);
  const listed = all ? used : used.slice(0, TOP);
  const scored = task.score_bins.counts.some((n) => n > 0);
  const inGrid = (/** @type {object} */ condition) => href("/grid", { filter: JSON.stringify([condition]), tasks: JSON.stringify([task.name]) });
  return html`
    <section class="panel task-panel" aria-label=${task.name}>
      <header><h2>${task.name}</h2><span class="soft">${words(summary.task_type.replaceAll("-", " "))}</span></header>
      <p class="soft">${counted(summary.predictions, "prediction")} in ${counted(summary.valid_files, "valid file")}${summary.files > summary.valid_files ? html`, <a href="/problems">${counted(summary.files - summary.valid_files, "file")} of no use</a>` : ""}.
        ${summary.samples_without_file > 0 ? html` <a href=${inGrid({ type: "file", task: task.name, exclude: true })}>${counted(summary.samples_without_file, "sample")}</a> without (${percent(summary.samples_without_file / Math.max(1, total))}).` : " Every sample has one."}</p>
      <h3>Classes <small class="soft">${count(used.length)} of ${count(task.categories.length)} are predicted</small></h3>
      <${Bars} label=${`Classes of ${task.name}`} rows=${listed.map((one) => ({ name: one.name, count: one.predictions, colour: one.colour, note: `in ${count(one.samples)}`, href: inGrid({ type: "predictions", task: task.name, categories: [one.id] }) }))} />
      ${used.length > listed.length && html`<button type="button" class="quiet more" onClick=${() => setAll(true)}>All ${count(used.length)} classes</button>`}
      <div class="two-charts">
        ${scored && html`<div><h3>Scores</h3><${Histogram} label=${`Scores of ${task.name}`} edges=${task.score_bins.edges} counts=${task.score_bins.counts} width=${170} /></div>`}
        ${task.count_bins.counts.length > 1 && html`<div><h3>Predictions a sample</h3><${Histogram} label=${`Predictions of ${task.name} a sample`} edges=${task.count_bins.edges} counts=${task.count_bins.counts} width=${170} /></div>`}
      </div>
    </section>`;
}
