"""Problems: every fault that data can have, as values with stable codes.

`CODES` is the one place for a code's severity, effect and advice; `docs/problems.md` is written from it.
"""

from __future__ import annotations

import msgspec

from tamis.model.problem_codes import JSON_CODES, PREDICTION_CODES, Drops, ProblemCode, Severity
from tamis.model.problem_codes_dataset import FINDING_CODES, NAME_CODES, TASK_CODES
from tamis.model.problem_codes_metadata import METADATA_CODES, RELEVANT_CODES

__all__ = ["CODES", "Drops", "Problem", "ProblemCode", "Severity"]


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


CODES: dict[str, ProblemCode] = {
    code.code: code
    for code in (
        *JSON_CODES,
        *PREDICTION_CODES,
        *NAME_CODES,
        *TASK_CODES,
        *METADATA_CODES,
        *RELEVANT_CODES,
        *FINDING_CODES,
    )
}
