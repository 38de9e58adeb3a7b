// Filters as the server reads them: a list of conditions, JSON text in the parameter `filter` of page and request alike.

import { categoryOf, columnsById } from "./store.js";
import { counted, number, words } from "./format.js";
import { change, place } from "./router.js";

/** @typedef {{type: string, exclude?: boolean} & Record<string, any>} Condition */

const isText = (/** @type {unknown} */ value) => typeof value === "string";
const isNumber = (/** @type {unknown} */ value) => typeof value === "number";
const isList = Array.isArray;
const may = (/** @type {(value: unknown) => boolean} */ be) => (/** @type {unknown} */ value) => value === undefined || value === null || be(value);

/** What the fields of each kind of condition hold, as far as the page reads them. @type {Record<string, Record<string, (value: unknown) => boolean>>} */
const FIELDS = {
  predictions: { task: isText, categories: may(isList), score_min: may(isNumber), score_max: may(isNumber), count_min: may(isNumber), count_max: may(isNumber) },
  file: { task: isText },
  number: { column: isText, min: may(isNumber), max: may(isNumber) },
  label: { column: isText, values: isList },
  path: { text: isText },
  problem: { code: may(isText), task: may(isText), severity: may(isText) },
  selection: { id: isText },
  pool: { name: isText },
  tag: { name: isText },
  sql: { query: isText },
  lasso: { space: isText, polygon: isList },
  duplicate: { distance: isNumber },
  keys: { keys: isList },
};

/**
 * The conditions of an address that can be read. The server is asked with all of them, and says what is wrong with the others.
 * @param {URLSearchParams} params
 * @returns {Condition[]}
 */
export function filterOf(params) {
  try {
    const conditions = JSON.parse(params.get("filter") ?? "[]");
    return isList(conditions) ? conditions.filter(isReadable) : [];
  } catch {
    return [];
  }
}

/** @param {any} one */
const isReadable = (one) => Object.hasOwn(FIELDS, one?.type) && Object.entries(FIELDS[one.type]).every(([name, holds]) => holds(one[name]));

/** @param {Condition[]} conditions */
export const filterText = (conditions) => (conditions.length === 0 ? null : JSON.stringify(conditions));

/** Show what meets other conditions, from the top. @param {Condition[]} conditions @param {{replace?: boolean}} [options] */
export function setFilter(conditions, options) {
  const hasLostOrder = place.peek().params.get("sort") === "pick" && !hasOrder(conditions);
  change({ filter: filterText(conditions), ...(hasLostOrder ? BY_NAME : {}), ...TOP }, options);
}

/** Whether conditions name samples in an order, which can be sorted by as `pick`. @param {Condition[]} conditions */
export const hasOrder = (conditions) => conditions.some((one) => !one.exclude && ["selection", "pool", "tag", "duplicate", "keys", "sql"].includes(one.type));

/** Changes of an address that sort its list by name. */
export const BY_NAME = { sort: null, descending: null };

/** Changes of an address that lead to the top of its list. */
export const TOP = { at: null, on: null, key: null };

/**
 * Which entries of a list an address names: the first in sight, and the one with the focus (-1: none).
 * @param {URLSearchParams} params
 */
export function placeIn(params) {
  const [at, on] = ["at", "on"].map((name) => (/^\d+$/.test(params.get(name) ?? "") ? Number(params.get(name)) : -1));
  return { first: at < 0 ? Math.max(0, on) : at, on };
}

/** Write the place of a list into the address. @param {number} first @param {number | null} on */
export const keepPlace = (first, on) => change({ at: first === 0 && on === null ? null : first, on, key: null }, { replace: true });

/**
 * The parameters that say which samples in which order.
 * @param {URLSearchParams} params
 */
export function listParams(params) {
  const list = new URLSearchParams();
  for (const name of ["filter", "sort", "descending"]) {
    const value = params.get(name);
    if (value) list.set(name, name === "descending" ? "true" : value);
  }
  return list;
}

/**
 * What the page asks of the predictions of one task, as its form shows it.
 * @typedef {object} TaskFilter
 * @property {number[]} categories
 * @property {"any" | "all" | "none"} mode
 * @property {number | null} score_min
 * @property {number | null} score_max
 * @property {number | null} count_min
 * @property {number | null} count_max
 */

/** @param {Condition[]} conditions @param {string} task @returns {TaskFilter} */
export function taskFilter(conditions, task) {
  const mine = conditions.filter((one) => one.type === "predictions" && one.task === task);
  const first = mine[0] ?? {};
  return {
    categories: mine.flatMap((one) => one.categories ?? []),
    mode: first.exclude ? "none" : mine.length > 1 ? "all" : "any",
    score_min: first.score_min ?? null,
    score_max: first.score_max ?? null,
    count_min: first.count_min ?? null,
    count_max: first.count_max ?? null,
  };
}

/** @param {Condition[]} conditions @param {string} task @param {TaskFilter} wanted @returns {Condition[]} */
export function withTaskFilter(conditions, task, wanted) {
  const others = conditions.filter((one) => !(one.type === "predictions" && one.task === task));
  const { categories, mode, ...limits } = wanted;
  const set = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
  if (categories.length === 0 && Object.keys(set).length === 0) return others;
  const base = { type: "predictions", task, ...(mode === "none" ? { exclude: true } : {}), ...set };
  if (categories.length === 0) return [...others, base];
  if (mode === "all") return [...others, ...categories.map((id) => ({ ...base, categories: [id] }))];
  return [...others, { ...base, categories }];
}

/** A condition in words. @param {Condition} one */
export function describe(one) {
  const text = sentence(one);
  return one.exclude ? `not: ${text}` : text;
}

/** @param {Condition} one */
function sentence(one) {
  switch (one.type) {
    case "predictions": return predictionsText(one);
    case "file": return `has a file of ${one.task}`;
    case "number": return `${columnLabel(one.column)} ${range(one.min, one.max)}${one.unknown ? " or unknown" : ""}`;
    case "label": return `${columnLabel(one.column)}: ${one.values.map((/** @type {string | null} */ value) => value ?? "unknown").join(", ")}`;
    case "path": return `name has “${one.text}”`;
    case "problem": return `has ${one.code ?? one.severity ?? "a problem"}${one.task ? ` in ${one.task}` : ""}`;
    case "selection": return `picked by ${one.id}`;
    case "pool": return `in pool ${one.name}`;
    case "tag": return `tagged ${one.name}`;
    case "sql": return `SQL: ${one.query}`;
    case "lasso": return "inside the lasso";
    case "duplicate": return `repeats another, at most ${number(one.distance)} apart`;
    case "keys": return counted(one.keys.length, "named sample");
    default: return one.type;
  }
}

/** @param {Condition} one */
function predictionsText(one) {
  const names = (one.categories ?? []).map((/** @type {number} */ id) => categoryOf(one.task, id)?.name ?? String(id));
  const limits = [
    one.score_min != null || one.score_max != null ? `score ${range(one.score_min, one.score_max)}` : "",
    (one.count_min ?? 1) !== 1 || one.count_max != null ? `${range(one.count_min ?? 1, one.count_max)} of them` : "",
  ].filter(Boolean);
  return [`${one.task}: ${names.join(" or ") || "any"}`, ...limits].join(", ");
}

/** @param {number | null | undefined} min @param {number | null | undefined} max */
function range(min, max) {
  if (min == null && max == null) return "of any value";
  if (min != null && max != null) return `${number(min)} to ${number(max)}`;
  return min != null ? `≥ ${number(min)}` : `≤ ${number(max)}`;
}

/** @param {string} id */
export function columnLabel(id) {
  const column = columnsById.value.get(id);
  return column ? `${column.group === "sample" || column.group === "metadata" ? "" : `${column.group} · `}${words(column.label)}` : id;
}
