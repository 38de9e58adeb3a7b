// The picks of a selection with their reasons; pins and rejections by hand, and the run that follows from them.

import { html } from "../ui.js";
import { send } from "../api.js";
import { count, percent } from "../format.js";
import { useJson } from "../load.js";
import { change, go, href } from "../router.js";
import { remember } from "../store.js";
import { changesOf, handOf, HandLists, handParams, toggled } from "./by_hand.js";
import { Card } from "./card.js";
import { Fault, useOnce } from "./controls.js";
import { Icon } from "./icons.js";
import { Failed } from "./states.js";

/** @typedef {import("../wire.js").SelectionInfo} SelectionInfo */
/** @typedef {{pick: number, key: string, name: string, why: string, pinned: boolean, reasons: {strategy: string, objective: number | null, share: number, values: Record<string, any>}[]}} PickCard */

const PAGE = 24;
const SURE = 0.3; // weaker predictions would hide the picture
const BOX = { width: 300, height: 210 };

/** @param {{id: string, info: SelectionInfo, params: URLSearchParams}} props */
export function Picks({ id, info, params }) {
  const offset = offsetIn(params.get("from"), info.n_picked ?? 0);
  const picks = useJson(`/api/selection/picks?${new URLSearchParams({ id, offset: String(offset), limit: String(PAGE) })}`);
  const filter = JSON.stringify([{ type: "selection", id }]);
  const hand = handOf(params, info.request);
  const setHand = (/** @type {import("./by_hand.js").Hand} */ next) => change(handParams(next, info.request), { replace: true });
  if (picks.error) return html`<${Failed} error=${picks.error} retry=${picks.reload} />`;
  const total = picks.data?.total ?? 0;
  const cards = new Map((picks.data?.samples ?? []).map((/** @type {any} */ one) => [one.key, one]));
  return html`
    <section aria-label="Picks"><div class="row picks-head"><h2>Picks</h2>${total > PAGE && html`<${Pager} offset=${offset} total=${total} />`}</div>
      <${ByHand} info=${info} hand=${hand} onHand=${setHand} />
      <ul class="picks">${(picks.data?.picks ?? []).map((/** @type {PickCard} */ pick) => html`
        <li key=${pick.pick} class="panel pick">
          ${cards.has(pick.key) ? html`<${Card} card=${cards.get(pick.key)} box=${BOX} labels=${true} from=${SURE} sortedBy="" href=${href("/sample", { key: pick.key, filter, sort: "pick", object: objectOf(pick) })} />` : html`<${Gone} name=${pick.key} />`}
          <div class="pick-text">
            <p class="pick-head"><b>${count(pick.pick)}</b>${pick.pinned && html` <span class="badge">pinned</span>`}<span class="spring"></span>
              <button type="button" class="icon quiet" title="Pin: pick it again, whatever decides" aria-label=${`Pin ${pick.key}`} aria-pressed=${String(hand.pinned.includes(pick.key))} onClick=${() => setHand(toggled(hand, "pinned", pick.key))}><${Icon} name="pin" /></button>
              <button type="button" class="icon quiet" title="Reject: never pick it" aria-label=${`Reject ${pick.key}`} aria-pressed=${String(hand.rejected.includes(pick.key))} onClick=${() => setHand(toggled(hand, "rejected", pick.key))}><${Icon} name="reject" /></button></p>
            <p>${pick.why}</p>
            <${Shares} reasons=${pick.reasons} />
          </div>
        </li>`)}</ul>
      ${total > PAGE && html`<${Pager} offset=${offset} total=${total} />`}
    </section>`;
}

/** How the view of a sample names the object that was picked, if it was one. @param {PickCard} pick */
function objectOf({ key, name }) {
  const [task, position] = name === key ? [] : name.slice(key.length + 1).split(/#(?=\d+$)/);
  return position && `${position}:${task}`;
}

/** A pick that is no sample any more. @param {{name: string}} props */
const Gone = ({ name }) => html`
  <div class="card"><div class="card-picture" style=${{ height: `${BOX.height}px` }}><span class="card-fault">Not in the datasource any more</span></div>
    <span class="card-name" title=${name}>${name}</span></div>`;

/** Where a page begins: what is no number is the first, what is beyond the end the last. @param {string | null} text @param {number} total */
function offsetIn(text, total) {
  const asked = Math.floor(Number(text ?? 0)) || 0;
  return asked < total ? Math.max(0, asked) : PAGE * Math.max(0, Math.ceil(total / PAGE) - 1);
}

/** How much of the decision each strategy made. @param {{reasons: PickCard["reasons"]}} props */
function Shares({ reasons }) {
  if (reasons.length < 2) return null;
  return html`<ul class="shares">${reasons.map((one) => html`
    <li><span class="object-name" title=${one.strategy}>${one.strategy}</span><span class="object-bar"><b style=${{ width: `${100 * one.share}%` }}></b></span><span>${percent(one.share)}</span></li>`)}</ul>`;
}

/** What is pinned and rejected, and the run that follows from a change of it. @param {{info: SelectionInfo, hand: import("./by_hand.js").Hand, onHand: (hand: import("./by_hand.js").Hand) => void}} props */
function ByHand({ info, hand, onHand }) {
  const changes = changesOf(hand, info.request);
  const { isBusy, error, start } = useOnce(async () => {
    const job = await send("POST", "/api/selections", { ...info.request, ...hand });
    remember(job);
    go(href("/select", { run: job.id }));
  });
  return html`
    ${changes && html`
      <div class="notice by-hand" role="status"><span>${changes}.</span>
        <button type="button" class="primary" disabled=${isBusy} onClick=${() => start()}>Select again with these</button>
        <button type="button" class="quiet" onClick=${() => change({ pin: null, reject: null }, { replace: true })}>Undo</button>
        <${Fault} error=${error} /></div>`}
    ${hand.pinned.length + hand.rejected.length > 0 && html`<div class="hand-lists"><${HandLists} hand=${hand} onHand=${onHand} /></div>`}`;
}

/** @param {{offset: number, total: number}} props */
const Pager = ({ offset, total }) => html`
  <div class="row pager"><button type="button" class="icon" aria-label="Earlier picks" disabled=${offset === 0} onClick=${() => change({ from: Math.max(0, offset - PAGE) || null })}><${Icon} name="left" /></button>
    <span class="soft">${count(offset + 1)} to ${count(Math.min(total, offset + PAGE))} of ${count(total)}</span>
    <button type="button" class="icon" aria-label="Later picks" disabled=${offset + PAGE >= total} onClick=${() => change({ from: offset + PAGE })}><${Icon} name="right" /></button></div>`;
