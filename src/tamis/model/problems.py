"""Problems: every fault that data can have, as values with stable codes.

`CODES` is the one place for a code's severity, effect and advice; `docs/problems.md` is written from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec


class Severity(StrEnum):
    """How bad a problem is: an error drops something, a warning asks for a look, an info is only said."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Drops(StrEnum):
    """What is left out of the index because of a problem."""

    NOTHING = "nothing"
    PREDICTION = "prediction"
    FILE = "file"
    TASK = "task"
    SAMPLE = "sample"
    VALUE = "value"


class ProblemCode(NamedTuple):
    """What is true of every problem of one code.

    Attributes:
        code: kebab-case, stable.
        severity: how bad it is.
        drops: what is left out because of it.
        summary: what is wrong, one line without a final period.
        hint: what to do about it.
        example: the smallest input that has it.
    """

    code: str
    severity: Severity
    drops: Drops
    summary: str
    hint: str
    example: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault at one place.

    Attributes:
        code: a key of `CODES`.
        message: `expected ..., got ...`, one sentence without a final period.
        task: name of the task, or `None` where it concerns none.
        file: key of the file in its datasource, or `None` for a finding about the whole dataset.
        path: JSON path of the value (`$.predictions[3].bbox[2]`), or `None`.
        line: 1-based, `None` where it is not known (yet).
        column: 1-based, in characters, `None` where it is not known (yet).
        hint: overrides the code's own where the place allows better advice.
        count: how many places a finding about the whole dataset stands for.
    """

    code: str
    message: str
    task: str | None = None
    file: str | None = None
    path: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    count: int = 1

    @property
    def severity(self) -> Severity:
        """The code's severity."""
        return CODES[self.code].severity

    @property
    def advice(self) -> str:
        """What to do: this problem's own hint, else its code's."""
        return self.hint or CODES[self.code].hint


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
_NOTHING, _PREDICTION, _FILE = Drops.NOTHING, Drops.PREDICTION, Drops.FILE
_TASK, _SAMPLE, _VALUE = Drops.TASK, Drops.SAMPLE, Drops.VALUE

_OF_RELEVANT_FILENAMES = (
    ProblemCode(
        "relevant-path",
        _E,
        _SAMPLE,
        "A line of the relevant-filenames file is no path below the input datasource",
        "write one path a line, relative to the root of the input datasource: `folder/image.jpg`",
        "/data/image.jpg",
    ),
    ProblemCode(
        "relevant-pattern",
        _E,
        _SAMPLE,
        "A pattern in the relevant-filenames file cannot be read",
        "after the prefix write patterns as in a `.gitignore`, blanks between them, `!` right before one",
        "folder/* !",
    ),
    ProblemCode(
        "relevant-missing",
        _W,
        _NOTHING,
        "A line of the relevant-filenames file names no sample",
        "check the spelling and the upper and lower case; to name a whole folder write `folder/*`",
        "folder/no_such_image.jpg",
    ),
)

_ALL: tuple[ProblemCode, ...] = (*_OF_RELEVANT_FILENAMES,)

CODES: dict[str, ProblemCode] = {code.code: code for code in _ALL}
