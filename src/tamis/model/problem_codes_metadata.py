"""The codes of problems with metadata and relevant-filenames files."""

from __future__ import annotations

from tamis.model.problem_codes import Drops, ProblemCode, Severity

_E, _W = Severity.ERROR, Severity.WARNING
_NOTHING, _SAMPLE = Drops.NOTHING, Drops.SAMPLE

METADATA_CODES: tuple[ProblemCode, ...] = ()

RELEVANT_CODES: tuple[ProblemCode, ...] = (
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
