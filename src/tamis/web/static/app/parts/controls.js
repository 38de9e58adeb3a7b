// Small controls that several views share.

import { html, useEffect, useId, useRef, useState } from "../ui.js";
import { number } from "../format.js";
import { Prose } from "./prose.js";

/** @typedef {import("../ui.js").Children} Children */

/**
 * Work that a press starts: while it runs, another press starts nothing.
 * @template {any[]} Args
 * @param {(...args: Args) => Promise<unknown>} work
 * @returns {{start: (...args: Args) => Promise<void>, isBusy: boolean, error: import("../api.js").ApiError | null}} error: why the last start failed
 */
export function useOnce(work) {
  const [state, setState] = useState({ isBusy: false, error: /** @type {any} */ (null) });
  const isRunning = useRef(false); // known at once, as two presses may come before anything is drawn
  const start = async (/** @type {Args} */ ...args) => {
    if (isRunning.current) return;
    isRunning.current = true;
    setState({ isBusy: true, error: null });
    const error = await work(...args).then(() => null, (fault) => fault);
    isRunning.current = false;
    setState({ isBusy: false, error });
  };
  return { start, ...state };
}

/** Why something could not be started; nothing where it was. @param {{error: {message: string | null, hint?: string | null} | null}} props */
export const Fault = ({ error }) => error && html`
  <span class="severity error" role="alert"><${Prose} text=${[error.message, error.hint].filter(Boolean).join(". ")} /></span>`;

/**
 * A button that starts something once, and says beside it why that failed. What else is given are attributes of the button.
 * @param {{work: () => Promise<unknown>, disabled?: boolean, children?: Children} & Record<string, any>} props
 */
export function StartButton({ work, disabled = false, children, ...attributes }) {
  const { start, isBusy, error } = useOnce(work);
  return html`<button type="button" ...${attributes} disabled=${disabled || isBusy} onClick=${() => start()}>${children}</button><${Fault} error=${error} />`;
}

/**
 * One of a few, as buttons side by side.
 * @param {{label: string, options: {value: string, text: string, title?: string}[], value: string, onChange: (value: string) => void}} props
 */
export const Segmented = ({ label, options, value, onChange }) => html`
  <div class="segmented" role="group" aria-label=${label}>
    ${options.map((one) => html`
      <button type="button" title=${one.title} aria-pressed=${String(one.value === value)} onClick=${() => onChange(one.value)}>${one.text}</button>`)}
  </div>`;

/**
 * One of many. Groups are headed by their name.
 * @param {{label: string, options: {value: string, text: string, group?: string}[], value: string, onChange: (value: string) => void, hideLabel?: boolean}} props
 */
export function Choice({ label, options, value, onChange, hideLabel = false }) {
  const groups = Map.groupBy(options, (one) => one.group ?? "");
  const option = (/** @type {{value: string, text: string}} */ one) => html`<option value=${one.value} selected=${one.value === value}>${one.text}</option>`;
  return html`
    <label class="field">
      <span class=${hideLabel ? "visually-hidden" : ""}>${label}</span>
      <select value=${value} onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.value)}>
        ${[...groups].map(([group, members]) => (group === "" ? members.map(option) : html`<optgroup label=${group}>${members.map(option)}</optgroup>`))}
      </select>
    </label>`;
}

/**
 * A number that may be absent; told when it is left or Enter is pressed, not at each key. What is beyond its limits, or a part of a
 * whole where `step` is 1, is not taken, and the field says so.
 * @param {{label: string, value: number | null, onChange: (value: number | null) => void, step?: number | "any", min?: number, max?: number, placeholder?: string, hideLabel?: boolean}} props
 */
export function NumberField({ label, value, onChange, step = "any", min, max, placeholder, hideLabel = false }) {
  const [text, setText] = useState(value === null ? "" : String(value));
  const [fault, setFault] = useState("");
  const about = useId();
  const told = useRef(value); // by Enter, and then again by leaving: the second must not undo what came between
  useEffect(() => {
    told.current = value;
    setText(value === null ? "" : String(value));
    setFault("");
  }, [value]);
  const tell = (/** @type {any} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.currentTarget), typed = input.value.trim();
    const wanted = typed === "" ? null : Number(typed);
    if (input.validity.badInput || !isTaken(wanted, { step, min, max })) {
      setFault(`Takes ${takenText({ step, min, max })}${typed && `, not ${typed}`}.`);
      input.value = value === null ? "" : String(value);
      setText(input.value);
    } else if (wanted !== told.current) {
      told.current = wanted;
      onChange(wanted);
    }
  };
  return html`
    <label class="field number-field">
      <span class=${hideLabel ? "visually-hidden" : ""}>${label}</span>
      <input type="number" step=${step} min=${min} max=${max} placeholder=${placeholder} value=${text} aria-invalid=${String(fault !== "")} aria-describedby=${fault ? about : undefined}
        onInput=${(/** @type {any} */ event) => { setText(event.currentTarget.value); setFault(""); }} onChange=${tell}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && tell(event)} />
    </label>
    ${fault && html`<small class="field-fault severity error" id=${about} role="alert">${fault}</small>`}`;
}

/** @typedef {{step: number | "any", min?: number, max?: number}} Limits */

/** @param {number | null} wanted @param {Limits} limits */
const isTaken = (wanted, { step, min, max }) => wanted === null || (wanted >= (min ?? -Infinity) && wanted <= (max ?? Infinity) && (step !== 1 || Number.isSafeInteger(wanted)));

/** @param {Limits} limits */
function takenText({ step, min, max }) {
  const limits = [min === undefined ? "" : `from ${number(min)}`, max === undefined ? "" : `up to ${number(max)}`].filter(Boolean).join(" ");
  return [step === 1 ? "whole numbers" : "numbers", limits].filter(Boolean).join(" ");
}

/**
 * A text, told a moment after the last key. Offers are likely texts to choose from.
 * @param {{label: string, value: string, onChange: (value: string) => void, placeholder?: string, search?: boolean, hideLabel?: boolean, offers?: string[]}} props
 */
export function TextField({ label, value, onChange, placeholder, search = false, hideLabel = false, offers = [] }) {
  const [text, setText] = useState(value);
  const list = useId();
  const last = useRef({ told: value, onChange });
  last.current.onChange = onChange; // what else was changed in the moment of waiting must not be undone
  useEffect(() => {
    // What was told comes back while the next letters are being written already: they stay.
    if (value !== last.current.told) setText(value);
    last.current.told = value;
  }, [value]);
  useEffect(() => {
    if (text === last.current.told) return undefined;
    const later = setTimeout(() => {
      last.current.told = text;
      last.current.onChange(text);
    }, 250);
    return () => clearTimeout(later);
  }, [text]);
  return html`
    <label class="field">
      <span class=${hideLabel ? "visually-hidden" : ""}>${label}</span>
      <input type=${search ? "search" : "text"} data-search=${search ? "" : undefined} value=${text} placeholder=${placeholder} autocomplete="off" spellcheck=${false}
        list=${offers.length > 0 ? list : undefined} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} />
      ${offers.length > 0 && html`<datalist id=${list}>${offers.map((one) => html`<option value=${one} />`)}</datalist>`}
    </label>`;
}

/** Hides what the model is less sure of. @param {{from: number, onChange: (from: number) => void}} props */
export const ScoreFrom = ({ from, onChange }) => html`
  <label class="slider"><span>Score from <b>${from.toFixed(2)}</b></span>
    <input type="range" min="0" max="1" step="0.01" value=${from} onInput=${(/** @type {any} */ event) => onChange(Number(event.currentTarget.value))} /></label>`;

/** @param {{label: string, checked: boolean, onChange: (checked: boolean) => void}} props */
export const Check = ({ label, checked, onChange }) => html`
  <label class="check"><input type="checkbox" checked=${checked} onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.checked)} />${label}</label>`;
