// A picture to zoom into and move about, with predictions drawn over it.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";
import { drawLayers, markAt, sized } from "../draw/overlay.js";
import { pictureAddress } from "../marks.js";

/** @typedef {import("../draw/overlay.js").Layer} Layer */
/** @typedef {import("../draw/overlay.js").MarkRef} MarkRef */
/**
 * What part of a picture is seen: enlargement over fitting in, and the middle as shares of width and height.
 * @typedef {{zoom: number, x: number, y: number}} Eye
 */

/** @type {Eye} */
export const WHOLE = { zoom: 1, x: 0.5, y: 0.5 };
const NEAREST = 40;

/** @param {string | null} text @returns {Eye} */
export function readEye(text) {
  const [zoom, x, y] = (text ?? "").split(",").map(Number);
  return text && [zoom, x, y].every(Number.isFinite) && zoom >= 1 ? { zoom: Math.min(NEAREST, zoom), x, y } : WHOLE;
}

/** @param {Eye} eye */
export const writeEye = (eye) => (eye.zoom === 1 ? null : [eye.zoom.toFixed(3), eye.x.toFixed(4), eye.y.toFixed(4)].join(","));

/**
 * @param {{width: number, height: number}} picture
 * @param {{width: number, height: number}} box
 * @param {Eye} eye
 */
export function viewOf(picture, box, eye) {
  const scale = Math.min(box.width / picture.width, box.height / picture.height) * eye.zoom;
  return { scale, x: box.width / 2 - eye.x * picture.width * scale, y: box.height / 2 - eye.y * picture.height * scale };
}

/**
 * Enlarge about a place of the screen, which stays where it is.
 * @param {Eye} eye
 * @param {number} factor
 * @param {{width: number, height: number}} picture
 * @param {{width: number, height: number}} box
 * @param {{x: number, y: number}} [about] in the box, its middle by default
 * @returns {Eye}
 */
export function zoomed(eye, factor, picture, box, about = { x: box.width / 2, y: box.height / 2 }) {
  const zoom = Math.max(1, Math.min(NEAREST, eye.zoom * factor));
  if (zoom === 1) return WHOLE;
  const before = viewOf(picture, box, eye), after = viewOf(picture, box, { ...eye, zoom });
  const px = (about.x - before.x) / before.scale, py = (about.y - before.y) / before.scale;
  return held({
    zoom,
    x: eye.x + (px - (about.x - after.x) / after.scale) / picture.width,
    y: eye.y + (py - (about.y - after.y) / after.scale) / picture.height,
  });
}

/** Keep the middle on the picture. @param {Eye} eye @returns {Eye} */
const held = (eye) => ({ ...eye, x: Math.max(0, Math.min(1, eye.x)), y: Math.max(0, Math.min(1, eye.y)) });

/**
 * @param {object} props
 * @param {string} props.sampleKey
 * @param {{width: number | null, height: number | null}} props.size of the picture in pixels
 * @param {Layer[]} props.layers
 * @param {Eye} props.eye
 * @param {(eye: Eye) => void} props.onEye
 * @param {MarkRef | null} props.active
 * @param {(ref: MarkRef | null) => void} props.onPick
 * @param {boolean} props.labels
 * @param {string} props.title
 */
export function Stage({ sampleKey, size, layers, eye, onEye, active, onPick, labels, title }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [box, setBox] = useState({ width: 0, height: 0 });
  const [ratio, setRatio] = useState(window.devicePixelRatio);
  const [fault, setFault] = useState("");
  const picture = { width: size.width ?? 1, height: size.height ?? 1 };
  const view = viewOf(picture, box, eye);
  const latest = useRef({ eye, box, onEye });
  latest.current = { eye, box, onEye };

  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (frame.current);
    const watch = new ResizeObserver(() => {
      setBox({ width: element.clientWidth, height: element.clientHeight });
      setRatio(window.devicePixelRatio);
    });
    watch.observe(element);
    const onWheel = (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect(), now = latest.current;
      const speed = event.deltaMode === 1 ? 0.05 : 0.002;
      now.onEye(zoomed(now.eye, Math.exp(-event.deltaY * speed), picture, now.box, { x: event.clientX - left, y: event.clientY - top }));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      watch.disconnect();
      element.removeEventListener("wheel", onWheel);
    };
  }, [picture.width, picture.height]);

  useLayoutEffect(() => {
    if (!canvas.current || box.width === 0) return;
    drawLayers(sized(canvas.current, box.width, box.height), layers, view, { labels, active, pictureWidth: picture.width });
  }, [layers, box, eye, active, labels, ratio, size.width]);
  useEffect(() => setFault(""), [sampleKey]);

  const pointers = usePointers(frame, latest, picture, (x, y) => {
    const at = viewOf(picture, latest.current.box, latest.current.eye);
    onPick(markAt(layers, (x - at.x) / at.scale, (y - at.y) / at.scale, picture.width));
  });
  const place = { width: `${picture.width}px`, height: `${picture.height}px`, transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` };
  return html`
    <div class="stage" ref=${frame} role="group" aria-label=${title} ...${pointers}>
      ${fault
        ? html`<div class="state"><h2>This picture cannot be shown</h2><p>${fault}</p></div>`
        : html`<img key=${sampleKey} alt=${sampleKey} class=${view.scale > 2.5 ? "pixels" : ""} draggable=${false} src=${pictureAddress(sampleKey)} style=${place}
            onError=${() => whyNot(sampleKey).then(setFault)} />`}
      <canvas ref=${canvas} aria-hidden="true"></canvas>
    </div>`;
}

/** What the server says about a picture that did not come. @param {string} key */
async function whyNot(key) {
  try {
    const response = await fetch(pictureAddress(key));
    return (await response.json()).message ?? "The server gave no reason.";
  } catch {
    return "The browser cannot decode it.";
  }
}

/**
 * Drag to move, pinch to zoom, click to pick.
 * @param {{current: HTMLElement | null}} frame
 * @param {{current: {eye: Eye, box: {width: number, height: number}, onEye: (eye: Eye) => void}}} latest
 * @param {{width: number, height: number}} picture
 * @param {(x: number, y: number) => void} onClick
 */
function usePointers(frame, latest, picture, onClick) {
  const down = useRef(/** @type {Map<number, {x: number, y: number}>} */ (new Map()));
  const moved = useRef(0);
  const at = (/** @type {PointerEvent} */ event) => {
    const { left, top } = /** @type {HTMLElement} */ (frame.current).getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const spread = () => {
    const [a, b] = [...down.current.values()];
    return { far: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  return {
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0) return;
      frame.current?.setPointerCapture(event.pointerId);
      if (down.current.size === 0) moved.current = 0;
      down.current.set(event.pointerId, at(event));
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      const last = down.current.get(event.pointerId);
      if (!last) return;
      const now = at(event), { eye, box, onEye } = latest.current;
      const before = down.current.size === 2 ? spread() : null;
      down.current.set(event.pointerId, now);
      moved.current += Math.abs(now.x - last.x) + Math.abs(now.y - last.y);
      if (before) {
        const after = spread();
        onEye(zoomed(eye, after.far / Math.max(1, before.far), picture, box, after));
      } else if (moved.current > 4 && eye.zoom > 1) {
        const { scale } = viewOf(picture, box, eye);
        onEye(held({ ...eye, x: eye.x - (now.x - last.x) / (picture.width * scale), y: eye.y - (now.y - last.y) / (picture.height * scale) }));
      }
    },
    onPointerUp: (/** @type {PointerEvent} */ event) => {
      const last = down.current.get(event.pointerId);
      down.current.delete(event.pointerId);
      if (last && down.current.size === 0 && moved.current <= 4) onClick(last.x, last.y);
    },
    onPointerCancel: (/** @type {PointerEvent} */ event) => down.current.delete(event.pointerId),
  };
}
