// What repeats what: each picture beside the one that is kept in its place, the nearest first.

import { html, useEffect, useMemo, useRef, useState } from "../ui.js";
import { send } from "../api.js";
import { keepPlace, placeIn, TOP } from "../filters.js";
import { count, counted, number, splitKey } from "../format.js";
import { useJson } from "../load.js";
import { pictureAddress, sideFor } from "../marks.js";
import { change, href } from "../router.js";
import { jobs, remember, version } from "../store.js";
import { NumberField, Segmented, StartButton, useOnce } from "../parts/controls.js";
import { useEmbeddings } from "../parts/embedded.js";
import { usePages } from "../parts/pages.js";
import { Prose } from "../parts/prose.js";
import { Work } from "../parts/shell.js";
import { Empty, Failed, Loading } from "../parts/states.js";
import { Virtual } from "../parts/virtual.js";

/** @typedef {import("../wire.js").DuplicatesInfo} DuplicatesInfo */
/** @typedef {import("../wire.js").DuplicatePair} DuplicatePair */
/** @typedef {import("../wire.js").EmbeddingState} EmbeddingState */
/** @typedef {import("../parts/pages.js").Pages} Pages */

const SOON_DONE = 100_000; // pictures that are compared without asking
/** Width of a pair. @type {Record<string, number>} */
const SIZES = { s: 260, m: 380, l: 620 };

/** @param {{params: URLSearchParams}} props */
export function DuplicatesView({ params }) {
  const { data: embeddings, ...others } = useEmbeddings(true);
  const distance = params.get("distance");
  const states = [...jobs.value.values()].filter((job) => job.kind === "duplicates").map((job) => job.state).join();
  const { data, error, reload } = useJson(`/api/duplicates?${new URLSearchParams(distance ? { distance } : {})}#${states}`);
  const info = /** @type {DuplicatesInfo | null} */ (data), failed = error ?? others.error;
  const retry = () => { reload(); others.reload(); };
  return html`
    <div class="view-head">
      <h1>Duplicates</h1><span class="total" role="status">${info?.state === "ready" ? `${count(info.exact)} exact and ${count(info.near)} near among ${counted(info.compared, "picture")}` : ""}</span><span class="spring"></span>
      <div class="row distance"><${NumberField} label="Largest distance" min=${0} max=${1.99} step=${0.05} value=${distance === null ? null : Number(distance)} placeholder=${embeddings ? String(embeddings.near) : ""}
        onChange=${(/** @type {number | null} */ value) => change({ distance: value === null ? null : String(value), ...TOP })} /></div>
      <${Segmented} label="Size of the pictures" value=${params.get("size") ?? "m"} options=${[{ value: "s", text: "S" }, { value: "m", text: "M" }, { value: "l", text: "L" }]} onChange=${(/** @type {string} */ size) => change({ size: size === "m" ? null : size }, { replace: true })} />
    </div>
    ${failed ? html`<${Failed} error=${failed} retry=${retry} />`
      : info === null || embeddings === null ? html`<${Loading} />`
        : info.state === "ready" ? html`<${Found} key=${info.distance} params=${params} info=${info} />`
          : html`<${NotYet} key=${info.distance} info=${info} embeddings=${embeddings} />`}`;
}

/** Start to look for duplicates. @param {DuplicatesInfo} info */
const look = (info) => send("POST", "/api/duplicates", { distance: info.distance });

/** What there is to see before the pairs are known. @param {{info: DuplicatesInfo, embeddings: EmbeddingState}} props */
function NotYet({ info, embeddings }) {
  const [started, setStarted] = useState("");
  const asked = useRef(false);
  const { start, isBusy, error } = useOnce(() => look(info).then((job) => {
    remember(job);
    setStarted(job.id);
  }));
  const isSoonDone = embeddings.missing === 0 && embeddings.samples <= SOON_DONE;
  useEffect(() => {
    if (info.state !== "missing" || !isSoonDone || asked.current) return;
    asked.current = true;
    start();
  }, [info.state, isSoonDone]);
  const job = jobs.value.get(info.job ?? embeddings.job ?? started);
  if (job?.state === "running") return html`<${Empty} title="Looking for duplicates"><div class="wide-work"><${Work} job=${job} /></div><//>`;
  const failed = /** @type {any} */ (error ?? (job && job.state !== "done" ? job : null));
  return html`
    <${Empty} title="Not looked for yet">
      <p>Pictures repeat others where they are the same, or where their built-in embeddings are at most ${number(info.distance)} apart. ${embeddings.missing > 0 && html`First, ${counted(embeddings.missing, "picture")} of ${count(embeddings.samples)} are embedded. `}It is done once for each scan, and goes on when the page is closed.</p>
      ${failed && html`<p class=${failed.state === "cancelled" ? "soft" : "severity error"} role="alert"><${Prose} text=${[failed.message, failed.hint].filter(Boolean).join(". ")} /></p>`}
      <p><button type="button" class="primary" disabled=${isBusy} onClick=${() => start()}>Look for duplicates</button></p>
    <//>`;
}

/** @param {{params: URLSearchParams, info: DuplicatesInfo}} props */
function Found({ params, info }) {
  const query = useMemo(() => new URLSearchParams({ distance: String(info.distance) }), [info.distance]);
  const pages = usePages("/api/duplicates/pairs", query, "pairs", `${version.value} ${info.version}`);
  if (pages.error) return html`<${Failed} error=${pages.error} retry=${pages.reload} />`;
  if (pages.total === null) return html`<${Loading} what="Loading pairs" />`;
  if (pages.total === 0) return html`<${Empty} title="Nothing repeats anything"><p>No picture is the same as another, or at most ${number(info.distance)} from one. A larger distance finds more.</p><//>`;
  return html`
    <div class="pairs">
      <${Again} info=${info} />
      ${info.doubt && html`<p class="notice"><span>Look at some of these before you leave them out, as ${info.doubt}. A smaller distance finds fewer.</span></p>`}
      <${WithThem} distance=${info.distance} />
      <${Pairs} params=${params} pages=${pages} distance=${info.distance} />
    </div>`;
}

/** What to do where the embeddings are others by now. @param {{info: DuplicatesInfo}} props */
function Again({ info }) {
  if (!info.is_stale || info.job) return null;
  return html`<p class="notice"><span>Embeddings were added since.</span><${StartButton} work=${() => look(info).then(remember)}>Look again<//></p>`;
}

/** What to do with those that repeat others. @param {{distance: number}} props */
function WithThem({ distance }) {
  const [tag, setTag] = useState("duplicates");
  const [said, setSaid] = useState({ text: "", failed: false });
  const condition = { type: "duplicate", distance };
  const filter = (/** @type {any} */ one) => JSON.stringify([one]);
  const add = () => send("POST", "/api/duplicates/tag", { distance, tag }).then(
    (/** @type {{name: string, members: number}[]} */ tags) => setSaid({ text: `${tag} has ${counted(tags.find((one) => one.name === tag)?.members ?? 0, "member")} now.`, failed: false }),
    (error) => setSaid({ text: error.message, failed: true }),
  );
  return html`
    <div class="row pairs-tools">
      <a class="button" href=${href("/grid", { filter: filter(condition), sort: "pick" })}>Those that repeat, in the grid</a>
      <a class="button" href=${href("/select", { filter: filter({ ...condition, exclude: true }) })}>Select without them</a>
      <form class="row" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); add(); }}>
        <label class="row tag-field"><span class="soft">Tag</span><input type="text" value=${tag} maxlength="100" required pattern="[A-Za-z0-9][A-Za-z0-9_.\\-]*" title="Letters, digits, _ . and -" onInput=${(/** @type {any} */ event) => setTag(event.currentTarget.value)} /></label>
        <button type="submit">Tag them</button>
      </form>
      <span role="status" class=${said.failed ? "severity error" : "soft"}>${said.text}</span>
    </div>`;
}

/** @param {{params: URLSearchParams, pages: Pages, distance: number}} props */
const Pairs = ({ params, pages, distance }) => html`
  <${Virtual} label="Duplicates" total=${pages.total} ...${placeIn(params)} onPlace=${keepPlace} onSight=${pages.want}
    size=${{ cell: SIZES[params.get("size") ?? "m"] ?? SIZES.m, ratio: 0.375, caption: 52 }}
    cell=${(/** @type {number} */ i, /** @type {any} */ box) => html`<${Pair} one=${pages.item(i)} box=${box} distance=${distance} />`} />`;

/** @param {{one: DuplicatePair | undefined, box: {width: number, height: number}, distance: number}} props */
function Pair({ one, box, distance }) {
  if (!one) return html`<div class="pair waiting"><div class="card-picture" style=${{ height: `${box.height}px` }}></div></div>`;
  const list = { filter: JSON.stringify([{ type: "duplicate", distance }]), sort: "pick" };
  return html`
    <div class="pair">
      <p class="pair-what"><b class=${one.exact ? "badge warn" : "badge"}>${one.exact ? "exact" : "near"}</b><span>${number(one.distance)} apart</span></p>
      <${Side} sample=${one.of} what="kept" height=${box.height} width=${box.width / 2} to=${href("/sample", { key: one.of })} />
      <${Side} sample=${one.key} what="repeats it" height=${box.height} width=${box.width / 2} to=${href("/sample", { key: one.key, ...list })} />
    </div>`;
}

/** @param {{sample: string, what: string, height: number, width: number, to: string}} props */
function Side({ sample, what, height, width, to }) {
  const [fault, setFault] = useState(false);
  const [folder, file] = splitKey(sample);
  return html`
    <a class="card" href=${to}>
      <span class="card-picture" style=${{ height: `${height}px` }}>
        ${fault ? html`<span class="card-fault">No picture</span>` : html`<img key=${sample} class="fit" alt="" decoding="async" draggable=${false} src=${pictureAddress(sample, sideFor(width))} onError=${() => setFault(true)} />`}
        <span class="pair-role">${what}</span>
      </span>
      <span class="card-name" title=${sample}><small class="soft">${folder}</small>${file}</span>
    </a>`;
}
