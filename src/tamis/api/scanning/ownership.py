"""Which sample each prediction file speaks of: its own path decides, and `file_name` must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tamis.api.scanning.disputes import collision, orphan, taken
from tamis.index import namesake_keys
from tamis.model import Problem

if TYPE_CHECKING:
    from tamis.api.scanning.chunk import Partition, Samples, TaskFiles
    from tamis.formats import ReadPredictions

NO_OWNER = -1
LEFT_OUT = -2


class Owners(NamedTuple):
    """Whose the prediction files of a task are.

    Attributes:
        rows: for each file the row of its sample; NO_OWNER where it has none, LEFT_OUT where the relevant filenames
            leave its sample out.
        beside: for each file the row of the sample at whose path it lies, also where the file is dropped for naming
            another; NO_OWNER where there is none or the file is another's.
        problems: with their units.
    """

    rows: list[int]
    beside: list[int]
    problems: list[tuple[int, Problem]]


def assign_owners(partition: Partition, samples: Samples, files: TaskFiles, read: ReadPredictions) -> Owners:
    """Return whose each file is, as rows of `samples`.

    Args:
        partition: the units.
        samples: of the chunk, in the order of their units.
        files: of one task of the chunk, in the order of their units.
        read: what they hold.
    """
    first, count = _rows_by_unit(samples)
    owners = Owners([], [], [])
    aliased = {problem.file for problem in read.problems if problem.code == "file-name-alias"}
    for i, (unit, said) in enumerate(zip(files.units, read.file_names, strict=True)):
        n_samples = count.get(unit, 0)
        if n_samples == 1 and (said is None or said == samples.keys[first[unit]]):
            owners.rows.append(first[unit])
            owners.beside.append(first[unit])
            continue
        rows = range(first[unit], first[unit] + n_samples) if n_samples else range(0)
        path = "$.filename" if files.files[i] in aliased else "$.file_name"
        owner, found = _dispute(partition, files, i, [samples.keys[row] for row in rows], said, path)
        owners.rows.append(rows[owner] if owner >= 0 else owner)
        is_misnamed = n_samples == 1 and owner == NO_OWNER
        owners.beside.append(first[unit] if is_misnamed else max(owners.rows[-1], NO_OWNER))
        owners.problems.extend((unit, problem) for problem in found)
    return owners


def _rows_by_unit(samples: Samples) -> tuple[dict[int, int], dict[int, int]]:
    first: dict[int, int] = {}
    count: dict[int, int] = {}
    for row, unit in enumerate(samples.units):
        first.setdefault(unit, row)
        count[unit] = count.get(unit, 0) + 1
    return first, count


def _dispute(
    partition: Partition, files: TaskFiles, i: int, keys: list[str], said: str | None, path: str
) -> tuple[int, list[Problem]]:
    """Decide a file that is not plainly of one sample: which of `keys`, and why not; it says so at `path`."""
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
    return NO_OWNER, [Problem(code="file-name-mismatch", task=task, file=file, path=path, message=message)]
