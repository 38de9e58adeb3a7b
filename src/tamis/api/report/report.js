"use strict";
// Niceties only: without this script the page shows everything.
document.documentElement.classList.add("js");
const cards = [...document.querySelectorAll(".card")];
const minimum = document.getElementById("minimum");
const search = document.getElementById("search");
const found = document.getElementById("found");

minimum?.addEventListener("input", () => {
  document.getElementById("minimum-text").textContent = Number(minimum.value).toFixed(2);
  for (const mark of document.querySelectorAll("[data-s]")) {
    mark.classList.toggle("below", Number(mark.dataset.s) < Number(minimum.value));
  }
});

search?.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  let n = 0;
  for (const card of cards) {
    const fits = card.textContent.toLowerCase().includes(wanted);
    card.hidden = !fits;
    n += fits;
  }
  found.textContent = wanted ? `${n} of ${cards.length}` : "";
});
