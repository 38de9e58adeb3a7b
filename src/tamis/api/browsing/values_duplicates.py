"""Answers about the built-in embeddings, and about what repeats what by them."""

from __future__ import annotations

import msgspec


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""


class EmbeddingState(_Value, frozen=True, kw_only=True):
    """How much of the datasource has built-in embeddings, by which duplicates are found.

    Attributes:
        samples: images and frames in the index.
        missing: how many of them were not embedded yet, or changed since.
        without: how many cannot be read, and have none for that.
        job: id of the job that embeds what is missing, `None` where none runs.
        near: samples at most this far apart are near-duplicates where nobody says otherwise.
    """

    samples: int
    missing: int
    without: int
    job: str | None
    near: float


class DuplicatesInfo(_Value, frozen=True, kw_only=True):
    """What repeats what up to a distance, at a glance.

    Attributes:
        distance: the largest distance of near-duplicates; 0: only exact ones.
        state: `ready`, `missing` (start a job) or `running`.
        job: id of the job that looks for them, or does so again.
        version: another one when they were looked for again.
        is_stale: whether embeddings were added since.
        embeddings: which were compared, in words.
        compared: images and frames that have an embedding.
        exact: how many are the same file, or frame, as the one that is kept in their place.
        near: how many look like it.
        doubt: why these may be no duplicates, `None` where nothing speaks for that.
    """

    distance: float
    state: str
    job: str | None = None
    version: str = ""
    is_stale: bool = False
    embeddings: str | None = None
    compared: int = 0
    exact: int = 0
    near: int = 0
    doubt: str | None = None


class DuplicatePair(_Value, frozen=True, kw_only=True):
    """A sample that repeats another one.

    Attributes:
        key: of the sample that repeats.
        of: key of the sample that is kept in its place.
        exact: whether their files, or the pixels of the frames, are the same.
        distance: between their embeddings, 0 where exact.
    """

    key: str
    of: str
    exact: bool
    distance: float


class DuplicatePage(_Value, frozen=True, kw_only=True):
    """Part of the pairs, the nearest first."""

    total: int
    offset: int
    pairs: list[DuplicatePair]
