"""Answers about work: jobs, selections, plots and queries."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from tamis.api.browsing.values_samples import SampleCard


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""


class JobKind(StrEnum):
    """What a job does."""

    SCAN = "scan"
    SELECTION = "selection"
    PLOT = "plot"
    EMBEDDING = "embedding"
    DUPLICATES = "duplicates"


class JobState(StrEnum):
    """How far a job is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its process was killed


class Job(_Value, frozen=True, kw_only=True):
    """Work in a process of its own.

    Attributes:
        id: sortable by time.
        kind: what it does.
        title: in words.
        state: how far it is.
        created: ISO 8601.
        finished: likewise, `None` while it runs.
        stage: what is being done.
        done: how much of it, in units.
        total: how much there is.
        unit: what is counted.
        note: something to show beside it.
        per_sec: units a second.
        eta_secs: how long the stage will still take.
        message: why it failed, or what it did.
        hint: what to do about it.
    """

    id: str
    kind: JobKind
    title: str
    state: JobState
    created: str
    finished: str | None = None
    stage: str = ""
    done: int = 0
    total: int | None = None
    unit: str = ""
    note: str = ""
    per_sec: float | None = None
    eta_secs: float | None = None
    message: str | None = None
    hint: str | None = None


class SelectionRequest(_Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A selection to run.

    Attributes:
        config: text of a config, YAML or JSON.
        title: what the selection is called.
        pool: name of the pool whose members count as selected.
        pinned: keys that are picked whatever the config says: they come first, and the rest is chosen with them.
        rejected: keys that are not to be picked.
        filter: only samples that meet it may be picked; JSON as in `filter` of other requests.
        embeddings: path of an embeddings file below the datasource, `None`: vectors made from the predictions.
    """

    config: str
    title: str = ""
    pool: str | None = None
    pinned: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    filter: str = "[]"
    embeddings: str | None = None


class ConfigCheck(_Value, frozen=True, kw_only=True):
    """Whether a config can be run.

    Attributes:
        faults: what is wrong, each with its place; empty where nothing is.
        config: as plain values, `None` where it has faults.
        yaml: the same as text, defaults left out.
    """

    faults: list[str]
    config: Any | None = None
    yaml: str | None = None


class SelectionInfo(_Value, frozen=True, kw_only=True):
    """A selection that was run.

    Attributes:
        job: how far it is; its id is that of the selection.
        request: what was asked for.
        snapshot: what it was made from; may be older than what is shown.
        n_requested: how many picks were asked for.
        n_picked: how many were made.
        n_candidates: how many samples could have been picked.
        left_out: how many could not, by reason.
        duplicates_doubt: why those that repeat others may be no duplicates, `None` where nothing speaks for that.
        stopped: why it ended early.
    """

    job: Job
    request: SelectionRequest
    snapshot: str | None = None
    n_requested: int | None = None
    n_picked: int | None = None
    n_candidates: int | None = None
    left_out: dict[str, int] = {}
    duplicates_doubt: str | None = None
    stopped: str | None = None


class Reason(_Value, frozen=True, kw_only=True):
    """What one strategy had to do with a pick.

    Attributes:
        strategy: its name.
        objective: its value with this pick; `None` for the first pick of DIVERSITY.
        share: how much of the decision it made, in [0, 1].
        values: what it saw, by name, e.g. `value`, `nearest`, `distance`.
    """

    strategy: str
    objective: float | None
    share: float
    values: dict[str, Any]


class PickCard(_Value, frozen=True, kw_only=True):
    """A pick and why it was made.

    Attributes:
        pick: its number, 1 is the first.
        key: of the sample, or of the sample that holds the object.
        name: what was picked: the key, or `KEY#TASK#POSITION` of an object.
        why: in words.
        pinned: whether it was pinned.
        reasons: in the order of the strategies.
    """

    pick: int
    key: str
    name: str
    why: str
    pinned: bool
    reasons: list[Reason]


class PickPage(_Value, frozen=True, kw_only=True):
    """Part of the picks of a selection.

    Attributes:
        total: how many picks there are.
        offset: place of the first.
        picks: in the order of picking.
        samples: that were picked, or hold what was, each once; those that are gone are left out.
    """

    total: int
    offset: int
    picks: list[PickCard]
    samples: list[SampleCard]


class ComparedCategory(_Value, frozen=True, kw_only=True):
    """How often a category is predicted in the picks of two selections."""

    task: str
    id: int
    name: str
    a: int
    b: int


class Comparison(_Value, frozen=True, kw_only=True):
    """Two selections side by side.

    Attributes:
        a: id of one.
        b: id of the other.
        both: keys that both picked: in the order of a, at most 1000.
        only_a: keys that only a picked, likewise.
        only_b: keys that only b picked, likewise.
        n_both: how many there are.
        n_only_a: likewise.
        n_only_b: likewise.
        jaccard: both / either, in [0, 1].
        rank_correlation: Spearman's, of the order of what both picked; `None` for fewer than 3.
        overlap: how many of the first k picks both have, for k of `budgets`.
        budgets: numbers of picks, ascending.
        categories: of all tasks.
        mean_distance: mean distance of all samples to the nearest pick, of a and b, where reports have it.
    """

    a: str
    b: str
    both: list[str]
    only_a: list[str]
    only_b: list[str]
    n_both: int
    n_only_a: int
    n_only_b: int
    jaccard: float
    rank_correlation: float | None
    overlap: list[int]
    budgets: list[int]
    categories: list[ComparedCategory]
    mean_distance: tuple[float | None, float | None]


class PoolInfo(_Value, frozen=True, kw_only=True):
    """A pool, and how many samples are in it."""

    name: str
    members: int


class TagInfo(_Value, frozen=True, kw_only=True):
    """A tag, and how many samples have it, or an object that does."""

    name: str
    members: int


class ConfigOptions(_Value, frozen=True, kw_only=True):
    """What a form for configs can offer.

    Attributes:
        strategies: for each type of input the types of strategies that take it.
        scores: for each task the scores that it has.
        objects: tasks whose objects have vectors.
        metadata: names of the metadata, with their types.
        pools: names and sizes.
        tags: likewise.
        embeddings: files below the datasource that look like embeddings.
    """

    strategies: dict[str, list[str]]
    scores: dict[str, list[str]]
    objects: list[str]
    metadata: dict[str, str]
    pools: list[PoolInfo]
    tags: list[TagInfo]
    embeddings: list[str]


class PlotInfo(_Value, frozen=True, kw_only=True):
    """A space in which samples or objects are points.

    Attributes:
        space: what requests name it by.
        label: in words.
        of: `samples`, or the task whose objects are the points.
        state: `ready`, `missing` (start a job) or `running`.
        job: id of the job that makes it, or makes it again.
        version: another one when it was made again.
        is_stale: whether embeddings were added since it was made, so that it would be another one now.
        points: how many.
        origin: where its vectors are from.
        explained: share of the variance that x and y show, in [0, 1].
    """

    space: str
    label: str
    of: str
    state: str
    job: str | None = None
    version: str = ""
    is_stale: bool = False
    points: int = 0
    origin: str | None = None
    explained: tuple[float, float] | None = None


class Legend(_Value, frozen=True, kw_only=True):
    """What the colour bytes of points mean.

    Attributes:
        kind: `number`: byte 0 to 254 is `min` to `max`; `label`: the byte is an index into `labels`.
        label: what is shown.
        min: value of byte 0.
        max: value of byte 254.
        labels: (text, `#rrggbb`) of each byte.
        unknown: the byte of points without a value.
    """

    kind: str
    label: str
    min: float | None = None
    max: float | None = None
    labels: list[tuple[str, str]] = []
    unknown: int = 255


class PointInfo(_Value, frozen=True, kw_only=True):
    """What a point of a plot stands for; `position` and `category` are those of an object."""

    number: int
    key: str
    position: int | None = None
    category: int | None = None


class SqlColumn(_Value, frozen=True, kw_only=True):
    """A column of a result or a table."""

    name: str
    type: str


class SqlTable(_Value, frozen=True, kw_only=True):
    """A table that queries may read; `name` is quoted for SQL."""

    name: str
    columns: list[SqlColumn]


class SqlResult(_Value, frozen=True, kw_only=True):
    """Rows of a query.

    Attributes:
        columns: names and types.
        rows: at most as many as were asked for; whole numbers beyond 2^53 are text.
        truncated: whether there are more.
        seconds: how long it took.
        names_samples: whether it can be a filter: it has a column `key` or `sample`.
    """

    columns: list[SqlColumn]
    rows: list[list[Any]]
    truncated: bool
    seconds: float
    names_samples: bool


class Fault(_Value, frozen=True, kw_only=True):
    """Why a request was not answered: the body of every answer of 400 and above.

    Attributes:
        code: what kind of fault: `usage` (mend the request), `not-found`, `no-index` (scan first), `loading` (ask
            again when the status is `ready`), `picture` (the file cannot be shown), `storage`, `forbidden`,
            `token` (give the token), `too-large`, `internal`.
        message: what happened, one sentence without a final period.
        hint: what to do about it.
    """

    code: str
    message: str
    hint: str | None = None
