// The picks of a selection with their reasons; pins and rejections by hand, and the run that follows from them.

import { html } from "../ui.js";
import { send } from "../api.js";
import { count, counted, percent } from "../format.js";
import { useJson } from "../load.js";
import { change, go, href } from "../router.js";
import { useSending } from "../sending.js";
import { remember } from "../store.js";
import { Card } from "./card.js";
import { Icon } from "./icons.js";
import { Failed } from "./states.js";

/** @typedef {import("../wire.js").SelectionInfo} SelectionInfo */
/** @typedef {{pick: number, key: string, why: string, pinned: boolean, reasons: {strategy: string, objective: number | null, share: number, values: Record<string, any>}[]}} PickCard */

const PAGE = 24;
const SURE = 0.3; // weaker predictions would hide the picture
const BOX = { width: 300, height: 210 };

/** @param {{id: string, info: SelectionInfo, params: URLSearchParams}} props */
export function Picks({ id, info, params }) {
  const offset = Number(params.get("from") ?? 0);
  const page = { offset: String(offset), limit: String(PAGE) };
  const picks = useJson(`/api/selection/picks?${new URLSearchParams({ id, ...page })}`);
  const filter = JSON.stringify([{ type: "selection", id }]);
  const samples = useJson(`/api/samples?${new URLSearchParams({ filter, sort: "pick", ...page })}`);
  const pinned = keysOf(params, "pin"), rejected = keysOf(params, "reject");
  if (picks.error) return html`<${Failed} error=${picks.error} retry=${picks.reload} />`;
  const total = picks.data?.total ?? 0;
  const cards = new Map((samples.data?.samples ?? []).map((/** @type {any} */ one) => [one.key, one]));
  const toggle = (/** @type {"pin" | "reject"} */ name, /** @type {string} */ key) => {
    const now = { pin: pinned, reject: rejected }, other = name === "pin" ? "reject" : "pin";
    const next = now[name].includes(key) ? now[name].filter((one) => one !== key) : [...now[name], key];
    change({ [name]: listText(next), [other]: listText(now[other].filter((one) => one !== key)) }, { replace: true });
  };
  return html`
    <section aria-label="Picks"><div class="row picks-head"><h2>Picks</h2>${total > PAGE && html`<${Pager} offset=${offset} total=${total} />`}</div>
      <${ByHand} info=${info} pinned=${pinned} rejected=${rejected} />
      <ul class="picks">${(picks.data?.picks ?? []).map((/** @type {PickCard} */ pick) => html`
        <li key=${pick.key} class="panel pick">
          <${Card} card=${cards.get(pick.key)} box=${BOX} labels=${true} from=${SURE} sortedBy="" href=${href("/sample", { key: pick.key, filter, sort: "pick" })} />
          <div class="pick-text">
            <p class="pick-head"><b>${count(pick.pick)}</b>${pick.pinned && html` <span class="badge">pinned</span>`}<span class="spring"></span>
              <button type="button" class="icon quiet" title="Pin: pick it again, whatever decides" aria-label=${`Pin ${pick.key}`} aria-pressed=${String(pinned.includes(pick.key))} onClick=${() => toggle("pin", pick.key)}><${Icon} name="pin" /></button>
              <button type="button" class="icon quiet" title="Reject: never pick it" aria-label=${`Reject ${pick.key}`} aria-pressed=${String(rejected.includes(pick.key))} onClick=${() => toggle("reject", pick.key)}><${Icon} name="reject" /></button></p>
            <p>${pick.why}</p>
            <${Shares} reasons=${pick.reasons} />
          </div>
        </li>`)}</ul>
      ${total > PAGE && html`<${Pager} offset=${offset} total=${total} />`}
    </section>`;
}

/** How much of the decision each strategy made. @param {{reasons: PickCard["reasons"]}} props */
function Shares({ reasons }) {
  if (reasons.length < 2) return null;
  return html`<ul class="shares">${reasons.map((one) => html`
    <li><span class="object-name" title=${one.strategy}>${one.strategy}</span><span class="object-bar"><b style=${{ width: `${100 * one.share}%` }}></b></span><span>${percent(one.share)}</span></li>`)}</ul>`;
}

/** @param {URLSearchParams} params @param {string} name @returns {string[]} */
function keysOf(params, name) {
  try {
    const keys = JSON.parse(params.get(name) ?? "[]");
    return Array.isArray(keys) ? keys.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** @param {string[]} keys */
const listText = (keys) => (keys.length ? JSON.stringify(keys) : null);

/** Run again with what was pinned and rejected. @param {{info: SelectionInfo, pinned: string[], rejected: string[]}} props */
function ByHand({ info, pinned, rejected }) {
  const { request } = info;
  const join = (/** @type {string[]} */ old, /** @type {string[]} */ added, /** @type {string[]} */ undone) => [...new Set([...old, ...added])].filter((key) => !undone.includes(key));
  const { isSending, error, start } = useSending(async () => {
    const job = await send("POST", "/api/selections", { ...request, pinned: join(request.pinned, pinned, rejected), rejected: join(request.rejected, rejected, pinned) });
    remember(job);
    go(href("/select", { run: job.id }));
  });
  if (pinned.length + rejected.length === 0) return null;
  return html`
    <div class="notice by-hand"><span>${counted(pinned.length, "pick")} pinned, ${counted(rejected.length, "pick")} rejected.</span>
      <button type="button" class="primary" disabled=${isSending} onClick=${start}>Select again with these</button>
      <button type="button" class="quiet" onClick=${() => change({ pin: null, reject: null }, { replace: true })}>Undo</button>
      ${error && html`<span class="severity error" role="alert">${error.message}</span>`}</div>`;
}

/** @param {{offset: number, total: number}} props */
const Pager = ({ offset, total }) => html`
  <div class="row pager"><button type="button" class="icon" aria-label="Earlier picks" disabled=${offset === 0} onClick=${() => change({ from: Math.max(0, offset - PAGE) || null })}><${Icon} name="left" /></button>
    <span class="soft">${count(offset + 1)} to ${count(Math.min(total, offset + PAGE))} of ${count(total)}</span>
    <button type="button" class="icon" aria-label="Later picks" disabled=${offset + PAGE >= total} onClick=${() => change({ from: offset + PAGE })}><${Icon} name="right" /></button></div>`;
