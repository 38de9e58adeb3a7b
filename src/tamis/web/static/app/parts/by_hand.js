// What was decided by hand: the samples that a selection is to hold whatever decides, and those that it is not to hold.

import { html, useState } from "../ui.js";
import { count, counted } from "../format.js";
import { href } from "../router.js";

/** @typedef {{pinned: string[], rejected: string[]}} Hand */

const FEW = 12; // names that are listed at once

/** @type {Hand} */
export const NOTHING = { pinned: [], rejected: [] };

/** What an address says; where it says nothing, it is as it was. @param {URLSearchParams} params @param {Hand} before @returns {Hand} */
export const handOf = (params, before) => ({ pinned: keysOf(params, "pin") ?? before.pinned, rejected: keysOf(params, "reject") ?? before.rejected });

/** What an address is to say of it. @param {Hand} hand @param {Hand} before */
export const handParams = (hand, before) => ({ pin: listText(hand.pinned, before.pinned), reject: listText(hand.rejected, before.rejected) });

/** @param {URLSearchParams} params @param {string} name @returns {string[] | null} */
function keysOf(params, name) {
  try {
    const keys = JSON.parse(params.get(name) ?? "null");
    return Array.isArray(keys) ? keys.filter((one) => typeof one === "string") : null;
  } catch {
    return null;
  }
}

/** @param {string[]} keys @param {string[]} before */
const listText = (keys, before) => (isSame(keys, before) ? null : JSON.stringify(keys));

/** @param {string[]} a @param {string[]} b */
const isSame = (a, b) => a.length === b.length && without(a, b).length === 0;

/** @param {string[]} keys @param {string[]} others */
const without = (keys, others) => {
  const left = new Set(others);
  return keys.filter((key) => !left.has(key));
};

/** Pin a sample or reject it, which ends the other; or end it where it is so. @param {Hand} hand @param {keyof Hand} list @param {string} key @returns {Hand} */
export function toggled(hand, list, key) {
  const isIn = hand[list].includes(key);
  const rest = { pinned: without(hand.pinned, [key]), rejected: without(hand.rejected, [key]) };
  return isIn ? rest : { ...rest, [list]: [...rest[list], key] };
}

/** What changed, in words; empty where nothing did. @param {Hand} hand @param {Hand} before */
export function changesOf(hand, before) {
  const said = [
    { keys: without(hand.pinned, before.pinned), text: "pinned" }, { keys: without(before.pinned, hand.pinned), text: "released" },
    { keys: without(hand.rejected, before.rejected), text: "rejected" }, { keys: without(before.rejected, hand.rejected), text: "no longer rejected" },
  ];
  return said.filter((one) => one.keys.length > 0).map((one) => `${counted(one.keys.length, "sample")} ${one.text}`).join(", ");
}

/** The samples by name, each with a way to undo it. @param {{hand: Hand, onHand: (hand: Hand) => void}} props */
export const HandLists = ({ hand, onHand }) => html`
  <${Keys} title="Pinned" undo="Release" keys=${hand.pinned} onUndo=${(/** @type {string} */ key) => onHand(toggled(hand, "pinned", key))} />
  <${Keys} title="Rejected" undo="Take back" keys=${hand.rejected} onUndo=${(/** @type {string} */ key) => onHand(toggled(hand, "rejected", key))} />`;

/** @param {{title: string, undo: string, keys: string[], onUndo: (key: string) => void}} props */
function Keys({ title, undo, keys, onUndo }) {
  const [all, setAll] = useState(false);
  if (keys.length === 0) return null;
  const shown = all ? keys : keys.slice(0, FEW);
  return html`
    <div class="row" role="group" aria-label=${title}><span class="label">${title}</span>
      <ul class="chips">${shown.map((key) => html`
        <li key=${key} class="chip"><span><a href=${href("/sample", { key })} title=${key}>${key}</a></span><button type="button" title=${undo} aria-label=${`${undo} ${key}`} onClick=${() => onUndo(key)}>✕</button></li>`)}</ul>
      ${shown.length < keys.length && html`<button type="button" class="quiet" onClick=${() => setAll(true)}>${count(keys.length - shown.length)} more</button>`}
    </div>`;
}
