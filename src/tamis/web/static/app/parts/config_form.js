// The form of a selection config: it speaks the config's words, and shows the file that it writes.

import { html, useEffect, useState } from "../ui.js";
import { send } from "../api.js";
import { duplicatesOf, EXTRA, INPUTS, kindOf, likeliestScore, newInput, newStrategy, paired, STRATEGIES, treeOf, withKey, withoutDuplicates } from "../config.js";
import { words } from "../format.js";
import { useJson } from "../load.js";
import { columns, tasks } from "../store.js";
import { Check, Choice, NumberField, Segmented, TextField } from "./controls.js";
import { Prose } from "./prose.js";

/** @typedef {import("../config.js").Tree} Tree */
/** @typedef {import("../config.js").Part} Part */
/** @typedef {import("../config.js").ConfigOptions} ConfigOptions */

/**
 * What the server says of a config, a moment after it changed.
 * @param {string} text
 * @returns {{faults: string[], config: Tree | null, yaml: string | null, checked: string}}
 */
export function useConfigCheck(text) {
  const [state, setState] = useState({ faults: /** @type {string[]} */ ([]), config: /** @type {Tree | null} */ (null), yaml: /** @type {string | null} */ (null), checked: "" });
  useEffect(() => {
    let isOld = false;
    const later = setTimeout(() => {
      send("POST", "/api/config/check", { config: text }).then(
        (answer) => { if (!isOld) setState({ ...answer, checked: text }); },
        (error) => { if (!isOld) setState({ faults: [error.message], config: null, yaml: null, checked: text }); },
      );
    }, 150);
    return () => {
      isOld = true;
      clearTimeout(later);
    };
  }, [text]);
  return state;
}

const FAULTY = "# To be mended:\n"; // a line by which the text is not taken for one that the form wrote

/**
 * @param {{text: string, options: ConfigOptions, check: ReturnType<typeof useConfigCheck>, near: number | null, onText: (text: string) => void}} props
 * near: the usual distance of near-duplicates, as far as it is known
 */
export function ConfigForm({ text, options, check, near, onText }) {
  const tree = treeOf(text);
  const [wanted, setWanted] = useState(/** @type {"" | "form" | "text"} */ (""));
  useEffect(() => {
    if (wanted === "" || check.checked !== text) return; // what was changed in the last moment must not be lost
    setWanted("");
    if (wanted === "text") onText(check.yaml ?? (tree ? `${FAULTY}${JSON.stringify(tree, null, 2)}` : text));
    else if (check.config) onText(JSON.stringify(check.config));
  }, [wanted, check.checked, text]);
  return html`
    <div class="row config-kind"><h2>What decides</h2><span class="spring"></span>
      <${Segmented} label="How the config is edited" value=${tree ? "form" : "text"} options=${[{ value: "form", text: "Form" }, { value: "text", text: "YAML" }]} onChange=${setWanted} /></div>
    ${tree ? html`<${TreeForm} tree=${tree} options=${options} near=${near} onTree=${(/** @type {Tree} */ next) => onText(JSON.stringify(next))} />`
      : html`<label class="field"><span class="visually-hidden">Config</span><textarea rows="14" spellcheck=${false} value=${text} onInput=${(/** @type {any} */ event) => onText(event.currentTarget.value)}></textarea></label>`}
    ${check.faults.length > 0 && html`<ul class="faults" role="alert">${check.faults.map((fault) => html`<li><${Prose} text=${fault} /></li>`)}</ul>`}`;
}

/** @param {{tree: Tree, options: ConfigOptions, near: number | null, onTree: (tree: Tree) => void}} props */
function TreeForm({ tree, options, near, onTree }) {
  const setPair = (/** @type {number} */ i, /** @type {any} */ pair) => onTree({ ...tree, strategies: tree.strategies.map((old, j) => (i === j ? pair : old)) });
  const remove = (/** @type {number} */ i) => onTree({ ...tree, strategies: tree.strategies.filter((_, j) => j !== i) });
  const add = () => onTree({ ...tree, strategies: [...tree.strategies, { input: { type: "RANDOM" }, strategy: { type: "WEIGHTS" } }] });
  const share = tree.proportion_samples !== undefined;
  const { n_samples: _n, proportion_samples: _p, ...rest } = tree;
  return html`
    <div class="row end budget">
      <${Choice} label="How much" value=${share ? "share" : "number"} options=${[{ value: "number", text: "Number of samples" }, { value: "share", text: "Share of the candidates" }]}
        onChange=${(/** @type {string} */ kind) => onTree(kind === "share" ? { proportion_samples: 0.1, ...rest } : { n_samples: 20, ...rest })} />
      ${share
        ? html`<${NumberField} label="Share, up to 1" min=${0} max=${1} step=${0.01} value=${tree.proportion_samples ?? null} onChange=${(/** @type {number | null} */ value) => onTree({ proportion_samples: value, ...rest })} />`
        : html`<${NumberField} label="Samples" min=${1} step=${1} value=${tree.n_samples ?? null} onChange=${(/** @type {number | null} */ value) => onTree({ n_samples: value, ...rest })} />`}
    </div>
    <ol class="strategies">
      ${tree.strategies.map((pair, i) => html`
        <li key=${i} class="strategy"><${PairForm} number=${i + 1} pair=${pair} options=${options} onPair=${(/** @type {any} */ next) => setPair(i, next)} />
          ${tree.strategies.length > 1 && html`<button type="button" class="quiet remove" aria-label=${`Remove strategy ${i + 1}`} onClick=${() => remove(i)}>✕</button>`}</li>`)}
    </ol>
    <button type="button" onClick=${add}>Add a strategy</button>
    <${LeftOut} tree=${tree} near=${near} onTree=${onTree} />`;
}

/** Whether what repeats others is left out. @param {{tree: Tree, near: number | null, onTree: (tree: Tree) => void}} props */
function LeftOut({ tree, near, onTree }) {
  const wanted = duplicatesOf(tree);
  const set = (/** @type {boolean | number} */ next) => onTree(withoutDuplicates(tree, next));
  return html`
    <div class="row left-out">
      <${Check} label="Leave out images that repeat others" checked=${wanted !== false} onChange=${set} />
      ${wanted !== false && html`<${NumberField} label="Largest distance; 0: exact copies only" min=${0} max=${1.99} step=${0.05} value=${typeof wanted === "number" ? wanted : null} placeholder=${near === null ? "" : String(near)} onChange=${(/** @type {number | null} */ value) => set(value ?? true)} />`}
    </div>`;
}

/** @param {{number: number, pair: {input: Part, strategy: Part}, options: ConfigOptions, onPair: (pair: any) => void}} props */
function PairForm({ number, pair, options, onPair }) {
  const { input, strategy } = pair;
  const setInput = (/** @type {Part} */ next) => onPair(paired(next, strategy, options));
  const setStrategy = (/** @type {Part} */ next) => onPair(paired(input, next, options));
  const allowed = options.strategies[kindOf(input)] ?? [];
  return html`
    <fieldset><legend class="visually-hidden">Strategy ${number}</legend>
      <div class="fields">
        <${Choice} label="Input" value=${kindOf(input)} options=${INPUTS.filter((one) => one.value in options.strategies)} onChange=${(/** @type {string} */ kind) => setInput(newInput(kind, options, [...tasks.value.keys()]))} />
        <${InputFields} input=${input} options=${options} onInput=${setInput} />
      </div>
      <div class="fields">
        <${Choice} label="Strategy" value=${strategy.type} options=${allowed.map((type) => ({ value: type, text: `${type}: ${STRATEGIES[type] ?? ""}` }))} onChange=${(/** @type {string} */ type) => setStrategy(newStrategy(type))} />
        <${StrategyFields} input=${input} strategy=${strategy} onStrategy=${setStrategy} />
      </div>
    </fieldset>`;
}

/** @param {{input: Part, options: ConfigOptions, onInput: (input: Part) => void}} props */
function InputFields({ input, options, onInput }) {
  const names = [...tasks.value.keys()];
  const set = (/** @type {string} */ key) => (/** @type {any} */ value) => onInput(withKey(input, key, value));
  const plain = (/** @type {string[]} */ values) => values.map((value) => ({ value, text: words(value) }));
  if (input.type === "SCORES") {
    return html`
      <${Choice} label="Task" value=${input.task} options=${Object.keys(options.scores).map((value) => ({ value, text: value }))} onChange=${(/** @type {string} */ task) => onInput({ ...input, task, score: (options.scores[task] ?? []).includes(input.score) ? input.score : likeliestScore(options.scores[task] ?? []) })} />
      <${Choice} label="Score" value=${input.score} options=${plain(options.scores[input.task] ?? [])} onChange=${set("score")} />`;
  }
  if (input.type === "EMBEDDINGS") {
    return html`
      <${Choice} label="Of" value=${input.task ?? ""} options=${[{ value: "", text: "whole images" }, ...options.objects.map((value) => ({ value, text: `objects of ${value}` }))]} onChange=${set("task")} />
      ${"tag_name" in input && html`<${QuerySet} name=${input.tag_name} options=${options} onName=${(/** @type {string} */ tag_name) => onInput({ ...input, tag_name })} />`}`;
  }
  if (input.type === "METADATA") return html`<${Choice} label="Key" value=${input.key} options=${Object.keys(options.metadata).map((value) => ({ value, text: value }))} onChange=${set("key")} />`;
  if (input.type === "RANDOM") return html`<${NumberField} label="Seed" step=${1} value=${input.random_seed ?? null} placeholder="0" onChange=${set("random_seed")} />`;
  return html`
    <${Choice} label="Task" value=${input.task} options=${names.map((value) => ({ value, text: value }))} onChange=${(/** @type {string} */ task) => onInput(withKey({ ...input, task }, "categories", null))} />
    ${input.name === "CATEGORY_COUNT" && html`<${ClassesOf} task=${input.task} chosen=${input.categories ?? []} onChange=${(/** @type {string[]} */ list) => onInput(withKey(input, "categories", list.length ? list : null))} />`}`;
}

const OTHER = "\n"; // what no tag or pool is called

/** What SIMILARITY looks for: a tag or a pool, or whatever else has a name. @param {{name: string, options: ConfigOptions, onName: (name: string) => void}} props */
function QuerySet({ name, options, onName }) {
  const known = [...options.tags.map((one) => ({ value: one.name, text: one.name, group: "Tags" })), ...options.pools.map((one) => ({ value: one.name, text: one.name, group: "Pools" }))];
  const isKnown = known.some((one) => one.value === name);
  return html`
    ${known.length > 0 && html`<${Choice} label="Query set" value=${isKnown ? name : OTHER} options=${[...known, { value: OTHER, text: "a sample or a file …", group: "Other" }]} onChange=${(/** @type {string} */ value) => onName(value === OTHER ? "" : value)} />`}
    ${!isKnown && html`<${SampleOrFile} name=${name} onName=${onName} />`}`;
}

/** @param {{name: string, onName: (name: string) => void}} props */
function SampleOrFile({ name, onName }) {
  const { data } = useJson(`/api/samples?${new URLSearchParams({ filter: JSON.stringify(name ? [{ type: "path", text: name }] : []), limit: "8", tasks: "[]" })}`);
  return html`
    <div class="query-file"><${TextField} label="Sample, or file below the datasource" value=${name} onChange=${onName} placeholder="e.g. queries/dark.jpg"
      offers=${(data?.samples ?? []).map((/** @type {{key: string}} */ one) => one.key)} />
      <small class="soft">A file is an image, a folder of images, or a list of keys. Pictures of files need embeddings that were made of pictures.</small></div>`;
}

/** Classes that count; none chosen means all. @param {{task: string, chosen: string[], onChange: (names: string[]) => void}} props */
function ClassesOf({ task, chosen, onChange }) {
  const left = (tasks.value.get(task)?.categories ?? []).filter((one) => !chosen.includes(one.name));
  return html`
    <div class="field"><${Choice} label="Classes that count" value="" options=${[{ value: "", text: chosen.length ? "Add another …" : "all" }, ...left.map((one) => ({ value: one.name, text: one.name }))]} onChange=${(/** @type {string} */ name) => name && onChange([...chosen, name])} />
      <div class="chips">${chosen.map((name) => html`<span class="chip"><span>${name}</span><button type="button" aria-label=${`Remove ${name}`} onClick=${() => onChange(chosen.filter((one) => one !== name))}>✕</button></span>`)}</div></div>`;
}

/** @param {{input: Part, strategy: Part, onStrategy: (strategy: Part) => void}} props */
function StrategyFields({ input, strategy, onStrategy }) {
  const set = (/** @type {string} */ key) => (/** @type {any} */ value) => onStrategy(withKey(strategy, key, value));
  const operations = { SMALLER: "<", SMALLER_EQUAL: "≤", BIGGER: ">", BIGGER_EQUAL: "≥" };
  const distributions = { UNIFORM: "all the same", INPUT: "as in the input", TARGET: "as I say" };
  return html`
    ${strategy.type === "THRESHOLD" && html`
      <${Choice} label="Keep values" value=${strategy.operation} options=${Object.entries(operations).map(([value, text]) => ({ value, text: `${text} (${value})` }))} onChange=${set("operation")} />
      <${NumberField} label="Threshold" value=${strategy.threshold ?? null} onChange=${(/** @type {number | null} */ threshold) => onStrategy({ ...strategy, threshold })} />`}
    ${strategy.type === "BALANCE" && html`
      <${Choice} label="Distribution" value=${strategy.distribution ?? "TARGET"} options=${Object.entries(distributions).map(([value, text]) => ({ value, text: `${text} (${value})` }))}
        onChange=${(/** @type {string} */ value) => onStrategy(value === "TARGET" ? { ...strategy, distribution: value, target: {} } : withKey({ ...strategy, distribution: value }, "target", null))} />`}
    ${strategy.type !== "THRESHOLD" && html`<${NumberField} label="Strength" value=${strategy.strength ?? null} placeholder="1" onChange=${set("strength")} />`}
    ${(EXTRA[strategy.type] ?? []).map((one) => html`<${NumberField} key=${one.key} label=${one.label} value=${strategy[one.key] ?? null} placeholder=${one.placeholder} onChange=${set(one.key)} />`)}
    ${strategy.type === "BALANCE" && strategy.target && html`<${Targets} names=${classNames(input)} target=${strategy.target} onTarget=${(/** @type {any} */ target) => onStrategy({ ...strategy, target })} />`}`;
}

/** @param {Part} input */
function classNames(input) {
  if (input.type === "PREDICTIONS") return (tasks.value.get(input.task)?.categories ?? []).map((one) => one.name);
  return (columns.value.find((one) => one.group === "metadata" && one.label === input.key)?.values ?? []).map(([text]) => text);
}

/** Shares that are aimed at. @param {{names: string[], target: Record<string, number>, onTarget: (target: Record<string, number>) => void}} props */
function Targets({ names, target, onTarget }) {
  const left = names.filter((name) => !(name in target));
  return html`
    <div class="targets">
      ${Object.entries(target).map(([name, value]) => html`<${NumberField} key=${name} label=${name} min=${0} step=${0.05} value=${value} onChange=${(/** @type {number | null} */ next) => onTarget(/** @type {any} */ (withKey(target, name, next)))} />`)}
      <${Choice} label="Class" value="" options=${[{ value: "", text: "Add a class …" }, ...left.map((name) => ({ value: name, text: name }))]} onChange=${(/** @type {string} */ name) => name && onTarget({ ...target, [name]: 0.5 })} />
    </div>`;
}
