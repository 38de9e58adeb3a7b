// What every view needs to know: the state of the index, the tasks and columns, and the work that is going on.

import { computed, effect, signal } from "./ui.js";
import { ApiError, getJson, send } from "./api.js";

/** @typedef {import("./wire.js").Status} Status */
/** @typedef {import("./wire.js").Overview} Overview */
/** @typedef {import("./wire.js").ColumnInfo} ColumnInfo */
/** @typedef {import("./wire.js").Job} Job */
/** @typedef {import("./wire.js").TaskInfo} TaskInfo */
/** @typedef {import("./wire.js").CategoryInfo} CategoryInfo */

export const status = signal(/** @type {Status | null} */ (null));
export const overview = signal(/** @type {Overview | null} */ (null));
export const columns = signal(/** @type {ColumnInfo[]} */ ([]));
export const jobs = signal(/** @type {ReadonlyMap<string, Job>} */ (new Map()));
/** Why nothing can be shown. */
export const trouble = signal(/** @type {ApiError | null} */ (null));
/** Whether the server can be heard. */
export const connected = signal(true);

export const isReady = computed(() => status.value?.state === "ready" && overview.value !== null);
/** Changes whenever other answers are to be expected. */
export const version = computed(() => `${status.value?.snapshot} ${status.value?.state}`);
export const runningJobs = computed(() => [...jobs.value.values()].filter((job) => job.state === "running"));
/** Tasks by name, each with its categories by id. */
export const tasks = computed(() => new Map((overview.value?.tasks ?? []).map((task) => [
  task.name, { ...task, byId: new Map(task.categories.map((category) => [category.id, category])) },
])));
export const columnsById = computed(() => new Map(columns.value.map((column) => [column.id, column])));

/** @param {string} task @param {number} id @returns {CategoryInfo | undefined} */
export const categoryOf = (task, id) => tasks.value.get(task)?.byId.get(id);

/** Listen while somebody looks: a browser has six connections to a server, and each open tab would keep one. */
export function listen() {
  let events = /** @type {EventSource | null} */ (null);
  const follow = () => {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (!events) {
      events = hear();
      refresh();
    }
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

function hear() {
  const events = new EventSource("/api/events");
  events.addEventListener("open", () => { connected.value = true; });
  events.addEventListener("error", () => { connected.value = false; });
  events.addEventListener("status", (event) => { status.value = JSON.parse(event.data); });
  events.addEventListener("job", (event) => remember(JSON.parse(event.data)));
  return events;
}

/** Ask for the status anew. */
export async function refresh() {
  try {
    status.value = await getJson("/api/status");
    trouble.value = null;
  } catch (error) {
    if (error instanceof ApiError) trouble.value = error;
    else throw error;
  }
}

/** @param {Job} job */
export function remember(job) {
  jobs.value = new Map(jobs.value).set(job.id, job);
}

/** @param {boolean} full whether to read every file again */
export async function startScan(full = false) {
  remember(await send("POST", "/api/scan", { full }));
}

/** @param {string} id */
export async function cancel(id) {
  remember(await send("POST", "/api/job/cancel", { id }));
}

const shown = computed(() => (status.value?.state === "ready" ? status.value.snapshot : null));
effect(() => {
  if (shown.value) load();
  else overview.value = null;
});

async function load() {
  try {
    const [summary, list] = await Promise.all([getJson("/api/overview"), getJson("/api/columns")]);
    columns.value = list;
    overview.value = summary;
    trouble.value = null;
  } catch (error) {
    if (error instanceof ApiError) trouble.value = error;
    else throw error;
  }
}
