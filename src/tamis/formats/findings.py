"""Collects what the rules find in columns: problems in the order of the files, and which rows stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.model import CODES, Drops, PredictionColumns, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model.columns import Bools, Floats, Ints


class Findings:
    """The problems found in the predictions of one task.

    Attributes:
        keep: which predictions no error drops, shape (n,).
    """

    def __init__(self, task: str, columns: PredictionColumns, files: Sequence[str]) -> None:
        self.keep: Bools = np.ones(len(columns), np.bool_)
        self._task = task
        self._columns = columns
        self._files = files
        self._found: list[tuple[int, Problem]] = []

    def add(self, row: int, code: str, field: str, message: str, *, hint: str | None = None) -> None:
        """Report a problem of one prediction.

        Args:
            row: which prediction.
            code: a key of `CODES`; whether the prediction is dropped is the code's.
            field: what follows the prediction in the JSON path: `.bbox[2]`.
            message: `expected ..., got ...`.
            hint: better advice than the code's own.
        """
        if CODES[code].drops is Drops.PREDICTION:
            self.keep[row] = False
        problem = Problem(
            code=code,
            message=message,
            task=self._task,
            file=self._files[int(self._columns.file[row])],
            path=f"$.predictions[{int(self._columns.position[row])}]{field}",
            hint=hint,
        )
        self._found.append((row, problem))

    def problems(self) -> list[Problem]:
        """Return the problems in the order of files and predictions."""
        return [problem for _, problem in sorted(self._found, key=lambda found: found[0])]


def worst_of_each_file(file: Ints, amount: Floats, rows: Ints) -> list[tuple[int, int]]:
    """Return, for each file with any of `rows`, the row with the largest amount and how many rows it has.

    Args:
        file: the file of every row, shape (n,).
        amount: how bad each of `rows` is, shape (len(rows),).
        rows: the rows in question.

    >>> worst_of_each_file(np.array([0, 0, 3]), np.array([0.1, 0.5, 0.2]), np.array([0, 1, 2]))
    [(1, 2), (2, 1)]
    """
    order = np.lexsort((-amount, file[rows]))
    _, first, counts = np.unique(file[rows][order], return_index=True, return_counts=True)
    return list(zip(rows[order][first].tolist(), counts.tolist(), strict=True))


def more_like_it(n: int) -> str:
    """Return the end of a message about the first of several values with the same fault.

    >>> more_like_it(2), more_like_it(0)
    (', and 2 more like it', '')
    """
    return f", and {n} more like it" if n else ""


def exact(value: float) -> str:
    """Return a number of the data as messages show it: all digits, so that 1.0000001 is not called 1.

    >>> exact(12.0), exact(1.0000001)
    ('12', '1.0000001')
    """
    return repr(float(value)).removesuffix(".0")


def rounded(value: float) -> str:
    """Return a number that was computed as messages show it.

    >>> rounded(12.0), rounded(0.1234567)
    ('12', '0.123457')
    """
    return f"{value:.6g}"
