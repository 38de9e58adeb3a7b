// A sample in a grid: its picture, what is predicted drawn over it, its name.

import { html, useLayoutEffect, useRef, useState } from "../ui.js";
import { drawLayers, sized } from "../draw/overlay.js";
import { counted, number, splitKey } from "../format.js";
import { layerOfCard, masksAddress, pictureAddress, sideFor, surer } from "../marks.js";
import { tasks } from "../store.js";

/** @typedef {import("../wire.js").SampleCard} SampleCard */
/** @typedef {{width: number, height: number}} Box */

const CLASSES = 2; // of a classification on a card: more would hide the picture

/**
 * Where a picture lies in a box that it fits into.
 * @param {Box} picture
 * @param {Box} box
 * @returns {{scale: number, x: number, y: number}}
 */
export function fitted(picture, box) {
  const scale = Math.min(box.width / Math.max(1, picture.width), box.height / Math.max(1, picture.height));
  return { scale, x: (box.width - picture.width * scale) / 2, y: (box.height - picture.height * scale) / 2 };
}

/**
 * @param {{card: SampleCard | undefined, box: Box, href: string, labels: boolean, sortedBy: string, from?: number}} props
 */
export function Card({ card, box, href, labels, sortedBy, from = 0 }) {
  if (!card) return html`<div class="card waiting"><div class="card-picture" style=${{ height: `${box.height}px` }}></div></div>`;
  const [folder, file] = splitKey(card.key);
  const classes = card.layers.flatMap(classesOnly);
  return html`
    <a class="card" href=${href}>
      <${CardPicture} key=${card.key} card=${card} box=${box} labels=${labels} from=${from} />
      ${classes.length > 0 && html`<span class="card-classes">${classes.map((one) => html`<span class="card-class"><i class="swatch" style=${{ background: one.colour }}></i>${one.name}${one.score}</span>`)}</span>`}
      <span class="card-name" title=${card.key}><small class="soft">${folder}</small>${file}</span>
      <span class="visually-hidden">, ${spoken(card)}</span>
      ${sortedBy !== "" && card.value !== null && html`<span class="card-value">${typeof card.value === "number" ? number(card.value) : card.value}</span>`}
      ${card.problems > 0 && html`<span class="card-flag" title=${counted(card.problems, "problem")} aria-hidden="true">⚠</span>`}
    </a>`;
}

/** What a classification says: it has nothing to draw. @param {import("../wire.js").CardLayer} layer */
function classesOnly(layer) {
  const task = tasks.value.get(layer.task);
  if (task?.summary.task_type !== "classification") return [];
  const all = layer.positions.map((_, i) => ({ id: layer.categories[i], score: layer.scores[i] ?? layer.probabilities?.[i] ?? null }))
    .toSorted((a, b) => (b.score ?? 1) - (a.score ?? 1));
  const more = all.length + (layer.hidden ?? 0) - CLASSES;
  return all.slice(0, CLASSES).map(({ id, score }, i) => {
    const category = task.byId.get(id);
    return { name: category?.name ?? String(id), colour: category?.colour, score: (score === null ? "" : ` ${score.toFixed(2)}`) + (i === CLASSES - 1 && more > 0 ? `, ${more} more` : "") };
  });
}

/** @param {SampleCard} card */
function spoken(card) {
  const n = card.layers.reduce((sum, layer) => sum + layer.positions.length + (layer.hidden ?? 0), 0);
  return counted(n, "prediction") + (card.problems ? `, ${counted(card.problems, "problem")}` : "");
}

/** @param {{card: SampleCard, box: Box, labels: boolean, from: number}} props */
function CardPicture({ card, box, labels, from }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [fault, setFault] = useState(false);
  const picture = { width: card.width ?? 0, height: card.height ?? 0 };
  const view = fitted(picture, box);
  useLayoutEffect(() => {
    if (!canvas.current) return;
    const context = sized(canvas.current, box.width, box.height);
    if (picture.width && !fault) drawLayers(context, card.layers.map((layer) => surer(layerOfCard(layer), from)), view, { labels: labels && box.width > 150 });
  }, [card, box.width, box.height, labels, fault, from]);
  const place = { left: `${view.x}px`, top: `${view.y}px`, width: `${picture.width * view.scale}px`, height: `${picture.height * view.scale}px` };
  return html`
    <span class="card-picture" style=${{ height: `${box.height}px` }}>
      ${fault
        ? html`<span class="card-fault">This picture cannot be read</span>`
        : html`
          <img alt="" decoding="async" draggable=${false} src=${pictureAddress(card.key, sideFor(box.width))} style=${picture.width ? place : {}} onError=${() => setFault(true)} />
          ${card.layers.filter((layer) => layer.masks).map((layer) => html`<img key=${layer.task} class="card-masks" alt="" decoding="async" src=${masksAddress(card.key, layer.task)} style=${place} />`)}`}
      <canvas ref=${canvas} aria-hidden="true"></canvas>
    </span>`;
}
