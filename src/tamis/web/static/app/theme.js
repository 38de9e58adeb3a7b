// Dark or light: as the system says, until somebody chooses.

import { effect, signal } from "./ui.js";

/** @typedef {"auto" | "light" | "dark"} Theme */

const KEY = "tamis-theme";
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(systemIsDark.matches);
systemIsDark.addEventListener("change", (event) => { systemDark.value = event.matches; });

/** What was chosen. @type {import("@preact/signals").Signal<Theme>} */
export const theme = signal(stored());

/** Whether the page is dark now; canvases draw by it. */
export const isDark = () => theme.value === "dark" || (theme.value === "auto" && systemDark.value);

effect(() => {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

/** @param {Theme} chosen */
export function choose(chosen) {
  theme.value = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the page.
  }
}

/** @returns {Theme} */
function stored() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "auto";
}
