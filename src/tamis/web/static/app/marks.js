// Predictions as the server sends them, made into what the overlay draws.

import { categoryOf } from "./store.js";

/** @typedef {import("./draw/overlay.js").Layer} Layer */

/** @param {import("./wire.js").CardLayer} layer @returns {Layer} */
export function layerOfCard({ task, positions, categories, scores, boxes, keypoints }) {
  const marks = positions.map((position, i) => ({
    position, category_id: categories[i], ...named(task, categories[i]),
    score: scores[i], bbox: boxes?.[i] ?? null, keypoints: keypoints?.[i] ?? null,
  }));
  return { task, marks };
}

/** @param {import("./wire.js").TaskOfSample} task @returns {Layer} */
export function layerOfSample({ task, predictions }) {
  return { task, marks: predictions.map((one) => ({ ...one, ...named(task, one.category_id) })) };
}

/** Without what the model is less sure of. @param {Layer} layer @param {number} from @returns {Layer} */
export const surer = ({ task, marks }, from) => ({ task, marks: from > 0 ? marks.filter((mark) => (mark.score ?? 1) >= from) : marks });

/** @param {string} task @param {number} id */
function named(task, id) {
  const category = categoryOf(task, id);
  return { category: category?.name ?? String(id), skeleton: category?.skeleton ?? [] };
}

/**
 * @param {string} key
 * @param {number} [side] longer side in pixels
 */
export const pictureAddress = (key, side) => `/api/picture?${new URLSearchParams({ key, ...(side ? { side: String(side) } : {}) })}`;

/** @param {string} key @param {string} task */
export const masksAddress = (key, task) => `/api/masks?${new URLSearchParams({ key, task })}`;

/** @param {string} key @param {string} task @param {number} position @param {number} side */
export const cropAddress = (key, task, position, side) => `/api/crop?${new URLSearchParams({ key, task, position: String(position), side: String(side) })}`;

/** The size to ask for: few different ones, so that pictures are found in the cache again. @param {number} px on the screen */
export function sideFor(px) {
  const wanted = px * (window.devicePixelRatio || 1);
  return [160, 320, 640, 1280].find((side) => side >= wanted * 0.9) ?? 1280;
}
