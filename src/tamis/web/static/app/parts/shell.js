// What surrounds every view: where to go, what is being done, dark or light, the keys.

import { html, signal, useEffect, useRef } from "../ui.js";
import { count, counted, duration } from "../format.js";
import { helpIsOpen, VIEWS } from "../keys.js";
import { place } from "../router.js";
import { cancel, connected, jobs, overview, refresh, runningJobs, startScan, status } from "../store.js";
import { choose, theme } from "../theme.js";
import { StartButton } from "./controls.js";
import { Icon } from "./icons.js";
import { Prose } from "./prose.js";

/** The rail on the left; a bar on top where it is narrow. */
export function Rail() {
  const rail = useRef(/** @type {HTMLElement | null} */ (null));
  const { path } = place.value;
  useEffect(() => { if (rail.current) showOpen(rail.current); }, [path]);
  const name = (status.value?.source ?? "").replace(/\/+$/, "").split("/").pop();
  return html`
    <header class="rail" ref=${rail}>
      <a class="brand" href="/" >
        <${Logo} /><span class="brand-name"><b>tamis</b>${" "}<small title=${status.value?.source}>${name}</small></span>
      </a>
      <nav aria-label="Views">
        <ul>${VIEWS.map((view) => html`
          <li><a href=${view.path} aria-current=${isHere(view.path) ? "page" : undefined}>
            <${Icon} name=${view.name} />${view.name}${" "}${view.path === "/problems" && html`<${ProblemBadge} />`}
          </a></li>`)}
        </ul>
      </nav>
      <div class="rail-foot">
        <${Stale} /><${FailedScan} />
        ${runningJobs.value.map((job) => html`<${Work} key=${job.id} job=${job} />`)}
        <div class="rail-tools">
          <${ThemeSwitch} />
          <button type="button" class="quiet icon" title="Keys (?)" aria-label="Keys" onClick=${() => { helpIsOpen.value = true; }}><${Icon} name="keys" /></button>
        </div>
      </div>
    </header>`;
}

/**
 * Scroll the rail to the link of the view that is open. Not by scrollIntoView(), after which browsers let the next Tab
 * start at that link, so that the way to the content before it is never offered.
 * @param {HTMLElement} rail
 */
function showOpen(rail) {
  const link = rail.querySelector("[aria-current]");
  if (!link) return;
  const box = rail.getBoundingClientRect(), { top, bottom } = link.getBoundingClientRect();
  rail.scrollTop += Math.min(0, top - box.top) + Math.max(0, bottom - box.bottom);
}

/** @param {string} path */
function isHere(path) {
  const now = place.value.path;
  return path === "/" ? now === "/" : now.startsWith(path) || (path === "/grid" && now === "/sample");
}

const Logo = () => html`
  <svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#0068a8" />
    <g fill="#fff"><circle cx="9" cy="9" r="2.4" /><circle cx="16" cy="9" r="2.4" /><circle cx="23" cy="9" r="2.4" /><circle cx="12.5" cy="15.500" r="2.4" /><circle cx="19.500" cy="15.500" r="2.4" /></g>
    <circle cx="16" cy="23" r="3.200" fill="#ffb000" /></svg>`;

function ProblemBadge() {
  const { errors = 0, warnings = 0 } = overview.value ?? {};
  if (errors + warnings === 0) return null;
  return html`<span class=${`badge ${errors ? "bad" : "warn"}`} title=${`${counted(errors, "error")}, ${counted(warnings, "warning")}`}>${count(errors || warnings)}</span>`;
}

function Stale() {
  if (!connected.value) return html`<div class="stale failed" role="status">The server does not answer.<button type="button" onClick=${refresh}>Try again</button></div>`;
  if (status.value?.state === "ready" && status.value.message) return html`<div class="stale" role="status">A newer scan: ${status.value.message} …</div>`;
  if (!status.value?.stale || runningJobs.value.some((job) => job.kind === "scan")) return null;
  return html`
    <div class="stale"><span title=${status.value.stale}>Files changed since the scan.</span>
      <${StartButton} work=${() => startScan()}>Scan again<//></div>`;
}

const opened = new Date().toISOString();
const dismissed = signal(/** @type {string[]} */ ([]));

/** A scan that ended badly since the page was opened. */
function FailedScan() {
  const scans = [...jobs.value.values()].filter((job) => job.kind === "scan" && job.created > opened.slice(0, 19)).sort((a, b) => (a.created < b.created ? 1 : -1));
  const job = scans[0];
  if (!job || !["failed", "interrupted"].includes(job.state) || dismissed.value.includes(job.id)) return null;
  return html`
    <div class="stale failed" role="alert"><b>The scan ${job.state === "failed" ? "failed" : "was interrupted"}.</b>
      <span><${Prose} text=${[job.message, job.hint].filter(Boolean).join(". ")} /></span>
      <button type="button" onClick=${() => { dismissed.value = [...dismissed.value, job.id]; }}>Dismiss</button></div>`;
}

/** Something that is being done. @param {{job: import("../wire.js").Job}} props */
export function Work({ job }) {
  const known = job.total ? { value: job.done, max: job.total } : {};
  return html`
    <div class="work" role="status">
      <div class="work-head"><b>${job.title}</b><${StartButton} class="quiet" work=${() => cancel(job.id)}>Cancel<//></div>
      <progress aria-label=${job.title} ...${known}></progress>
      <span class="soft">${progressText(job)}</span>
    </div>`;
}

/** @param {import("../wire.js").Job} job */
export function progressText(job) {
  return [
    job.stage,
    job.total ? `${count(job.done)} of ${count(job.total)} ${job.unit}` : job.done ? `${count(job.done)} ${job.unit}` : "",
    job.eta_secs === null ? "" : `${duration(job.eta_secs)} left`,
    job.note,
  ].filter(Boolean).join(" · ");
}

function ThemeSwitch() {
  const next = /** @type {const} */ ({ auto: "light", light: "dark", dark: "auto" });
  const icon = { auto: "auto", light: "sun", dark: "moon" };
  const said = { auto: "as the system", light: "light", dark: "dark" };
  return html`
    <button type="button" class="quiet icon" aria-label=${`Colours: ${said[theme.value]}. Change to ${said[next[theme.value]]}.`} title=${`Colours: ${said[theme.value]}`}
      onClick=${() => choose(next[theme.value])}><${Icon} name=${icon[theme.value]} /></button>`;
}

/** The dialog that lists the keys. */
export function Help() {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    if (helpIsOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [helpIsOpen.value]);
  const close = () => { helpIsOpen.value = false; };
  const keys = (/** @type {string[]} */ ...names) => names.map((name) => html`<kbd>${name}</kbd> `);
  return html`
    <dialog class="help" ref=${dialog} aria-label="Keys" onClose=${close}>
      <div class="help-head"><h2>Keys</h2><button type="button" class="quiet icon" aria-label="Close" onClick=${close}><${Icon} name="close" /></button></div>
      <dl>
        <h3>Everywhere</h3>
        ${VIEWS.map((view) => html`<dt>${keys("g", view.key)}</dt><dd>${view.name}</dd>`)}
        <dt>${keys("/")}</dt><dd>Search names</dd>
        <dt>${keys("?")}</dt><dd>This list</dd>
        <h3>Grids</h3>
        <dt>${keys("←", "→", "↑", "↓")}</dt><dd>Move, with a cell in focus; Home, End and Page keys too</dd>
        <dt>${keys("Enter")}</dt><dd>Open</dd>
        <dt>${keys("l")}</dt><dd>Labels on or off</dd>
        <h3>Sample</h3>
        <dt>${keys("←", "→")} or ${keys("j", "k")}</dt><dd>Previous, next in the list it was opened from</dd>
        <dt>${keys(",", ".")}</dt><dd>One frame back, one on</dd>
        <dt>${keys("<", ">")}</dt><dd>Ten frames back, ten on</dd>
        <dt>${keys("+", "-", "0")}</dt><dd>Zoom in, out, fit; or the wheel, and drag</dd>
        <dt>${keys("n", "p")}</dt><dd>Next, previous object</dd>
        <dt>${keys("Esc")}</dt><dd>No object, then back to the grid</dd>
        <h3>Embedding</h3>
        <dt>${keys("s")}</dt><dd>Select: dragging draws a lasso</dd>
        <dt>${keys("m")}</dt><dd>Move: dragging moves the points</dd>
        <dt>${keys("+", "-", "0")}</dt><dd>Zoom in, out, fit; or the wheel</dd>
      </dl>
    </dialog>`;
}
