// Between a view and an index that is not there yet, is being read, or is damaged.

import { html } from "../ui.js";
import { StartButton } from "./controls.js";
import { Work } from "./shell.js";
import { Empty, Failed, Loading } from "./states.js";
import { isReady, refresh, runningJobs, startScan, status, trouble } from "../store.js";

/**
 * Show the children once there is an index; until then what is missing and what to do.
 * @param {{early?: boolean, children?: any}} props early: they can do without the overview, and without predictions while these are being read
 */
export function WhenReady({ early = false, children }) {
  const now = status.value;
  if (isReady.value || (early && (now?.state === "loading" || now?.state === "ready"))) return children;
  if (trouble.value && !now) return html`<${Failed} error=${trouble.value} retry=${refresh} />`;
  if (!now) return html`<${Loading} />`;
  const scan = runningJobs.value.find((job) => job.kind === "scan");
  if (scan) return html`<${Empty} title="Scanning"><p>Every prediction is read and checked. The page opens by itself when it is done.</p><div class="wide-work"><${Work} job=${scan} /></div><//>`;
  if (now.state === "missing") return html`<${ScanFirst} title="Nothing was scanned yet" text=${now.message ?? "A scan reads every image's size and every prediction into an index that this page shows."} hint=${now.hint} />`;
  if (now.state === "broken") return html`<${ScanFirst} title="The index cannot be read" text=${now.message ?? "It is damaged or gone."} hint=${now.hint} />`;
  if (trouble.value) return html`<${Failed} error=${trouble.value} retry=${refresh} />`;
  return html`<${Loading} what=${now.message ?? "Reading the index"} />`;
}

/** @param {{title: string, text: string, hint: string | null}} props */
const ScanFirst = ({ title, text, hint }) => html`
  <${Empty} title=${title}>
    <p>${text}</p>
    ${hint && html`<p>${hint}</p>`}
    <${StartButton} class="primary" work=${() => startScan()}>Scan now<//>
  <//>`;
