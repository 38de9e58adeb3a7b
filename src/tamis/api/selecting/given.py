"""Selections that were made elsewhere, so that they can be reported on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.selecting.inputs import Inputs
from tamis.api.selecting.rows import Rows, rows_of
from tamis.api.selecting.run import SelectionRun
from tamis.errors import UsageError
from tamis.index import SampleColumns
from tamis.model import parse_object_key
from tamis.selection import Field, Level, SelectConfig, Selection, SelectionConfig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tamis.index import Snapshot


def given_selection(
    snapshot: Snapshot, keys: Sequence[str], *, embeddings: str | Path | None = None
) -> SelectionRun:
    """Return a selection that was made elsewhere, so that it can be reported on.

    Args:
        snapshot: of the index.
        keys: of samples, or of objects of one task, in the order of picking.
        embeddings: as for `run_selection`.

    Raises:
        UsageError: when a key is neither or appears twice; it lists the first few.
    """
    rows = _rows_of_keys(snapshot, keys)
    found, unknown = rows.of(keys)
    if unknown:
        listed = ", ".join(f"`{key}`" for key in unknown[:3])
        raise UsageError(
            f"{len(unknown)} of {len(keys)} names are no {rows.of_what}: {listed}", hint="scan again, or mend them"
        )
    if len(set(keys)) < len(keys):
        raise UsageError(f"{len(keys) - len(set(keys))} names appear twice", hint="name each sample once")
    picks = np.array(found, np.int64)
    everyone = np.ones(len(rows), np.bool_)
    nothing = np.zeros((len(picks), 0))
    field = Field(known=(), eligible=everyone, candidate=everyone, excluded={})
    selection = Selection(
        picks=picks, objectives=nothing, factors=nothing, gains=nothing, stopped=None, field=field, ruled_out={}
    )
    return SelectionRun(
        config=SelectionConfig(n_samples=max(len(picks), 1), strategies=()),
        inputs=Inputs(rows, embeddings),
        strategies=(),
        names=(),
        embeddings=(),
        selection=selection,
        reasons=[()] * len(picks),
        shares=nothing,
        candidate=everyone,
        pool=(),
        n_pool_gone=0,
        n_pool_others=0,
        labelled=(),
        labelled_unknown=(),
        n_requested=len(picks),
        n_eligible=len(rows),
    )


def _rows_of_keys(snapshot: Snapshot, keys: Sequence[str]) -> Rows:
    """Return the objects of the task that all keys name, or else the samples."""
    named = [parse_object_key(key) for key in keys]
    tasks = {None if one is None else one.task for one in named}
    known = {task.name for task in snapshot.tasks if task.task_type.has_objects}
    (task,) = tasks if len(tasks) == 1 else (None,)
    if task not in known:
        return Rows(SampleColumns(snapshot))
    return rows_of(snapshot, SelectConfig(level=Level.OBJECTS, task=task))
