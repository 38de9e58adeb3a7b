// One sample: its picture, its predictions, everything known of it.

import { html, useCallback, useEffect, useMemo, useRef, useState } from "../ui.js";
import { filterOf, listParams } from "../filters.js";
import { count, splitKey } from "../format.js";
import { useKeys } from "../keys.js";
import { useJson } from "../load.js";
import { layerOfSample, surer } from "../marks.js";
import { change, go, href, place, wantedKey, withValues } from "../router.js";
import { tasks } from "../store.js";
import { ScoreFrom, Segmented } from "../parts/controls.js";
import { Icon } from "../parts/icons.js";
import { ObjectList } from "../parts/object_list.js";
import { SampleFacts } from "../parts/sample_facts.js";
import { readEye, Stage, WHOLE, writeEye, zoomed } from "../parts/stage.js";
import { Empty, Failed, Loading } from "../parts/states.js";
import { VideoTimeline } from "../parts/timeline.js";
import { tasksOf } from "./grid.js";

/** @typedef {import("../draw/overlay.js").MarkRef} MarkRef */
/** @typedef {import("../wire.js").SampleDetail} SampleDetail */

/** @param {{params: URLSearchParams}} props */
export function SampleView({ params }) {
  const key = params.get("key");
  const detail = useJson(key && `/api/sample?${new URLSearchParams({ key })}`);
  if (!key) return html`<${Empty} title="Which sample?"><p><a href="/grid">Choose one in the grid</a></p><//>`;
  if (detail.error) return html`<${Failed} error=${detail.error} retry=${detail.reload} />`;
  if (!detail.data) return html`<${Loading} />`;
  return html`<${Sample} params=${params} detail=${detail.data} />`;
}

/** @param {{params: URLSearchParams, detail: SampleDetail}} props */
function Sample({ params, detail }) {
  const shown = tasksOf(params);
  const from = Number(params.get("from") ?? 0);
  const labels = params.get("labels") !== "0";
  const active = readRef(params.get("object"));
  const [hovered, setHovered] = useState(/** @type {MarkRef | null} */ (null));
  const [eye, setEye] = useEye(params);
  const toSample = (/** @type {string} */ key) => go(href("/sample", withValues(params, { key, object: null })), { replace: true });
  const list = listParams(params);
  const wanted = params.get("key") ?? detail.key;
  const found = useJson(`/api/samples/place?${withValues(list, { key: wanted })}`), neighbours = found.data;
  const step = useSteps(found.isFresh ? neighbours : null, wanted, toSample);
  const ofShown = detail.tasks.filter((task) => shown.includes(task.task));
  const layers = useMemo(() => ofShown.map((task) => surer(layerOfSample(task), from)), [detail, shown.join("\n"), from]);
  const pick = useCallback((/** @type {MarkRef | null} */ ref) => change({ object: ref && `${ref.position}:${ref.task}` }, { replace: true }), []);
  const back = wayBack(params, wanted);
  useSampleKeys({ detail, layers, pick, step, eye, setEye, labels, back });
  const isSide = params.get("layout") === "side" && layers.length > 1;
  const stage = (/** @type {any[]} */ drawn, /** @type {string} */ title) => html`
    <div class="stage-frame">
      ${isSide && html`<h2 class="stage-title">${title}</h2>`}
      <${Stage} sampleKey=${detail.key} size=${detail} layers=${drawn} eye=${eye} onEye=${setEye} active=${hovered ?? active} onPick=${pick} labels=${labels} title=${title} />
    </div>`;
  return html`
    <${SampleHead} params=${params} detail=${detail} neighbours=${neighbours} toSample=${toSample} back=${back} shown=${shown} labels=${labels} from=${from} eye=${eye} setEye=${setEye} />
    <div class="sample">
      <div class="sample-stage">
        <div class=${isSide ? "stages side" : "stages"}>
          ${isSide ? layers.map((layer) => stage([layer], layer.task)) : stage(layers, `Picture with ${shown.join(" and ") || "nothing"} drawn over it`)}
        </div>
        ${detail.video && html`<${VideoTimeline} video=${detail.video} sampleKey=${wanted} column=${params.get("timeline")} onFrame=${toSample} />`}
      </div>
      <aside class="sample-side" aria-label="Predictions and facts">
        ${ofShown.map((task) => html`<${ObjectList} key=${task.task} task=${task} from=${from} active=${active} onPick=${pick} onHover=${setHovered} />`)}
        <${SampleFacts} detail=${detail} />
      </aside>
    </div>`;
}

/** Where it was opened from: the objects, or the grid. @param {URLSearchParams} params @param {string} key @returns {{name: string, address: string}} */
function wayBack(params, key) {
  const objects = params.get("objects");
  if (objects !== null) return { name: "Objects", address: href("/objects", new URLSearchParams(objects)) };
  return { name: "Grid", address: href("/grid", withValues(listParams(params), { tasks: params.get("tasks"), from: params.get("from"), at: params.get("at"), key })) };
}

/**
 * Go to the sample before or after; steps that are asked for before the neighbours are known are made when they are.
 * @param {import("../wire.js").Neighbours | null} neighbours
 * @param {string} of the sample they are neighbours of
 * @param {(key: string) => void} toSample
 */
function useSteps(neighbours, of, toSample) {
  const waiting = useRef(0);
  const step = (/** @type {number} */ by) => {
    waiting.current += by;
    if (!neighbours || (wantedKey() ?? of) !== of || waiting.current === 0) return;
    const way = Math.sign(waiting.current), key = way < 0 ? neighbours.previous : neighbours.next;
    waiting.current = key ? waiting.current - way : 0; // nothing waits at the end of the list
    if (key) toSample(key);
  };
  useEffect(() => step(0), [neighbours]);
  return step;
}

/** What part is seen: at once on the screen, in the address when it rests. @param {URLSearchParams} params @returns {[import("../parts/stage.js").Eye, (eye: import("../parts/stage.js").Eye) => void]} */
function useEye(params) {
  const text = params.get("eye");
  const [eye, setEye] = useState(readEye(text));
  const written = useRef(text);
  useEffect(() => {
    if (text !== written.current) setEye(readEye(text));
    written.current = text;
  }, [text]);
  useEffect(() => {
    const next = writeEye(eye);
    if (next === written.current) return undefined;
    const later = setTimeout(() => {
      written.current = next;
      change({ eye: next }, { replace: true });
    }, 250);
    return () => clearTimeout(later);
  }, [eye]);
  return [eye, setEye];
}

/** @param {string | null} text `POSITION:TASK` @returns {MarkRef | null} */
function readRef(text) {
  const found = /^(\d+):(.+)$/s.exec(text ?? "");
  return found && { task: found[2], position: Number(found[1]) };
}

/** The object that the address names at this moment. */
const activeNow = () => readRef(place.peek().params.get("object"));

/** @param {any} state */
function useSampleKeys({ detail, layers, pick, step, eye, setEye, labels, back }) {
  const all = layers.flatMap((/** @type {any} */ layer) => layer.marks.toSorted((/** @type {any} */ a, /** @type {any} */ b) => (b.score ?? 1) - (a.score ?? 1)).map((/** @type {any} */ mark) => ({ task: layer.task, position: mark.position })));
  const object = (/** @type {number} */ by) => () => {
    const active = activeNow();
    const now = all.findIndex((/** @type {MarkRef} */ one) => active && one.task === active.task && one.position === active.position);
    if (all.length) pick(all[now < 0 ? (by > 0 ? 0 : all.length - 1) : (now + by + all.length) % all.length]);
  };
  const zoom = (/** @type {number} */ factor) => () => {
    const stage = document.querySelector(".stage");
    const box = { width: stage?.clientWidth ?? 1, height: stage?.clientHeight ?? 1 };
    setEye(zoomed(eye, factor, { width: detail.width ?? 1, height: detail.height ?? 1 }, box));
  };
  useKeys({
    ArrowLeft: () => step(-1), k: () => step(-1), ArrowRight: () => step(1), j: () => step(1),
    n: object(1), p: object(-1), "+": zoom(1.5), "=": zoom(1.5), "-": zoom(1 / 1.5), 0: () => setEye(WHOLE),
    l: () => change({ labels: labels ? "0" : null }, { replace: true }),
    Escape: () => (activeNow() ? pick(null) : go(back.address)),
  });
}

/** @param {any} props */
function SampleHead({ params, detail, neighbours, toSample, back, shown, labels, from, eye, setEye }) {
  const [folder, file] = splitKey(detail.key);
  const isNarrowed = filterOf(params).length > 0;
  const all = [...tasks.value.keys()];
  const toggle = (/** @type {string} */ task) => {
    const next = all.filter((name) => (name === task ? !shown.includes(name) : shown.includes(name)));
    change({ tasks: next.length === all.length ? null : JSON.stringify(next) }, { replace: true });
  };
  const beside = (/** @type {string | null | undefined} */ key, /** @type {string} */ icon, /** @type {string} */ said) => html`
    <button type="button" class="icon" aria-label=${said} title=${said} disabled=${!key} onClick=${() => key && toSample(key)}><${Icon} name=${icon} /></button>`;
  return html`
    <div class="view-head sample-head">
      <a class="button quiet" href=${back.address}><${Icon} name=${back.name} />${back.name}</a>
      <h1 title=${detail.key} aria-live="polite"><span class="soft">${folder}</span>${file}</h1>
      <span class="row step">
        ${beside(neighbours?.previous, "left", "Previous sample (←)")}${beside(neighbours?.next, "right", "Next sample (→)")}
        ${neighbours?.place !== null && neighbours && html`<span class="total">${count(neighbours.place + 1)} of ${count(neighbours.total)}${isNarrowed ? " filtered" : ""}</span>`}
      </span>
      <span class="spring"></span>
      <div class="segmented" role="group" aria-label="Tasks that are drawn">
        ${all.map((task) => html`<button type="button" aria-pressed=${String(shown.includes(task))} onClick=${() => toggle(task)}>${task}</button>`)}
      </div>
      ${shown.length > 1 && html`<${Segmented} label="How tasks are shown" value=${params.get("layout") === "side" ? "side" : "over"} options=${[{ value: "over", text: "Over" }, { value: "side", text: "Side by side" }]}
        onChange=${(/** @type {string} */ value) => change({ layout: value === "side" ? "side" : null }, { replace: true })} />`}
      <${ScoreFrom} from=${from} onChange=${(/** @type {number} */ value) => change({ from: value || null }, { replace: true })} />
      <button type="button" aria-pressed=${String(labels)} title="Labels (l)" onClick=${() => change({ labels: labels ? "0" : null }, { replace: true })}>Labels</button>
      ${eye.zoom > 1 && html`<button type="button" title="The whole picture (0)" onClick=${() => setEye(WHOLE)}>${Math.round(eye.zoom * 100)} %</button>`}
    </div>`;
}
