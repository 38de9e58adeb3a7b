// A video's scores frame by frame; a click goes to the frame.

import { html } from "../ui.js";
import { columnLabel } from "../filters.js";
import { count, number } from "../format.js";
import { useKeys } from "../keys.js";
import { useJson } from "../load.js";
import { change, wantedKey } from "../router.js";
import { Choice } from "./controls.js";
import { Icon } from "./icons.js";

const WIDTH = 1000, HEIGHT = 64;
const FAR = 10; // frames

/**
 * @param {{video: string, sampleKey: string, column: string | null, onFrame: (key: string) => void}} props
 */
export function VideoTimeline({ video, sampleKey, column, onFrame }) {
  const { data } = useJson(`/api/timeline?${new URLSearchParams({ key: video })}`);
  const at = data ? data.keys.indexOf(sampleKey) : -1;
  const step = (/** @type {number} */ by) => () => {
    if (!data) return;
    const now = wantedKey() ?? sampleKey;
    const key = data.keys[Math.max(0, Math.min(data.keys.length - 1, data.keys.indexOf(now) + by))];
    if (key !== now) onFrame(key);
  };
  useKeys({ ",": step(-1), ".": step(1), "<": step(-FAR), ">": step(FAR) });
  if (!data || at < 0) return html`<div class="timeline"></div>`;
  const names = Object.keys(data.columns);
  const shown = column && names.includes(column) ? column : names.find((name) => name.includes("entropy")) ?? names[0];
  const frame = data.frames[at];
  const time = data.fps ? `${(frame / data.fps).toFixed(2)} s, ` : "";
  return html`
    <section class="timeline" aria-label="Frames of the video">
      <div class="row timeline-head">
        <button type="button" class="icon" aria-label="One frame back" title="One frame back (,)" onClick=${step(-1)} disabled=${at === 0}><${Icon} name="left" /></button>
        <button type="button" class="icon" aria-label="One frame on" title="One frame on (.)" onClick=${step(1)} disabled=${at === data.keys.length - 1}><${Icon} name="right" /></button>
        <span>${time}frame ${count(frame)} of ${count(data.n_frames)}</span>
        <span class="spring"></span>
        ${names.length > 0 && html`<${Choice} hideLabel label="Value of each frame" value=${shown} options=${names.map((name) => ({ value: name, text: columnLabel(name) }))} onChange=${(/** @type {string} */ timeline) => change({ timeline }, { replace: true })} />`}
      </div>
      ${names.length > 0 && html`<p class="visually-hidden">Arrow keys move from frame to frame.</p><${Track} values=${data.columns[shown]} frames=${data.frames} at=${at} label=${columnLabel(shown)} onIndex=${(/** @type {number} */ i) => onFrame(data.keys[i])} />`}
    </section>`;
}

/**
 * @param {{values: (number | null)[], frames: number[], at: number, label: string, onIndex: (index: number) => void}} props
 */
function Track({ values, frames, at, label, onIndex }) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known), high = Math.max(...known, low + 1e-9);
  const px = (/** @type {number} */ i) => (i / Math.max(1, values.length - 1)) * WIDTH;
  const py = (/** @type {number} */ value) => HEIGHT - 3 - ((value - low) / (high - low)) * (HEIGHT - 6);
  const onClick = (/** @type {any} */ event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    onIndex(Math.max(0, Math.min(values.length - 1, Math.round(((event.clientX - left) / width) * (values.length - 1)))));
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const by = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, Home: -at, End: values.length - 1 - at })[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onIndex(Math.max(0, Math.min(values.length - 1, at + by)));
  };
  return html`
    <svg class="track" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="slider" tabindex="0" aria-label=${`Frame, with ${label}`}
      aria-valuemin=${frames[0]} aria-valuemax=${frames[frames.length - 1]} aria-valuenow=${frames[at]} aria-valuetext=${`frame ${frames[at]}, ${label} ${number(values[at])}`} onClick=${onClick} onKeyDown=${onKeyDown}>
      <rect class="hit" width=${WIDTH} height=${HEIGHT} />
      ${pieces(values).map((piece) => html`<polyline class="track-line" points=${piece.map(([i, value]) => `${px(i).toFixed(1)},${py(value).toFixed(1)}`).join(" ")} />`)}
      <line class="track-now" x1=${px(at)} x2=${px(at)} y1="0" y2=${HEIGHT} />
    </svg>`;
}

/** Lines break where a frame has no value; of very many frames the extremes of each stretch are drawn. @param {(number | null)[]} values */
function pieces(values) {
  /** @type {[number, number][][]} */
  const found = [[]];
  const every = Math.max(1, Math.floor(values.length / 1500));
  for (let i = 0; i < values.length; i += every) {
    const part = values.slice(i, i + every).filter((value) => value !== null);
    if (part.length === 0) found.push([]);
    else for (const value of new Set([Math.min(...part), Math.max(...part)])) found[found.length - 1].push([i, value]);
  }
  return found.filter((piece) => piece.length > 0);
}
