// What the server answers, as types: `tamis.api.browsing` says the same in Python, and in more words.

/** @typedef {import("./draw/overlay.js").Mark} Mark */
/** @typedef {{version: string, source: string, lightly: string, index: string, state: "missing" | "loading" | "ready" | "broken", snapshot: string | null, scanned: string | null, samples: number, stale: string | null, message: string | null, hint: string | null, job: string | null}} Status */
/** @typedef {{edges: number[], counts: number[], all: number[] | null, unknown: number}} Bins */
/** @typedef {{id: number, name: string, colour: string, predictions: number, samples: number, keypoint_names: string[] | null, skeleton: [number, number][]}} CategoryInfo */
/** @typedef {{task_type: string, files: number, valid_files: number, predictions: number, samples_without_file: number}} TaskSummary */
/** @typedef {{name: string, summary: TaskSummary, categories: CategoryInfo[], scores: string[], prediction_scores: string[], score_bins: Bins, count_bins: Bins, has_boxes: boolean, has_masks: boolean, has_keypoints: boolean}} TaskInfo */
/** @typedef {{source: string, snapshot: string, scanned: string, samples: Record<string, number>, tasks: TaskInfo[], coverage: number[], metadata: Record<string, string>, videos: number, errors: number, warnings: number}} Overview */
/** @typedef {{id: string, label: string, group: string, kind: "number" | "label" | "text", min: number | null, max: number | null, unknown: number, values: [string, number][]}} ColumnInfo */
/** @typedef {{task: string, positions: number[], categories: number[], scores: (number | null)[], boxes?: (number[] | null)[], keypoints?: (number[] | null)[], probabilities?: (number | null)[], masks?: boolean, hidden?: number}} CardLayer */
/** @typedef {{number: number, key: string, width: number | null, height: number | null, video: string | null, frame: number | null, value: number | string | null, problems: number, layers: CardLayer[]}} SampleCard */
/** @typedef {{code: string, severity: string, task: string | null, file: string | null, sample: string | null, path: string | null, line: number | null, column: number | null, message: string, hint: string}} ProblemPlace */
/** @typedef {{position: number, category_id: number, category: string, score?: number | null, bbox?: number[], probabilities?: number[], mask?: number[], keypoints?: number[], scores?: Record<string, number | null>}} Prediction */
/** @typedef {{task: string, file: string | null, valid: boolean, scores: Record<string, number | null>, predictions: Prediction[]}} TaskOfSample */
/** @typedef {{number: number, key: string, kind: string, width: number | null, height: number | null, size_bytes: number | null, video: string | null, frame: number | null, metadata: Record<string, any>, tasks: TaskOfSample[], problems: ProblemPlace[], selections: string[], pools: string[], tags: string[]}} SampleDetail */
/** @typedef {{total: number, place: number | null, previous: string | null, next: string | null}} Neighbours */
/** @typedef {{video: string, n_frames: number, fps: number | null, keys: string[], frames: number[], columns: Record<string, (number | null)[]>}} Timeline */
/** @typedef {{number: number, key: string, position: number, category: number, score: number | null, box: number[] | null, value: number | null}} ObjectCard */
/** @typedef {{samples: number, all_samples: number, tasks: {task: string, samples_with_file: number, predictions: number, categories: {id: number, predictions: number, samples: number}[]}[]}} Counts */
/** @typedef {{code: string, severity: string, task: string | null, count: number, message: string, hint: string, examples: {file: string | null, path: string | null, line: number | null, column: number | null, message: string}[]}} ProblemGroup */
/** @typedef {{id: string, kind: "scan" | "selection" | "plot" | "embedding" | "duplicates", title: string, state: "running" | "done" | "failed" | "cancelled" | "interrupted", created: string, finished: string | null, stage: string, done: number, total: number | null, unit: string, note: string, per_sec: number | null, eta_secs: number | null, message: string | null, hint: string | null}} Job */
/** @typedef {{config: string, title: string, pool: string | null, pinned: string[], rejected: string[], filter: string, embeddings: string | null}} SelectionRequest */
/** @typedef {{job: Job, request: SelectionRequest, snapshot: string | null, n_requested: number | null, n_picked: number | null, n_candidates: number | null, left_out: Record<string, number>, duplicates_doubt: string | null, stopped: string | null}} SelectionInfo */
/** @typedef {{strategies: Record<string, string[]>, scores: Record<string, string[]>, objects: string[], metadata: Record<string, string>, pools: {name: string, members: number}[], tags: {name: string, members: number}[], embeddings: string[]}} ConfigOptions */
/** @typedef {{space: string, label: string, of: string, state: "ready" | "missing" | "running", job: string | null, version: string, is_stale: boolean, points: number, origin: string | null, explained: [number, number] | null}} PlotInfo */
/** @typedef {{kind: "number" | "label", label: string, min: number | null, max: number | null, labels: [string, string][], unknown: number}} Legend */
/** @typedef {{samples: number, missing: number, without: number, job: string | null, near: number}} EmbeddingState */
/** @typedef {{distance: number, state: "ready" | "missing" | "running", job: string | null, version: string, is_stale: boolean, embeddings: string | null, compared: number, exact: number, near: number, doubt: string | null}} DuplicatesInfo */
/** @typedef {{key: string, of: string, exact: boolean, distance: number}} DuplicatePair */

export {};
