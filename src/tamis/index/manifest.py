"""The manifest: one JSON file that names everything a snapshot consists of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from tamis.index.damage import damaged
from tamis.model import Problem, Task

if TYPE_CHECKING:
    from pathlib import Path

FORMAT_VERSION = 1

KEPT_SNAPSHOTS = 3
"""Readers that opened one of the last snapshots may still be reading its shards."""

_ID = re.compile(r"[A-Za-z0-9-]+")


def read_id(data: bytes, place: Path | str) -> str:
    """Return the id of a snapshot that `latest` of an index holds.

    Args:
        data: the content of `latest`.
        place: folder or URL of the index.

    Raises:
        IndexMissingError: when it is none.
    """
    text = data.decode("ascii", "replace").strip()
    if not _ID.fullmatch(text):
        raise damaged(place, f"expected the id of a snapshot in `latest`, got {text[:40]!r}")
    return text


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """Immutable Parquet files written together.

    Attributes:
        id: path of the shard relative to `shards/`, without table names.
        n_units: number of units; the rows of all its tables refer to them by `unit`.
        tables: names of the tables that it has rows for; those of a task end in `:TASK`.
    """

    id: str
    n_units: int
    tables: frozenset[str]


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """What was found by decoding a video once.

    Attributes:
        key: key in the input datasource.
        size_bytes: when it was decoded.
        mtime_ns: likewise.
        n_frames: frames that PyAV decodes; 0 where it cannot be opened.
        n_frames_header: what its header says; 0 is nothing.
        width: of its frames in pixels, as stored.
        height: likewise.
        fault: why decoding stopped early or never began, or `None`.
    """

    key: str
    size_bytes: int
    mtime_ns: int
    n_frames: int
    n_frames_header: int
    width: int
    height: int
    fault: str | None = None


class MetadataColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the metadata table.

    Attributes:
        name: what the metadata is called everywhere.
        column: its column; differs where SQL could not tell the name from another one.
        type: `int`, `float`, `bool` or `string`.
    """

    name: str
    column: str
    type: str


class ScoreNames(msgspec.Struct, frozen=True, kw_only=True):
    """The score columns of a task's tables."""

    objects: tuple[str, ...]
    samples: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot: which shards, which of their units are no longer alive, and what they were made from.

    Attributes:
        id: sortable by time, unique.
        format_version: of the index, `FORMAT_VERSION`.
        created: UTC time, ISO 8601.
        source: the input datasource as a path or URL.
        lightly: the lightly datasource.
        settings: fingerprint of everything but files that decides what a unit yields (schemas, options);
            shards are reused only where it is equal.
        tasks: the tasks with a valid schema.
        scores: for each task the names of its score columns.
        metadata: the metadata columns.
        shards: all shards.
        dead: for each shard id the unit numbers that were replaced or removed since.
        videos: every video with its frame count.
        problems: those that are about no unit: tasks, schemas, listing, the dataset as a whole.
    """

    id: str
    created: str
    source: str
    lightly: str
    settings: str
    tasks: tuple[Task, ...]
    scores: dict[str, ScoreNames]
    metadata: tuple[MetadataColumn, ...]
    shards: tuple[Shard, ...]
    dead: dict[str, list[int]]
    videos: tuple[Video, ...]
    problems: tuple[Problem, ...]
    format_version: int = FORMAT_VERSION

    @property
    def n_dead(self) -> int:
        """How many units of the shards no longer count."""
        return sum(map(len, self.dead.values()))
