"""Embeddings of the user's own, taken over from a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.embedding.options import set_name
from tamis.api.embedding.reports import report_of
from tamis.api.embedding.stored import read_status
from tamis.errors import UsageError
from tamis.index import EmbeddingRows, SetSpec, encoder_of_file, make_set, read_embeddings
from tamis.vectors import unit_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.api.embedding.options import EmbedOptions
    from tamis.api.embedding.reports import EmbedReport
    from tamis.api.embedding.targets import Target
    from tamis.api.sources import Sources
    from tamis.model.columns import Ints

_ROWS_A_FILE = 16_384


def take_over(sources: Sources, target: Target, options: EmbedOptions, path: Path) -> EmbedReport:
    """Store the embeddings of a file, for what the index has."""
    given = read_embeddings(path)
    at = target.named(given.keys)
    if not (at >= 0).any():
        example = f", e.g. `{given.keys[0]}`" if given.keys else ""
        raise UsageError(
            f"`{path}`: none of its {len(given.keys)} names is in the index{example}",
            hint="names are "
            + ("sample keys" if target.task is None else "names of objects")
            + (f", e.g. `{target.name(0)}`" if len(target) else ""),
        )
    spec = SetSpec(
        name=set_name(options),
        task=options.task,
        encoder=encoder_of_file(path.name),
        source=f"from {path.name}",
        n_dims=given.vectors.shape[1],
        created=datetime.now(UTC).isoformat(),
    )
    into = make_set(sources.index.root, spec)
    known = np.flatnonzero(at >= 0)
    for start in range(0, len(known), _ROWS_A_FILE):
        some = known[start : start + _ROWS_A_FILE]
        into.append(_rows_of_file(given.vectors[some], target, at[some]))
    sources.index.share()
    status = read_status(into, target)
    return report_of(into, target, status, n_before=0, n_unknown=len(at) - len(known))


def _rows_of_file(vectors: NDArray[np.floating], target: Target, at: Ints) -> EmbeddingRows:
    values = unit_rows(vectors)  # what float64 holds may be outside of float32, and only directions count
    zero: list[bool] = np.asarray(~values.any(axis=1)).tolist()
    return EmbeddingRows(
        keys=[target.samples.keys[sample] for sample in target.owner[at].tolist()],
        positions=target.positions[at].astype(np.int32),
        fingerprints=target.fingerprints[at],
        contents=[None] * len(at),
        faults=["it is all zeros in the file" if is_zero else None for is_zero in zero],
        vectors=values,
    )
