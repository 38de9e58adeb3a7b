"""Everything that tamis raises on purpose.

```
TamisError            what happened, and a hint what to do; `exit_code` for the command line
|- UsageError         2: the call itself is wrong: unknown option value, config key, score, strategy
|- DatasourceError    3: a root, file or permission is missing
'- IndexMissingError  3: a question about an index that is not there, or cannot be read
```

Faults *in the data* are never raised: they are values (`tamis.model.Problem`), collected and counted.
"""

from __future__ import annotations


class TamisError(Exception):
    """Base of all errors that a user can act on.

    Attributes:
        message: what happened and where, one sentence without a final period.
        hint: what to do about it, or `None`.
        exit_code: what the command line exits with.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class UsageError(TamisError):
    """The call itself is wrong, whatever the data."""

    exit_code = 2


class DatasourceError(TamisError):
    """A root, file or permission that the work needs is missing."""


class IndexMissingError(TamisError):
    """There is no index to answer from, or it cannot be read."""
