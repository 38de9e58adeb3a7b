"""What requests carry: queries of GETs and bodies of POSTs, decoded before anything else looks at them.

`filter` is JSON text of a list of conditions (`tamis.api.browsing.conditions`), `[]` for all samples.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from tamis.api.embedding.duplicates import DEFAULT_LIMIT

Offset = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=500)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Text = Annotated[str, msgspec.Meta(max_length=100_000)]
Side = Annotated[int, msgspec.Meta(ge=16, le=4096)]
Distance = Annotated[float, msgspec.Meta(ge=0, lt=2)]
Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Id = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{1,64}$")]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all requests: a misspelt name is a fault, not a default."""


class NoQuery(_Request, frozen=True, kw_only=True):
    """Nothing to say."""


class FilterQuery(_Request, frozen=True, kw_only=True):
    """Which samples."""

    filter: Text = "[]"


class ListQuery(FilterQuery, frozen=True, kw_only=True):
    """Which samples in which order.

    Attributes:
        sort: id of a column; `key`; `pick` for the order of the selection, pool or list that is filtered by.
        descending: whether the largest come first; what has no value comes last either way.
    """

    sort: Text = "key"
    descending: bool = False


class SamplesQuery(ListQuery, frozen=True, kw_only=True):
    """A page of samples.

    Attributes:
        offset: place of the first in the list.
        limit: how many.
        tasks: names of the tasks whose predictions come along, as JSON list; all by default.
    """

    offset: Offset = 0
    limit: Limit = 50
    tasks: Text | None = None


class HistogramQuery(FilterQuery, frozen=True, kw_only=True):
    """A histogram of a column of numbers, or of the scores of a task's predictions.

    Attributes:
        column: id of a column; `predictions:TASK` for the scores of single predictions.
        bins: how many.
    """

    column: Text
    bins: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


class KeyQuery(_Request, frozen=True, kw_only=True):
    """A sample, or another thing with a key."""

    key: Key


class NeighboursQuery(ListQuery, frozen=True, kw_only=True):
    """A sample in a list."""

    key: Key


class PictureQuery(KeyQuery, frozen=True, kw_only=True):
    """A picture of a sample.

    Attributes:
        side: longer side of it in pixels, `None`: as large as the original.
    """

    side: Side | None = None


class MasksQuery(KeyQuery, frozen=True, kw_only=True):
    """The masks of a task on a sample as a PNG with transparency, colours of the categories."""

    task: Text


class CropQuery(KeyQuery, frozen=True, kw_only=True):
    """The picture of an object.

    Attributes:
        task: name of the task.
        position: of the prediction in its file.
        side: longer side in pixels.
        padding: by which part of its width and height the box is widened.
    """

    task: Text
    position: Offset
    side: Side = 160
    padding: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.1


class RawQuery(KeyQuery, frozen=True, kw_only=True):
    """The prediction file of a task for a sample, as it is; no task: the metadata file."""

    task: Text | None = None


class ObjectsQuery(FilterQuery, frozen=True, kw_only=True):
    """A page of objects.

    Attributes:
        task: name of the task.
        categories: ids as JSON list; all by default.
        score_min: least score.
        score_max: greatest score.
        sort: `score`, `key`, or another of the task's `prediction_scores`.
        descending: whether the largest come first.
        offset: place of the first in the list.
        limit: how many.
    """

    task: Text
    categories: Text | None = None
    score_min: float | None = None
    score_max: float | None = None
    sort: Text = "score"
    descending: bool = True
    offset: Offset = 0
    limit: Limit = 100


class PlacesQuery(_Request, frozen=True, kw_only=True):
    """A page of the problems of one code, of a task or of none."""

    code: Text
    task: Text | None = None
    offset: Offset = 0
    limit: Limit = 50


class SpaceQuery(_Request, frozen=True, kw_only=True):
    """A plot: `samples`, or `objects:TASK`; others are listed by `/api/plots`."""

    space: Text


class ColourQuery(SpaceQuery, frozen=True, kw_only=True):
    """A plot coloured by a column.

    Attributes:
        by: id of a column; for objects also `category` and `score`.
    """

    by: Text


class PointQuery(SpaceQuery, frozen=True, kw_only=True):
    """One point of a plot, by its place in the binary answers."""

    point: Offset


class DuplicatesQuery(_Request, frozen=True, kw_only=True):
    """What repeats what.

    Attributes:
        distance: the largest distance of near-duplicates; 0: only exact ones.
    """

    distance: Distance = DEFAULT_LIMIT


class PairsQuery(DuplicatesQuery, frozen=True, kw_only=True):
    """A page of what repeats what."""

    offset: Offset = 0
    limit: Limit = 50


class DuplicatesTagBody(DuplicatesQuery, frozen=True, kw_only=True):
    """What repeats others is given a tag."""

    tag: Name


class SqlQuery(_Request, frozen=True, kw_only=True):
    """A query.

    Attributes:
        query: one SELECT.
        limit: most rows to return.
    """

    query: Text
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200


class IdQuery(_Request, frozen=True, kw_only=True):
    """A job or a selection."""

    id: Id


class PicksQuery(IdQuery, frozen=True, kw_only=True):
    """A page of picks."""

    offset: Offset = 0
    limit: Limit = 50


class CompareQuery(_Request, frozen=True, kw_only=True):
    """Two selections."""

    a: Id
    b: Id


class ExportQuery(IdQuery, frozen=True, kw_only=True):
    """A file of a selection.

    Attributes:
        format: `names`, `coco`, `coco-results`, `label-studio`, `cvat`, `csv`, `jsonl`, `parquet`, or what the
            selection wrote: `config` (YAML), `json`, `report` (HTML).
        task: whose predictions; the only one by default.
        base: folder or URL to put before the names of images.
    """

    format: Text
    task: Text | None = None
    base: Text = ""


class ConfigBody(_Request, frozen=True, kw_only=True):
    """A config as text."""

    config: Text


class ScanBody(_Request, frozen=True, kw_only=True):
    """A scan; `full` reads every file again."""

    full: bool = False


class PlotBody(_Request, frozen=True, kw_only=True):
    """A plot to make."""

    space: Text


class PoolBody(_Request, frozen=True, kw_only=True):
    """The picks of a selection join a pool."""

    id: Id
    pool: Text
