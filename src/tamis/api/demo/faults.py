"""Prediction files broken on purpose, as real pipelines break them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tamis.formats import prediction_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tamis.storage import Store

ORPHAN = "harbour/removed last week.jpg"
_UNKNOWN_ID = 99


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to break a file.

    Attributes:
        what: what is wrong afterwards.
        spoil: turns valid bytes into broken ones.
    """

    what: str
    spoil: Callable[[bytes], bytes]


def _cut_short(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _change_first(data: bytes, **fields: Any) -> bytes:  # noqa: ANN401 (any JSON value)
    content = json.loads(data)
    content["predictions"][0] |= fields
    return json.dumps(content, ensure_ascii=False).encode()


FAULTS = (
    Fault("it ends in the middle, as after a full disk", _cut_short),
    Fault("a box has NaN", lambda data: _change_first(data, bbox=[float("nan"), 10.0, 20.0, 30.0])),
    Fault(
        f"category {_UNKNOWN_ID} is not in the schema",
        lambda data: _change_first(data, category_id=_UNKNOWN_ID),
    ),
    Fault("a score is a percentage", lambda data: _change_first(data, score=87.5)),
)


def break_files(store: Store, task: str, sample_keys: Sequence[str]) -> dict[str, str]:
    """Break a file for each of `FAULTS`, as far as there are samples, and add one without a sample.

    Args:
        store: the datasource.
        task: whose files to break.
        sample_keys: samples with predictions, spread out evenly.

    Returns:
        What is wrong with which file.
    """
    broken = {}
    step = max(len(sample_keys) // len(FAULTS), 1)
    for fault, sample_key in zip(FAULTS, sample_keys[step // 2 :: step], strict=False):
        key = prediction_key(task, sample_key)
        store.write(key, fault.spoil(store.read(key).data))
        broken[key] = fault.what
    orphan = prediction_key(task, ORPHAN)
    store.write(orphan, json.dumps({"file_name": ORPHAN, "predictions": []}).encode())
    return broken | {orphan: "its image is not there"}
