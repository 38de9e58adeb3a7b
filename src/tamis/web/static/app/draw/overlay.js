// Predictions over a picture, on a canvas, in CSS pixels of the screen whatever the zoom.

import { categoryColour } from "../colours.js";
import { score as scoreText } from "../format.js";
import { isSet, maskOutline } from "./masks.js";

/**
 * One prediction as it is drawn.
 * @typedef {object} Mark
 * @property {number} position place in the prediction file
 * @property {number} category_id
 * @property {string} category
 * @property {number | null} [score]
 * @property {number[] | null} [bbox] x, y, width, height in pixels of the picture
 * @property {number[] | null} [mask] row-major run lengths, the first counts zeros
 * @property {number[] | null} [keypoints] x, y, confidence, x, ...
 * @property {number[][]} [skeleton] pairs of keypoints that a line connects
 */
/** @typedef {{task: string, marks: Mark[]}} Layer */
/** @typedef {{scale: number, x: number, y: number}} View screen = picture * scale + (x, y), in CSS pixels */
/** @typedef {{task: string, position: number}} MarkRef */
/**
 * @typedef {object} Look
 * @property {boolean} [labels] whether to write categories and scores
 * @property {MarkRef | null} [active] the one that stands out; the others step back
 * @property {number} [pictureWidth] in pixels, for masks
 */

const SURE = 0.3; // as in the report: below this score boxes are thin, dashed and without a label
const FONT_PX = 11.5;
const INK = "#0b0e11";

/**
 * Give a canvas as many pixels as the screen has below it, and return its context in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/**
 * Draw layers, in this order: masks, boxes, keypoints, labels; the surest on top.
 * @param {CanvasRenderingContext2D} context in CSS pixels
 * @param {Layer[]} layers
 * @param {View} view
 * @param {Look} [look]
 */
export function drawLayers(context, layers, view, look = {}) {
  const all = layers.flatMap((layer, i) => layer.marks.map((mark) => ({ mark, task: layer.task, dashed: i > 0 })));
  const faded = (/** @type {MarkRef} */ ref) => look.active && !isSame(look.active, ref);
  const drawn = all.map((one) => ({ ...one, alpha: faded({ task: one.task, position: one.mark.position }) ? 0.28 : 1 }));
  const rising = drawn.toSorted((a, b) => a.alpha - b.alpha || surety(a.mark) - surety(b.mark));
  drawMasks(context, drawn, view, look.pictureWidth ?? 0);
  for (const { mark, alpha, dashed } of rising) {
    context.globalAlpha = alpha;
    if (mark.bbox) drawBox(context, mark, view, dashed, alpha === 1 && Boolean(look.active));
  }
  for (const { mark, alpha } of rising) drawKeypoints(context, mark, view, alpha);
  context.globalAlpha = 1;
  if (look.labels !== false) drawLabels(context, rising.filter((one) => one.alpha === 1).reverse(), view, Boolean(look.active));
}

/** @param {MarkRef} a @param {MarkRef} b */
export const isSame = (a, b) => a.task === b.task && a.position === b.position;

/** @param {Mark} mark */
const surety = (mark) => mark.score ?? 1;
/** @param {Mark} mark */
const isWeak = (mark) => surety(mark) < SURE;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{mark: Mark, alpha: number}[]} drawn
 * @param {View} view
 * @param {number} width
 */
function drawMasks(context, drawn, view, width) {
  const masks = drawn.flatMap(({ mark, alpha }) => (mark.mask && width ? [{ mark, alpha, ...maskOutline(mark.mask, width) }] : []));
  context.save();
  context.translate(view.x, view.y);
  context.scale(view.scale, view.scale);
  context.lineWidth = 1.25 / view.scale;
  context.lineJoin = "round";
  for (const { mark, alpha, path } of masks.sort((a, b) => b.area - a.area)) {
    context.fillStyle = context.strokeStyle = categoryColour(mark.category_id);
    context.globalAlpha = 0.38 * alpha;
    context.fill(path, "evenodd");
    context.globalAlpha = 0.92 * alpha;
    context.stroke(path);
  }
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Mark} mark
 * @param {View} view
 * @param {boolean} dashed tells the second task from the first
 * @param {boolean} isActive
 */
function drawBox(context, mark, view, dashed, isActive) {
  const [x, y, width, height] = onScreen(/** @type {number[]} */ (mark.bbox), view);
  const weak = isWeak(mark) && !isActive;
  context.setLineDash(weak ? [3, 2] : dashed ? [8, 3] : []);
  context.lineJoin = "miter";
  context.strokeStyle = weak ? "rgb(0 0 0 / 25%)" : "rgb(0 0 0 / 45%)";
  context.lineWidth = weak ? 1.8 : isActive ? 5 : 3.4;
  context.strokeRect(x, y, width, height);
  context.strokeStyle = categoryColour(mark.category_id);
  context.lineWidth = weak ? 1 : isActive ? 2.6 : 1.8;
  context.strokeRect(x, y, width, height);
  context.setLineDash([]);
}

/** @param {number[]} bbox @param {View} view */
function onScreen(bbox, view) {
  const [x, y, width, height] = bbox;
  return [x * view.scale + view.x, y * view.scale + view.y, Math.max(0, width) * view.scale, Math.max(0, height) * view.scale];
}

/**
 * Dots and lines, fainter where less sure; a confidence of 0 says that the point is not there.
 * @param {CanvasRenderingContext2D} context
 * @param {Mark} mark
 * @param {View} view
 * @param {number} alpha
 */
function drawKeypoints(context, mark, view, alpha) {
  if (!mark.keypoints) return;
  const points = pointsOf(mark.keypoints, view);
  const small = mark.bbox ? Math.min(1, (mark.bbox[3] * view.scale) / 130) : 1;
  const colour = categoryColour(mark.category_id);
  for (const [a, b] of mark.skeleton ?? []) {
    const from = points[a], to = points[b];
    if (!from || !to || !(from.confidence > 0 && to.confidence > 0)) continue;
    context.globalAlpha = alpha * opacity(Math.min(from.confidence, to.confidence));
    context.lineCap = "round";
    for (const [style, width] of /** @type {[string, number][]} */ ([["rgb(0 0 0 / 45%)", 3.6], [colour, 2]])) {
      context.strokeStyle = style;
      context.lineWidth = width * (0.5 + small / 2);
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    }
  }
  for (const point of points) {
    if (!(point.confidence > 0)) continue;
    context.globalAlpha = alpha * opacity(point.confidence);
    context.beginPath();
    context.arc(point.x, point.y, 1.4 + 2 * small, 0, 2 * Math.PI);
    context.fillStyle = "#fff";
    context.strokeStyle = colour;
    context.lineWidth = 0.8 + 0.8 * small;
    context.fill();
    context.stroke();
  }
}

/** @param {number} confidence */
const opacity = (confidence) => 0.15 + 0.85 * Math.min(1, confidence);

/** @param {number[]} keypoints @param {View} view */
function pointsOf(keypoints, view) {
  return Array.from({ length: Math.floor(keypoints.length / 3) }, (_, i) => ({
    x: keypoints[3 * i] * view.scale + view.x,
    y: keypoints[3 * i + 1] * view.scale + view.y,
    confidence: keypoints[3 * i + 2],
  }));
}

/**
 * Write category and score above boxes; one that would cover another is left out.
 * @param {CanvasRenderingContext2D} context
 * @param {{mark: Mark}[]} drawn the most important first
 * @param {View} view
 * @param {boolean} always also where weak
 */
function drawLabels(context, drawn, view, always) {
  context.font = `600 ${FONT_PX}px "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, system-ui, sans-serif`;
  context.textBaseline = "middle";
  const screen = { width: context.canvas.width / (window.devicePixelRatio || 1), height: context.canvas.height / (window.devicePixelRatio || 1) };
  /** @type {number[][]} */
  const taken = [];
  for (const { mark } of drawn) {
    const anchor = mark.bbox ?? keypointBox(mark);
    if (!anchor || (isWeak(mark) && !always)) continue;
    const text = shortened(mark.category) + (mark.score === null || mark.score === undefined ? "" : ` ${scoreText(mark.score)}`);
    const [left, top, boxWidth, boxHeight] = onScreen(anchor, view);
    if (left > screen.width || top > screen.height || left + boxWidth < 0 || top + boxHeight < 0) continue;
    const width = context.measureText(text).width + 8, height = FONT_PX + 5;
    const x = Math.max(0, Math.min(left - 1, screen.width - width));
    const y = top >= height ? top - height : Math.max(0, top);
    if (taken.some(([a, b, c, d]) => x < c && a < x + width && y < d && b < y + height)) continue;
    taken.push([x, y, x + width, y + height]);
    context.fillStyle = categoryColour(mark.category_id);
    context.beginPath();
    context.roundRect(x, y, width, height, 3);
    context.fill();
    context.fillStyle = INK;
    context.fillText(text, x + 4, y + height / 2 + 0.5);
  }
}

/** @param {string} text */
const shortened = (text) => (text.length > 28 ? `${text.slice(0, 27)}…` : text);

/** @param {Mark} mark @returns {number[] | null} */
function keypointBox(mark) {
  if (!mark.keypoints) return null;
  const there = pointsOf(mark.keypoints, { scale: 1, x: 0, y: 0 }).filter((point) => point.confidence > 0);
  if (there.length === 0) return null;
  const xs = there.map((point) => point.x), ys = there.map((point) => point.y);
  const x = Math.min(...xs), y = Math.min(...ys);
  return [x, y, Math.max(...xs) - x, Math.max(...ys) - y];
}

/**
 * What lies at a place of the picture: the smallest of what covers it.
 * @param {Layer[]} layers
 * @param {number} x in pixels of the picture
 * @param {number} y
 * @param {number} width of the picture
 * @returns {MarkRef | null}
 */
export function markAt(layers, x, y, width) {
  let best = null, smallest = Infinity;
  for (const layer of layers) {
    for (const mark of layer.marks) {
      const size = sizeAt(mark, x, y, width);
      if (size < smallest) {
        smallest = size;
        best = { task: layer.task, position: mark.position };
      }
    }
  }
  return best;
}

/** @param {Mark} mark @param {number} x @param {number} y @param {number} width */
function sizeAt(mark, x, y, width) {
  const box = mark.bbox ?? keypointBox(mark);
  const inBox = box && x >= box[0] && y >= box[1] && x <= box[0] + box[2] && y <= box[1] + box[3];
  if (mark.mask && width && x >= 0 && x < width && y >= 0) {
    const inMask = isSet(mark.mask, Math.floor(y) * width + Math.floor(x));
    return inMask ? (box ? box[2] * box[3] : maskOutline(mark.mask, width).area) : Infinity;
  }
  return inBox ? box[2] * box[3] : Infinity;
}
