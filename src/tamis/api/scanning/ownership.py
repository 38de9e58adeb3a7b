"""Which sample each prediction file speaks of: its own path decides, and `file_name` must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.scanning.disputes import collision, orphan, taken
from tamis.index import namesake_keys
from tamis.model import Problem

if TYPE_CHECKING:
    from tamis.api.scanning.chunk import Partition, Samples, TaskFiles
    from tamis.formats import ReadPredictions

NO_OWNER = -1
LEFT_OUT = -2


def assign_owners(
    partition: Partition, samples: Samples, files: TaskFiles, read: ReadPredictions
) -> tuple[list[int], list[tuple[int, Problem]]]:
    """Return for each file the row of its sample in `samples`, and the problems with their units.

    The row is NO_OWNER where the file has no sample, LEFT_OUT where the relevant filenames leave its sample out.

    Args:
        partition: the units.
        samples: of the chunk, in the order of their units.
        files: of one task of the chunk, in the order of their units.
        read: what they hold.
    """
    first, count = _rows_by_unit(samples)
    owners: list[int] = []
    problems: list[tuple[int, Problem]] = []
    for i, (unit, said) in enumerate(zip(files.units, read.file_names, strict=True)):
        n_samples = count.get(unit, 0)
        if n_samples == 1 and (said is None or said == samples.keys[first[unit]]):
            owners.append(first[unit])
            continue
        rows = range(first[unit], first[unit] + n_samples) if n_samples else range(0)
        owner, found = _dispute(partition, files, i, [samples.keys[row] for row in rows], said)
        owners.append(rows[owner] if owner >= 0 else owner)
        problems += [(unit, problem) for problem in found]
    return owners, problems


def _rows_by_unit(samples: Samples) -> tuple[dict[int, int], dict[int, int]]:
    first: dict[int, int] = {}
    count: dict[int, int] = {}
    for row, unit in enumerate(samples.units):
        first.setdefault(unit, row)
        count[unit] = count.get(unit, 0) + 1
    return first, count


def _dispute(
    partition: Partition, files: TaskFiles, i: int, keys: list[str], said: str | None
) -> tuple[int, list[Problem]]:
    """Decide a file that does not plainly belong to one sample: which of `keys`, and why not."""
    task, file, unit = files.task.name, files.files[i], files.units[i]
    if not keys:
        return NO_OWNER, [orphan(partition, partition.stems[unit], task, file)]
    if said in keys:
        return keys.index(said), taken(keys, said, task=task, file=file)
    if said is not None and namesake_keys(partition.stems[unit], partition.namesakes.get(unit, "")).get(said):
        return LEFT_OUT, taken(keys, said, task=task, file=file)
    if len(keys) > 1:
        return NO_OWNER, [collision(keys, said, task=task, file=file)]
    message = f"expected `{keys[0]}`, got `{said}`"
    return NO_OWNER, [Problem(code="file-name-mismatch", task=task, file=file, path="$.file_name", message=message)]
