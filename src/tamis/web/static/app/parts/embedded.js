// The built-in embeddings, by which duplicates are found: whether they are there, and what makes them.

import { html, useState } from "../ui.js";
import { send } from "../api.js";
import { count, counted } from "../format.js";
import { useJson } from "../load.js";
import { jobs, remember } from "../store.js";
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
  const [error, setError] = useState(/** @type {any} */ (null));
  const [started, setStarted] = useState("");
  if (!state || state.missing === 0) return null;
  const job = jobs.value.get(state.job ?? started);
  if (job?.state === "running") return html`<div class="wide-work"><${Work} job=${job} /></div>`;
  const failed = error ?? (job && job.state !== "done" ? job : null);
  const make = () => send("POST", "/api/embeddings", {}).then((made) => {
    remember(made);
    setError(null);
    setStarted(made.id);
  }, setError);
  return html`
    <div class="notice embed-first">
      <span>Duplicates are found by the built-in embeddings, which ${state.missing === state.samples ? "no sample has yet" : `${count(state.missing)} of ${counted(state.samples, "sample")} do not have yet`}. They are made once, and again for what changes.</span>
      <button type="button" onClick=${make}>Make the embeddings</button>
      ${failed && html`<span class=${failed.state === "cancelled" ? "soft" : "severity error"} role="alert"><${Prose} text=${[failed.message, failed.hint].filter(Boolean).join(". ")} /></span>`}
    </div>`;
}
