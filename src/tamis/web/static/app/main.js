// The page starts here: listen to the server, to the address and to keys, and draw the view that the address names.

import { html, render, useEffect, useRef } from "./ui.js";
import { splitKey } from "./format.js";
import { listenToKeys } from "./keys.js";
import { Help, Rail } from "./parts/shell.js";
import { followLinks, place } from "./router.js";
import { listen } from "./store.js";
import { DuplicatesView } from "./views/duplicates.js";
import { EmbeddingView } from "./views/embedding.js";
import { GridView } from "./views/grid.js";
import { ObjectsView } from "./views/objects.js";
import { OverviewView } from "./views/overview.js";
import { ProblemsView } from "./views/problems.js";
import { SampleView } from "./views/sample.js";
import { SelectView } from "./views/select.js";
import { SqlView } from "./views/sql.js";
import { Empty } from "./parts/states.js";
import { WhenReady } from "./parts/ready.js";

/** @type {Record<string, {title: string, view: any, fixed?: boolean, early?: boolean}>} */
const ROUTES = {
  "/": { title: "Overview", view: OverviewView },
  "/grid": { title: "Grid", view: GridView, fixed: true, early: true },
  "/sample": { title: "Sample", view: SampleView, fixed: true },
  "/objects": { title: "Objects", view: ObjectsView, fixed: true },
  "/embedding": { title: "Embedding", view: EmbeddingView, fixed: true },
  "/duplicates": { title: "Duplicates", view: DuplicatesView, fixed: true },
  "/problems": { title: "Problems", view: ProblemsView },
  "/select": { title: "Select", view: SelectView },
  "/sql": { title: "SQL", view: SqlView },
};

function App() {
  const { path, params } = place.value, route = ROUTES[path];
  const key = path === "/sample" ? params.get("key") : null;
  useEffect(() => { document.title = [key && splitKey(key)[1], route?.title, "tamis"].filter(Boolean).join(" · "); }, [route, key]);
  const before = useRef(path);
  useEffect(() => {
    // What had the focus is gone with the view before: the next Tab starts in this one.
    if (before.current !== path && document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <div class="app">
      <${Rail} />
      <main id="main" class=${route?.fixed ? "main fixed" : "main"} tabindex="-1">
        ${route
          ? html`<${WhenReady} key=${path} early=${route.early}><${route.view} params=${params} /><//>`
          : html`<${Empty} title="There is no such view"><p><a href="/">Go to the overview</a></p><//>`}
      </main>
    </div>
    <${Help} />`;
}

followLinks();
listenToKeys();
listen();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
render(html`<${App} />`, root);
