// Numbers, names and times for people.

const whole = new Intl.NumberFormat("en-GB");

/** @param {number} n */
export const count = (n) => whole.format(n).replaceAll(",", "\u2009");

/**
 * A count with its word.
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/**
 * A number with as many digits as help.
 * @param {number | null | undefined} value
 */
export function number(value) {
  if (value === null || value === undefined) return "unknown";
  if (Number.isInteger(value)) return count(value);
  const size = Math.abs(value);
  return size >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(size >= 10 ? 4 : 3)));
}

/** A score or probability. @param {number} value */
export const score = (value) => value.toFixed(2);

/** @param {number} share in [0, 1] */
export const percent = (share) => `${share > 0 && share < 0.01 ? "< 1" : Math.round(share * 100)} %`;

/** @param {number} secs */
export function duration(secs) {
  if (secs < 1) return "less than a second";
  if (secs < 90) return `${Math.round(secs)} s`;
  return secs < 5400 ? `${Math.round(secs / 60)} min` : `${(secs / 3600).toFixed(1)} h`;
}

/** @param {string} iso @param {{seconds?: boolean}} [options] seconds: to tell apart what has the same name */
export function moment(iso, { seconds = false } = {}) {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: seconds ? "medium" : "short" });
}

const LONGEST_NAME = 60;

/** A name for where it cannot be cut by its width. @param {string} name */
export const shortened = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME).trimEnd()}…` : name);

/** The last part of a key, and what is before it. @param {string} key @returns {[string, string]} */
export function splitKey(key) {
  const cut = key.lastIndexOf("/") + 1;
  return [key.slice(0, cut), key.slice(cut)];
}

/** A score's or column's name as words. @param {string} name */
export const words = (name) => name.replaceAll("_", " ");
