// The colours of categories: the report's, so that a category looks the same everywhere.

/** As `tamis.api.report.overlays.CATEGORY_COLOURS`; a test compares them. */
export const CATEGORY_COLOURS = [
  "#56b4e9", "#ffb000", "#19c39c", "#ff6f91", "#f0e442", "#b48cff",
  "#ff8c42", "#7bd84c", "#00d4d4", "#ff9ee5", "#c9d1d9", "#d6a56c",
];

/** @param {number} categoryId */
export const categoryColour = (categoryId) => CATEGORY_COLOURS[categoryId % CATEGORY_COLOURS.length];

/**
 * Blue to yellow through grey: ordered in lightness, and told apart by colour-blind readers.
 * @param {number} share in [0, 1]
 * @returns {[number, number, number]}
 */
export function scoreColour(share) {
  const stops = [[0, 34, 78], [53, 69, 109], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];
  const at = Math.min(0.99999, Math.max(0, share)) * (stops.length - 1);
  const low = stops[Math.floor(at)], high = stops[Math.floor(at) + 1], part = at % 1;
  const mix = (/** @type {number} */ i) => Math.round(low[i] + (high[i] - low[i]) * part);
  return [mix(0), mix(1), mix(2)];
}

/** @param {string} hex `#rrggbb` @returns {[number, number, number]} */
export function rgb(hex) {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
