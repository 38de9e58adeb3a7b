// A million points on a canvas: each is written into the picture's pixels, which takes milliseconds without a GPU.

/** @typedef {{scale: number, x: number, y: number}} View screen = unit square * scale + (x, y), in device pixels */

/**
 * @typedef {object} Points
 * @property {Uint16Array} x 0 to 65535
 * @property {Uint16Array} y likewise, downwards
 * @property {Uint8Array} colour index into a palette
 */

const GRID = 256;

/**
 * Draw points of a few pixels; those that are marked last, over the others.
 * @param {CanvasRenderingContext2D} context
 * @param {Points} points
 * @param {View} view
 * @param {{palette: Uint32Array, dimmed: Uint32Array, marked: Uint8Array | null, size: number, background: number}} style
 *   colours as ABGR; `dimmed` is the palette of what is not marked, where something is
 */
export function drawPoints(context, points, view, style) {
  const { width, height } = context.canvas;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer).fill(style.background);
  const passes = style.marked ? [0, 1] : [-1];
  for (const pass of passes) {
    splat(pixels, width, height, points, view, pass === 0 ? style.dimmed : style.palette, pass, style);
  }
  context.putImageData(image, 0, 0);
}

/**
 * @param {Uint32Array} pixels
 * @param {number} width
 * @param {number} height
 * @param {Points} points
 * @param {View} view
 * @param {Uint32Array} palette
 * @param {number} pass 0 draws what is not marked, 1 what is, -1 all
 * @param {{marked: Uint8Array | null, size: number}} style
 */
function splat(pixels, width, height, points, view, palette, pass, { marked, size }) {
  const scale = view.scale / 65535, half = size >> 1;
  const { x, y, colour } = points, widths = discRows(size);
  for (let i = 0; i < x.length; i += 1) {
    if (pass >= 0 && marked && marked[i] !== pass) continue;
    const px = (x[i] * scale + view.x - half) | 0, py = (y[i] * scale + view.y - half) | 0;
    if (px < 0 || py < 0 || px + size > width || py + size > height) continue;
    const value = palette[colour[i]];
    if (size === 2) { // by far the most points are this small, where there are a million
      const first = py * width + px;
      pixels[first] = pixels[first + 1] = pixels[first + width] = pixels[first + width + 1] = value;
      continue;
    }
    for (let row = 0; row < size; row += 1) {
      const inset = (size - widths[row]) >> 1;
      for (let at = (py + row) * width + px + inset, last = at + widths[row]; at < last; at += 1) pixels[at] = value;
    }
  }
}

/** How wide each row of a point is: small ones are squares, larger ones discs. @param {number} size in pixels */
function discRows(size) {
  if (size < 4) return new Uint8Array(size).fill(size);
  const middle = (size - 1) / 2, radius = size / 2;
  return Uint8Array.from({ length: size }, (_, row) => 2 * Math.round(Math.sqrt(radius ** 2 - (row - middle) ** 2) - (size % 2 ? 0.5 : 0)) + (size % 2));
}

/** Finds the point nearest to a place, by a grid over the unit square. */
export class NearestPoint {
  /** @param {Points} points */
  constructor(points) {
    this.points = points;
    const n = points.x.length;
    this.starts = new Uint32Array(GRID * GRID + 1);
    for (let i = 0; i < n; i += 1) this.starts[this.cell(i) + 1] += 1;
    for (let i = 0; i < GRID * GRID; i += 1) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.members = new Uint32Array(n);
    for (let i = 0; i < n; i += 1) this.members[next[this.cell(i)]++] = i;
  }

  /** @param {number} i */
  cell(i) {
    return (this.points.y[i] >> 8) * GRID + (this.points.x[i] >> 8);
  }

  /**
   * @param {number} x 0 to 65535
   * @param {number} y likewise
   * @param {number} reach how far to look, in the same units
   * @returns {number} its index, or -1
   */
  find(x, y, reach) {
    let best = -1, smallest = reach * reach;
    const near = (/** @type {number} */ value) => Math.max(0, Math.min(GRID - 1, Math.floor(value / 256)));
    for (let row = near(y - reach); row <= near(y + reach); row += 1) {
      const from = this.starts[row * GRID + near(x - reach)], to = this.starts[row * GRID + near(x + reach) + 1];
      for (let at = from; at < to; at += 1) {
        const i = this.members[at];
        const distance = (this.points.x[i] - x) ** 2 + (this.points.y[i] - y) ** 2;
        if (distance <= smallest) [best, smallest] = [i, distance];
      }
    }
    return best;
  }
}

/** A colour as the pixels of a canvas hold it. @param {[number, number, number]} rgb */
export const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/**
 * A colour mixed with another.
 * @param {[number, number, number]} a
 * @param {[number, number, number]} b
 * @param {number} part of the second, in [0, 1]
 * @returns {[number, number, number]}
 */
export function mixed(a, b, part) {
  const mix = (/** @type {number} */ i) => Math.round(a[i] + (b[i] - a[i]) * part);
  return [mix(0), mix(1), mix(2)];
}
