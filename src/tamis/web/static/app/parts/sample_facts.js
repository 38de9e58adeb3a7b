// What else is known of a sample: problems, metadata, where it is listed, and its files as they are.

import { html, useEffect, useState } from "../ui.js";
import { request } from "../api.js";
import { count, counted, number } from "../format.js";
import { href } from "../router.js";
import { Problem } from "./problem.js";

/** @typedef {import("../wire.js").SampleDetail} SampleDetail */

const LONGEST = 200_000; // characters of a file that are shown

/** @param {{detail: SampleDetail}} props */
export function SampleFacts({ detail }) {
  const metadata = Object.entries(detail.metadata);
  const fact = (/** @type {string} */ name, /** @type {any} */ value) => value !== null && html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`
    ${detail.problems.length > 0 && html`
      <section class="task-section"><h2>Problems <small class="soft">${counted(detail.problems.length, "place")}</small></h2>
        <ul class="problem-places">${detail.problems.map((one) => html`<${Problem} one=${one} withSample=${false} />`)}</ul></section>`}
    <section class="task-section"><h2>Facts</h2>
      <dl class="facts-list">
        ${fact("kind", detail.kind)}
        ${fact("size", detail.width && `${detail.width} × ${detail.height} px`)}
        ${fact("file", detail.size_bytes === null ? null : `${count(detail.size_bytes)} bytes`)}
        ${fact("video", detail.video)}
        ${metadata.map(([name, value]) => html`<div><dt>${name}</dt><dd>${typeof value === "number" ? number(value) : value === null ? "unknown" : String(value)}</dd></div>`)}
        ${detail.pools.length > 0 && fact("pools", detail.pools.join(", "))}
        ${detail.tags.length > 0 && fact("tags", detail.tags.join(", "))}
        ${detail.selections.length > 0 && fact("picked by", detail.selections.map((id) => html`<a href=${href("/select", { run: id })}>${id}</a> `))}
      </dl></section>
    <section class="task-section"><h2>Files as they are</h2>
      ${detail.tasks.map((task) => task.file && html`<${RawFile} key=${task.task + detail.key} name=${task.file} address=${`/api/raw?${new URLSearchParams({ key: detail.key, task: task.task })}`} marked=${linesOf(detail, task.file)} />`)}
      ${detail.tasks.every((task) => !task.file) && html`<p class="soft">There is no prediction file.</p>`}
    </section>`;
}

/** Lines with a problem. @param {SampleDetail} detail @param {string} file */
const linesOf = (detail, file) => detail.problems.flatMap((one) => (one.file === file && one.line !== null ? [one.line] : []));

/** A file, loaded when it is opened. @param {{name: string, address: string, marked: number[]}} props */
function RawFile({ name, address, marked }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const [failure, setFailure] = useState("");
  useEffect(() => {
    if (open) request(address).then((response) => response.text()).then((all) => { setText(all); setFailure(""); }, (error) => setFailure(error.message));
  }, [open, address]);
  const lines = text?.slice(0, LONGEST).split("\n");
  return html`
    <details onToggle=${(/** @type {any} */ event) => setOpen(event.currentTarget.open)}>
      <summary>${name}</summary>
      ${failure ? html`<p class="severity error" role="alert">${failure}</p>` : !lines && html`<p class="soft">Loading …</p>`}
      ${lines && html`<pre class="raw" tabindex="0" aria-label=${name}>${lines.map((line, i) => html`<code class=${marked.includes(i + 1) ? "raw-line marked" : "raw-line"} data-line=${i + 1}>${line}</code>`)}</pre>`}
      ${text !== null && text.length > LONGEST && html`<p class="soft">${counted(text.length - LONGEST, "more character")}. <a href=${address} target="_blank">All of it</a></p>`}
    </details>`;
}
