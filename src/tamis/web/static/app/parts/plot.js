// The canvas of the embedding view: points, moving and zooming, the lasso, the picture beside the pointer.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../ui.js";
import { rgb, scoreColour } from "../colours.js";
import { drawPoints, mixed, NearestPoint, pixel } from "../draw/scatter.js";
import { useKeys } from "../keys.js";
import { isDark } from "../theme.js";

/**
 * @typedef {object} PlotData
 * @property {Uint16Array} x 0 to 65534
 * @property {Uint16Array} y
 * @property {Uint32Array} ids place of each point in the server's answers
 * @property {Uint32Array} samples number of the sample that each belongs to
 * @property {Uint8Array | null} [colour]
 */
/** @typedef {import("../wire.js").Legend} Legend */

const FULL = 65535;
const MARGIN = 0.04;
const LASSO_CORNERS = 80;
const HOVER_PX = 12;

/**
 * The colours of all bytes, as the canvas holds them, and how they look where they step back.
 * @param {Legend | null} legend
 * @param {[number, number, number]} background
 */
function palettes(legend, background) {
  const grey = /** @type {[number, number, number]} */ ([140, 148, 156]);
  const colours = Array.from({ length: 256 }, (_, byte) => {
    if (!legend || byte === legend.unknown) return grey;
    if (legend.kind === "number") return brightened(scoreColour(byte / 254), background);
    return legend.labels[byte] ? rgb(legend.labels[byte][1]) : grey;
  });
  return {
    palette: Uint32Array.from(colours, pixel),
    dimmed: Uint32Array.from(colours, () => pixel(mixed(background, grey, 0.3))),
  };
}

/** Lift dark colours from a dark ground. @param {[number, number, number]} colour @param {[number, number, number]} background */
const brightened = (colour, background) => (background[0] < 60 ? mixed(colour, [255, 255, 255], 0.22) : colour);

/**
 * @param {object} props
 * @param {PlotData} props.data
 * @param {Legend | null} props.palette
 * @param {Uint8Array | null} props.marked
 * @param {"move" | "lasso"} props.tool
 * @param {(polygon: [number, number][]) => void} props.onLasso
 * @param {(index: number) => void} props.onOpen
 * @param {(index: number) => any} props.hint draws what a point stands for
 * @param {string} props.label
 */
export function Plot({ data, palette: legend, marked, tool, onLasso, onOpen, hint, label }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [box, setBox] = useState({ width: 0, height: 0 });
  const [eye, setEye] = useState({ zoom: 1, x: 0.5, y: 0.5 });
  const [lasso, setLasso] = useState(/** @type {[number, number][]} */ ([]));
  const [hovered, setHovered] = useState({ index: -1, x: 0, y: 0 });
  const nearest = useMemo(() => new NearestPoint({ x: data.x, y: data.y, colour: new Uint8Array(0) }), [data.x]);
  const dark = isDark();
  const side = Math.max(1, Math.min(box.width, box.height)) * (1 - 2 * MARGIN) * eye.zoom;
  const view = { scale: side, x: box.width / 2 - eye.x * side, y: box.height / 2 - eye.y * side };

  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (frame.current);
    const watch = new ResizeObserver(() => setBox({ width: element.clientWidth, height: element.clientHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || box.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(box.width * ratio);
    element.height = Math.round(box.height * ratio);
    const background = /** @type {[number, number, number]} */ (dark ? [27, 31, 35] : [255, 255, 255]);
    const colour = data.colour && data.colour.length === data.x.length ? data.colour : new Uint8Array(data.x.length).fill(255);
    drawPoints(/** @type {CanvasRenderingContext2D} */ (element.getContext("2d")), { x: data.x, y: data.y, colour },
      { scale: view.scale * ratio, x: view.x * ratio, y: view.y * ratio },
      { ...palettes(legend, background), marked, size: Math.round(pointSize(data.x.length, eye.zoom) * ratio), background: pixel(background) });
  }, [data.x, data.colour, legend, marked, box, eye, dark]);

  const zoomAt = (/** @type {number} */ factor, /** @type {{x: number, y: number}} */ at) => setEye((old) => {
    const zoom = Math.max(0.8, Math.min(400, old.zoom * factor)), base = side / eye.zoom;
    const ux = (at.x - box.width / 2) / base, uy = (at.y - box.height / 2) / base;
    return { zoom, x: old.x + ux / old.zoom - ux / zoom, y: old.y + uy / old.zoom - uy / zoom };
  });
  const latest = useRef(zoomAt);
  latest.current = zoomAt;
  useEffect(() => {
    const element = /** @type {HTMLDivElement} */ (frame.current);
    const onWheel = (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      latest.current(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.002)), { x: event.clientX - left, y: event.clientY - top });
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, []);
  const middle = { x: box.width / 2, y: box.height / 2 };
  useKeys({ "+": () => zoomAt(1.5, middle), "=": () => zoomAt(1.5, middle), "-": () => zoomAt(1 / 1.5, middle), 0: () => setEye({ zoom: 1, x: 0.5, y: 0.5 }) });

  const inPlot = (/** @type {number} */ x, /** @type {number} */ y) => /** @type {[number, number]} */ ([Math.round(((x - view.x) / view.scale) * FULL), Math.round(((y - view.y) / view.scale) * FULL)]);
  const drag = useRef(/** @type {{x: number, y: number, moved: number} | null} */ (null));
  const at = (/** @type {PointerEvent} */ event) => {
    const { left, top } = /** @type {HTMLElement} */ (frame.current).getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const onDown = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    frame.current?.setPointerCapture(event.pointerId);
    drag.current = { ...at(event), moved: 0 };
    if (tool === "lasso") setLasso([[at(event).x, at(event).y]]);
  };
  const onMove = (/** @type {PointerEvent} */ event) => {
    const now = at(event), last = drag.current;
    if (!last) {
      const [x, y] = inPlot(now.x, now.y);
      setHovered({ index: nearest.find(x, y, (HOVER_PX / view.scale) * FULL), ...now });
      return;
    }
    last.moved += Math.abs(now.x - last.x) + Math.abs(now.y - last.y);
    if (tool === "lasso") setLasso((old) => [...old, [now.x, now.y]]);
    else setEye((old) => ({ ...old, x: old.x - (now.x - last.x) / view.scale, y: old.y - (now.y - last.y) / view.scale }));
    drag.current = { ...now, moved: last.moved };
  };
  const onUp = () => {
    const last = drag.current;
    drag.current = null;
    if (last && last.moved <= 4 && hovered.index >= 0) onOpen(hovered.index);
    if (tool === "lasso" && lasso.length > 3 && last && last.moved > 20) {
      const every = Math.ceil(lasso.length / LASSO_CORNERS);
      onLasso(lasso.filter((_, i) => i % every === 0).map(([x, y]) => inPlot(x, y)));
    }
    setLasso([]);
  };
  const hintPlace = { left: `${Math.min(hovered.x + 16, Math.max(0, box.width - 200))}px`, top: `${Math.min(hovered.y + 16, Math.max(0, box.height - 210))}px` };
  return html`
    <div class=${`plot ${tool}`} ref=${frame} role="group" aria-label=${label} onPointerDown=${onDown} onPointerMove=${onMove} onPointerUp=${onUp} onPointerLeave=${() => setHovered({ index: -1, x: 0, y: 0 })}>
      <canvas ref=${canvas} role="img" aria-label=${label}></canvas>
      ${lasso.length > 1 && html`<svg class="lasso" aria-hidden="true"><polygon points=${lasso.map((corner) => corner.join(",")).join(" ")} /></svg>`}
      ${hovered.index >= 0 && !drag.current && html`<div class="plot-hint" style=${hintPlace}>${hint(hovered.index)}</div>`}
    </div>`;
}

/** Few points are drawn large. @param {number} n @param {number} zoom */
const pointSize = (n, zoom) => Math.max(1.5, Math.min(12, (n > 200_000 ? 1.5 : n > 20_000 ? 2.5 : n > 2000 ? 4 : 8) * Math.sqrt(Math.min(4, Math.max(1, zoom)))));
