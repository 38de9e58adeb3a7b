// Small pictures, drawn in the colour of the text beside them.

import { html } from "../ui.js";

/** @type {Record<string, string>} */
const PATHS = {
  Overview: "M3 13h5V3H3zM3 17h5v-2H3zM10 17h7v-8h-7zM10 3v4h7V3z",
  Grid: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
  Objects: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M7 7h6v6H7z",
  Embedding: "M5 14.5h.01M8 10h.01M12 12h.01M11 6h.01M15 8h.01M15 14h.01M5 6h.01M9 15.5h.01",
  Duplicates: "M7 3h10v10H7zM13 13v4H3V7h4",
  Problems: "M10 3 2.5 16.5h15zM10 8v4M10 14.4v.1",
  Select: "M3 5h8M3 10h8M3 15h5M11.5 14l2.2 2.2L18 11.5",
  SQL: "M3 5c0-1.7 14-1.7 14 0v10c0 1.7-14 1.7-14 0zM3 5c0 1.7 14 1.7 14 0M3 10c0 1.7 14 1.7 14 0",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.4 4.4l1.1 1.1M14.5 14.5l1.1 1.1M4.4 15.6l1.1-1.1M14.5 5.5l1.1-1.1",
  moon: "M16.5 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.500 8.500z",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  keys: "M3 5.500h14v9H3zM6 8.500h.01M9 8.500h.01M12 8.500h.01M6.500 11.700h7",
  close: "M5 5l10 10M15 5 5 15",
  filter: "M3 4h14l-5.500 6.500V16l-3-1.500v-4z",
  left: "M12 4l-6 6 6 6",
  right: "M8 4l6 6-6 6",
  pin: "M7 3h6l-1 6 2.500 2.500h-9L8 9zM10 11.500V17",
  reject: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM5 5l10 10",
};

/** @param {{name: string}} props */
export const Icon = ({ name }) => html`
  <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width=${name === "Embedding" ? 2.6 : 1.6} stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`;
