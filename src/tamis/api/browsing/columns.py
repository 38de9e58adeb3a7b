"""The columns that samples can be sorted and filtered by, each read when it is first asked for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.api.browsing.values import ColumnInfo, ColumnKind
from tamis.errors import UsageError
from tamis.scoring import OBJECT_FREQUENCY, map_object_frequency

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tamis.index import ProblemRows, SampleColumns, SampleTable, TaskRows
    from tamis.model.columns import Floats

_MAX_VALUES = 200


class Labels(NamedTuple):
    """Labels of all samples: codes, -1 where there is none, shape (N,), and what each code stands for."""

    codes: NDArray[np.int32]
    names: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column, and how its values are read."""

    id: str
    label: str
    group: str
    load: Callable[[], Floats | Labels]


class Columns:
    """All columns of a snapshot by their id.

    Args:
        columns: in the order in which they are shown.
    """

    def __init__(self, columns: list[Column]) -> None:
        self._columns = {column.id: column for column in columns}
        self._values: dict[str, Floats | Labels] = {}
        self._infos: dict[str, ColumnInfo] = {}
        self._turn = threading.Lock()

    def __iter__(self) -> object:
        return iter(self._columns.values())

    def ids(self) -> list[str]:
        """Return the ids in the order in which they are shown."""
        return list(self._columns)

    def values(self, column_id: str) -> Floats | Labels:
        """Return the values of a column.

        Raises:
            UsageError: when there is none of that id.
        """
        if column_id not in self._columns:
            raise UsageError(f"There is no column `{column_id}`", hint="`/api/columns` lists them")
        with self._turn:
            if column_id not in self._values:
                self._values[column_id] = self._columns[column_id].load()
            return self._values[column_id]

    def numbers(self, column_id: str) -> Floats:
        """Return a column of numbers, NaN where there is none; shape (N,).

        Raises:
            UsageError: when there is none of that id, or it has labels.
        """
        values = self.values(column_id)
        if isinstance(values, Labels):
            raise UsageError(f"Column `{column_id}` has labels, not numbers")
        return values

    def labels(self, column_id: str) -> Labels:
        """Return a column of labels.

        Raises:
            UsageError: when there is none of that id, or it has numbers.
        """
        values = self.values(column_id)
        if not isinstance(values, Labels):
            raise UsageError(f"Column `{column_id}` has numbers, not labels")
        return values

    def info(self, column_id: str) -> ColumnInfo:
        """Describe a column; its values are read for that."""
        if column_id not in self._infos:
            values = self.values(column_id)
            self._infos[column_id] = _describe(self._columns[column_id], values)
        return self._infos[column_id]

    def infos(self) -> list[ColumnInfo]:
        """Describe all columns."""
        key = ColumnInfo(id="key", label="path", group="sample", kind=ColumnKind.TEXT)
        return [key, *map(self.info, self._columns)]


def _describe(column: Column, values: Floats | Labels) -> ColumnInfo:
    if isinstance(values, Labels):
        counts = np.bincount(values.codes + 1, minlength=len(values.names) + 1)
        most = np.argsort(-counts[1:], kind="stable")[:_MAX_VALUES].tolist()
        return ColumnInfo(
            id=column.id,
            label=column.label,
            group=column.group,
            kind=ColumnKind.LABEL,
            unknown=int(counts[0]),
            values=tuple((values.names[i], int(counts[i + 1])) for i in most if counts[i + 1]),
        )
    known = values[~np.isnan(values)]
    return ColumnInfo(
        id=column.id,
        label=column.label,
        group=column.group,
        kind=ColumnKind.NUMBER,
        min=float(known.min()) if len(known) else None,
        max=float(known.max()) if len(known) else None,
        unknown=len(values) - len(known),
    )


def columns_of_samples(table: SampleTable, samples: SampleColumns) -> list[Column]:
    """Return the columns that need no predictions."""
    columns = [
        Column("sample:kind", "kind", "sample", lambda: Labels(*table.codes("kind"))),
        *(
            Column(f"sample:{name}", label, "sample", lambda name=name: table.values(name))  # type: ignore[misc]
            for name, label in (("width", "width (px)"), ("height", "height (px)"), ("size_bytes", "size (bytes)"))
        ),
    ]
    if samples.snapshot.manifest.videos:
        columns.append(Column("sample:video", "video", "sample", lambda: Labels(*table.codes("video"))))
        columns.append(Column("sample:frame", "frame", "sample", lambda: table.values("frame")))
    for given in samples.snapshot.manifest.metadata:
        if given.type in {"int", "float"}:
            load: Callable[[], Floats | Labels] = lambda c=given.column: samples.numbers("metadata", c)  # type: ignore[misc]  # noqa: E731
        else:
            load = lambda c=given.column: Labels(*samples.codes("metadata", c))  # type: ignore[misc]  # noqa: E731
        columns.append(Column(f"metadata:{given.name}", given.name, "metadata", load))
    return columns


def columns_of_task(rows: TaskRows) -> list[Column]:
    """Return the scores of a task's samples, and what is counted of its predictions."""
    name = rows.task.name
    columns = [
        Column(f"score:{name}:{score}", score.replace("_", " "), name, lambda score=score: _score(rows, score))  # type: ignore[misc]
        for score in rows.sample_scores
    ]
    columns.append(Column(f"count:{name}", "number of predictions", name, lambda: _counts(rows)))
    if not np.isnan(rows.score).all():
        columns.append(Column(f"highest:{name}", "highest prediction score", name, lambda: _highest(rows)))
    return columns


def column_of_problems(problems: ProblemRows) -> Column:
    """Return how many problems the files of each sample have."""
    return Column("problems", "problems", "sample", lambda: problems.counts.astype(np.float64))


def _score(rows: TaskRows, name: str) -> Floats:
    values = np.asarray(rows.sample_scores[name])
    return map_object_frequency(values) if name == OBJECT_FREQUENCY else values


def _counts(rows: TaskRows) -> Floats:
    return np.where(rows.has_file, rows.counts, np.nan)


def _highest(rows: TaskRows) -> Floats:
    """Return the score of the surest prediction: the first row of each sample."""
    values = np.full(len(rows.has_file), np.nan)
    there = rows.counts > 0
    values[there] = rows.score[rows.offsets[:-1][there]]
    return values
