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
