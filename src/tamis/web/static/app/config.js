// A selection config as the form edits it: the same tree as the file, with the config's own words.

/** @typedef {Record<string, any>} Part */
/** @typedef {{input: Part, strategy: Part}} Pair */
/** @typedef {{n_samples?: number | null, proportion_samples?: number | null, select?: Part, strategies: Pair[]}} Tree */
/** @typedef {import("./wire.js").ConfigOptions} ConfigOptions */

/** Kinds of input as the table of inputs and strategies names them, with what they mean. */
export const INPUTS = [
  { value: "SCORES", text: "Score of a task" },
  { value: "EMBEDDINGS", text: "Embeddings" },
  { value: "PREDICTIONS CLASS_DISTRIBUTION", text: "Predicted classes" },
  { value: "PREDICTIONS CATEGORY_COUNT", text: "Number of predictions" },
  { value: "METADATA", text: "Metadata" },
  { value: "RANDOM", text: "Random numbers" },
];

/** @type {Record<string, string>} */
export const STRATEGIES = {
  DIVERSITY: "as different as possible",
  SIMILARITY: "near to a query set",
  TYPICALITY: "with near neighbours",
  WEIGHTS: "large values first",
  THRESHOLD: "keep only what passes",
  BALANCE: "near to a distribution",
};

/** Numbers that a strategy takes beside its strength. @type {Record<string, {key: string, label: string, placeholder: string}[]>} */
export const EXTRA = {
  DIVERSITY: [{ key: "stopping_condition_minimum_distance", label: "Stop below this distance", placeholder: "never" }],
  WEIGHTS: [{ key: "stopping_condition_max_sum", label: "Stop at this sum", placeholder: "never" }],
  TYPICALITY: [
    { key: "num_nearest_neighbors", label: "Neighbours", placeholder: "20" },
    { key: "stopping_condition_minimum_typicality", label: "Stop below this typicality", placeholder: "never" },
  ],
};

/** @param {Part} input */
export const kindOf = (input) => (input.type === "PREDICTIONS" ? `PREDICTIONS ${input.name}` : String(input.type));

/**
 * An input of a kind with the likeliest values.
 * @param {string} kind
 * @param {ConfigOptions} options
 * @param {string[]} tasks
 * @returns {Part}
 */
export function newInput(kind, options, tasks) {
  const [type, name] = kind.split(" ");
  if (type === "SCORES") {
    const task = Object.keys(options.scores).find((one) => options.scores[one].length > 0) ?? "";
    return { type, task, score: likeliestScore(options.scores[task] ?? []) };
  }
  if (type === "METADATA") return { type, key: Object.keys(options.metadata)[0] ?? "" };
  if (type === "PREDICTIONS") return { type, task: tasks[0] ?? "", name };
  return { type };
}

/** @param {string[]} scores */
export const likeliestScore = (scores) => scores.find((one) => one === "uncertainty_entropy") ?? scores[0] ?? "";

/** @param {string} type @returns {Part} */
export function newStrategy(type) {
  if (type === "THRESHOLD") return { type, threshold: 0.5, operation: "BIGGER_EQUAL" };
  if (type === "BALANCE") return { type, distribution: "UNIFORM" };
  return { type };
}

/**
 * Give a strategy to an input that takes it, and what the two need of each other.
 * @param {Part} input
 * @param {Part} strategy
 * @param {ConfigOptions} options
 * @returns {Pair}
 */
export function paired(input, strategy, options) {
  const allowed = options.strategies[kindOf(input)] ?? [];
  const fitting = allowed.includes(strategy.type) ? strategy : newStrategy(allowed[0] ?? "WEIGHTS");
  const { tag_name: tag, ...rest } = input;
  if (input.type !== "EMBEDDINGS" || fitting.type !== "SIMILARITY") return { input: rest, strategy: fitting };
  return { input: { ...rest, tag_name: tag ?? (options.tags[0] ?? options.pools[0])?.name ?? "" }, strategy: fitting };
}

/** What the form starts with: uncertain and different. @param {ConfigOptions} options @param {string[]} tasks @returns {Tree} */
export function firstTree(options, tasks) {
  const diverse = { input: { type: "EMBEDDINGS" }, strategy: { type: "DIVERSITY" } };
  const hasScore = Object.values(options.scores).some((scores) => scores.length > 0);
  const uncertain = { input: newInput("SCORES", options, tasks), strategy: { type: "WEIGHTS" } };
  return { n_samples: 20, strategies: hasScore ? [uncertain, diverse] : [diverse] };
}

/** Set a key, or remove it where there is no value. @param {Part} part @param {string} key @param {any} value @returns {Part} */
export function withKey(part, key, value) {
  const { [key]: _, ...rest } = part;
  return value === null || value === "" || value === undefined ? rest : { ...rest, [key]: value };
}

/**
 * What is left out for repeating others: `true` is the usual distance, a number is the largest.
 * @param {Tree} tree
 * @returns {boolean | number}
 */
export const duplicatesOf = (tree) => tree.select?.without_duplicates ?? false;

/** @param {Tree} tree @param {boolean | number} wanted @returns {Tree} */
export function withoutDuplicates(tree, wanted) {
  const select = withKey(tree.select ?? {}, "without_duplicates", wanted === false ? null : wanted);
  const { select: _, ...rest } = tree;
  return Object.keys(select).length === 0 ? rest : { ...rest, select };
}

/** @param {string} text @returns {Tree | null} null where the text is not one that the form wrote */
export function treeOf(text) {
  try {
    const tree = JSON.parse(text);
    return tree && Array.isArray(tree.strategies) && tree.strategies.every((/** @type {any} */ pair) => pair?.input?.type && pair?.strategy?.type) ? tree : null;
  } catch {
    return null;
  }
}
