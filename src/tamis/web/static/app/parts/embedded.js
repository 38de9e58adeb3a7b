// The built-in embeddings, by which duplicates are found: whether they are there, and what makes them.

import { html, useState } from "../ui.js";
import { send } from "../api.js";
import { count, counted } from "../format.js";
import { useJson } from "../load.js";
import { jobs, remember } from "../store.js";
import { Fault, useOnce } from "./controls.js";
import { Prose } from "./prose.js";
import { Work } from "./shell.js";

/** @typedef {import("../wire.js").EmbeddingState} EmbeddingState */

/**
 * How much has built-in embeddings, asked anew when a job ends that may have made some.
 * @param {boolean} isWanted
 * @returns {import("../load.js").Loaded<EmbeddingState>}
 */
export function useEmbeddings(isWanted) {
  const states = [...jobs.value.values()].filter((job) => job.kind === "embedding" || job.kind === "duplicates").map((job) => job.state).join();
  return useJson(isWanted ? `/api/embeddings#${states}` : null);
}

/** What is missing, and the button that makes it; nothing where nothing is. @param {{state: EmbeddingState | null}} props */
export function EmbedFirst({ state }) {
  const [started, setStarted] = useState("");
  const { isBusy, error, start } = useOnce(async () => {
    const made = await send("POST", "/api/embeddings", {});
    remember(made);
    setStarted(made.id);
  });
  if (!state || state.missing === 0) return null;
  const job = jobs.value.get(state.job ?? started);
  if (job?.state === "running") return html`<div class="wide-work"><${Work} job=${job} /></div>`;
  const ended = job && job.state !== "done" ? job : null, isCancelled = ended?.state === "cancelled";
  return html`
    <div class="notice embed-first">
      <span>Duplicates are found by the built-in embeddings, which ${state.missing === state.samples ? "no sample has yet" : `${count(state.missing)} of ${counted(state.samples, "sample")} do not have yet`}. They are made once, and again for what changes.</span>
      <button type="button" disabled=${isBusy} onClick=${() => start()}>Make the embeddings</button>
      <${Fault} error=${error ?? (isCancelled ? null : ended)} />
      ${!error && isCancelled && html`<span class="soft" role="status"><${Prose} text=${ended.message ?? "Cancelled"} /></span>`}
    </div>`;
}
