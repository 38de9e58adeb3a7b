"""The picks of a selection as a Parquet file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_OF_OBJECTS = ("sample", "position", "category", "bbox")


def picks_parquet(picks: Sequence[Mapping[str, Any]]) -> bytes:
    """Return picks as Parquet: pick, key, why, and for each strategy its objective and its share; where they are.

    Args:
        picks: as in `selection.json`.
    """
    first = ("pick", "key", *(name for name in _OF_OBJECTS if picks and name in picks[0]), "why")
    columns: dict[str, list[Any]] = {name: [pick[name] for pick in picks] for name in first}
    for number, name in enumerate(picks[0]["objectives"] if picks else ()):
        columns[f"objective: {name}"] = [pick["objectives"][name] for pick in picks]
        columns[f"share: {name}"] = [pick["reasons"][number]["share"] for pick in picks]
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()
