// Runs before the first paint, so that a page chosen to be dark never flashes white.
(() => {
  try {
    const chosen = localStorage.getItem("tamis-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage can be forbidden; the system's preference then stands.
  }
})();
