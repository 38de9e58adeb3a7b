// Plain SVG charts, drawn in a fixed width of units and scaled by the style sheet.

import { html } from "../ui.js";
import { count, number, percent } from "../format.js";

const WIDTH = 320;

/**
 * @typedef {object} Bin
 * @property {number} low
 * @property {number} high
 * @property {number} count
 */

/**
 * Bars over equal bins, as wide as there is room; its numbers keep their size.
 * @param {{label: string, edges: number[], counts: number[], height?: number, onBin?: (low: number, high: number) => void}} props
 *   height: of the bars in pixels; onBin: called with the bounds of a bin that was clicked
 */
export function Histogram({ label, edges, counts, height = 90, onBin }) {
  const most = Math.max(1, ...counts), n = counts.length, step = WIDTH / Math.max(1, n);
  const tall = (/** @type {number} */ value) => (value === 0 ? 0 : Math.max(1.5, (value / most) * (height - 4)));
  const said = `${label}: ${counts.map((value, i) => `${number(edges[i])} to ${number(edges[i + 1])}: ${value}`).join("; ")}`;
  return html`
    <figure class="histogram">
      <svg viewBox=${`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" height=${height} role="img" aria-label=${said}>
        ${counts.map((value, i) => html`
          <g class=${onBin ? "bin pressable" : "bin"} onClick=${onBin && (() => onBin(edges[i], edges[i + 1]))}>
            <title>${number(edges[i])} to ${number(edges[i + 1])}: ${count(value)}</title>
            <rect class="hit" x=${i * step} y="0" width=${step} height=${height} />
            <rect class="bar" x=${i * step + 0.75} y=${height - tall(value)} width=${Math.max(0.5, step - Math.min(1.5, step / 4))} height=${tall(value)} />
          </g>`)}
      </svg>
      <figcaption aria-hidden="true"><span>${number(edges[0])}</span><span>${number(edges[edges.length - 1])}</span><span class="most">${count(most)}</span></figcaption>
    </figure>`;
}

/**
 * A list of names with bars; each may be a link.
 * @param {{rows: {name: string, count: number, colour?: string, href?: string, note?: string}[], total?: number, label: string}} props
 */
export function Bars({ rows, total, label }) {
  const most = Math.max(1, total ?? 0, ...rows.map((row) => row.count));
  return html`
    <ul class="bars" aria-label=${label}>
      ${rows.map((row) => {
        const inside = html`
          <span class="bar-name">${row.colour && html`<i class="swatch" style=${{ background: row.colour }}></i>`}<span title=${row.name}>${row.name}</span></span>
          <span class="bar-value">${count(row.count)}${row.note && html` <small>${row.note}</small>`}</span>
          <span class="bar-track"><b style=${{ width: `${(100 * row.count) / most}%` }}></b></span>`;
        return html`<li>${row.href ? html`<a href=${row.href}>${inside}</a>` : html`<span>${inside}</span>`}</li>`;
      })}
    </ul>`;
}

/**
 * Lines that share two axes, the first in front; `low` and `high` make a band behind a line.
 * @param {{label: string, xs: number[], lines: {name: string, kind: string, ys: (number | null)[], low?: (number | null)[], high?: (number | null)[]}[], xLabel: string, yLabel: string, mark?: number | null}} props
 */
export function Curves({ label, xs, lines, xLabel, yLabel, mark }) {
  const height = 170, left = 36, right = WIDTH - 6, top = 8, bottom = height - 30;
  const values = lines.flatMap((line) => [...line.ys, ...(line.high ?? [])]).filter((y) => y !== null && Number.isFinite(y));
  const most = Math.max(1e-9, .../** @type {number[]} */ (values)), first = xs[0] ?? 0, last = xs[xs.length - 1] ?? 1;
  const px = (/** @type {number} */ x) => left + ((x - first) / Math.max(1e-9, last - first)) * (right - left);
  const py = (/** @type {number} */ y) => bottom - (y / most) * (bottom - top);
  const points = (/** @type {(number | null)[]} */ ys) => ys.flatMap((y, i) => (y === null ? [] : [`${px(xs[i]).toFixed(1)},${py(y).toFixed(1)}`]));
  return html`
    <svg class="curves" viewBox=${`0 0 ${WIDTH} ${height}`} role="img" aria-label=${label}>
      ${[0, 0.5, 1].map((share) => html`
        <line class="gridline" x1=${left} x2=${right} y1=${py(most * share)} y2=${py(most * share)} />
        <text class="tick end" x=${left - 5} y=${py(most * share) + 3.5}>${number(most * share)}</text>`)}
      ${lines.toReversed().map((line) => html`
        ${line.low && line.high && html`<polygon class=${`band ${line.kind}`} points=${[...points(line.high), ...points(line.low).reverse()].join(" ")} />`}
        <polyline class=${`line ${line.kind}`} points=${points(line.ys).join(" ")} />`)}
      ${mark !== null && mark !== undefined && html`<line class="markline" x1=${px(mark)} x2=${px(mark)} y1=${top} y2=${bottom}><title>${xLabel} ${count(mark)}</title></line>`}
      <text class="tick" x=${left} y=${bottom + 13}>${count(first)}</text>
      <text class="tick end" x=${right} y=${bottom + 13}>${count(last)}</text>
      <text class="tick middle" x=${(left + right) / 2} y=${bottom + 25}>${xLabel}</text>
      <title>${yLabel}</title>
    </svg>`;
}

/**
 * How three groups are spread over bins: what was there, what was picked, what chance would pick; as shares.
 * @param {{label: string, edges: readonly number[], input: readonly number[] | null, selected: readonly number[], random: readonly number[]}} props
 */
export function ThreeSpreads({ label, edges, input, selected, random }) {
  const height = 110, n = selected.length, step = WIDTH / Math.max(1, n);
  const shares = (/** @type {readonly number[]} */ counts) => {
    const sum = counts.reduce((a, b) => a + b, 0);
    return counts.map((value) => (sum ? value / sum : 0));
  };
  const [all, picked, chance] = [shares(input ?? random), shares(selected), shares(random)];
  const most = Math.max(1e-9, ...all, ...picked, ...chance);
  const py = (/** @type {number} */ share) => height - (share / most) * (height - 6);
  const stairs = (/** @type {number[]} */ parts) => parts.flatMap((share, i) => [`${i * step},${py(share)}`, `${(i + 1) * step},${py(share)}`]).join(" ");
  return html`
    <svg class="spreads" viewBox=${`0 0 ${WIDTH} ${height + 18}`} role="img" aria-label=${label}>
      <polygon class="area input" points=${`0,${height} ${stairs(all)} ${WIDTH},${height}`} />
      <polyline class="line random" points=${stairs(chance)} />
      <polyline class="line selected" points=${stairs(picked)} />
      ${picked.map((share, i) => html`<rect class="hit" x=${i * step} y="0" width=${step} height=${height}>
        <title>${number(edges[i])} to ${number(edges[i + 1])}: input ${percent(all[i])}, selected ${percent(share)}, random ${percent(chance[i])}</title></rect>`)}
      <line class="axis" x1="0" x2=${WIDTH} y1=${height} y2=${height} />
      <text class="tick" x="0" y=${height + 14}>${number(edges[0])}</text>
      <text class="tick end" x=${WIDTH} y=${height + 14}>${number(edges[edges.length - 1])}</text>
    </svg>`;
}

/** What the colours of the three groups mean. */
export const SpreadLegend = () => html`
  <p class="legend"><span><i class="key input"></i>what could be picked</span><span><i class="key selected"></i>selected</span><span><i class="key random"></i>random, as many</span></p>`;
