// Sentences of the server, in which names and values stand in backticks.

import { html } from "../ui.js";

/** @param {{text: string | null | undefined}} props */
export const Prose = ({ text }) => (text ?? "").split(/(`[^`]+`)/).map((part) => (/^`.+`$/s.test(part) ? html`<code>${part.slice(1, -1)}</code>` : part));
