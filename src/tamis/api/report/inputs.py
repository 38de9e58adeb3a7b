"""What a report is built from: plain arrays and callables, so that it knows neither index nor storage.

All arrays speak of the same N *samples in play*, in the order of `keys`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from tamis.api.report.values import LeftOut, ProblemCount, Reason
    from tamis.model import Prediction, Task
    from tamis.model.columns import Bools, Floats, Ints


class PictureLike(Protocol):
    """A picture as `tamis.media` makes it: a small JPEG, and the size of the original in pixels."""

    @property
    def jpeg(self) -> bytes:
        """The picture as JPEG, of any smaller size."""

    @property
    def width(self) -> int:
        """Width of the original in pixels: what boxes refer to."""

    @property
    def height(self) -> int:
        """Height of the original in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StrategyInput:
    """One strategy of the config.

    Attributes:
        label: what it is called, as `Reason.strategy` names it; unique.
        description: what it does in words.
        strength: its exponent, `None` for filters.
        shares: how much of each decision it made, in [0, 1]; shape (k,). `None` for filters.
        values: the value it works on for each sample, NaN where null; shape (N,).
    """

    label: str
    description: str
    strength: float | None = None
    shares: Floats | None = None
    values: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskInput:
    """The predictions of one task.

    Attributes:
        task: the task.
        owner: index of the sample of each prediction, ascending; shape (n_predictions,).
        category_id: shape (n_predictions,).
        has_file: which samples have a prediction file: without one the number of objects is unknown, not 0;
            shape (N,).
        predictions: returns the predictions of a sample key, asked for picks only.
    """

    task: Task
    owner: Ints
    category_id: Ints
    has_file: Bools
    predictions: Callable[[str], Sequence[Prediction]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberInput:
    """A number of each sample: a score or numeric metadata.

    Attributes:
        label: what it is called, e.g. `detector: uncertainty_entropy`.
        values: NaN where null; shape (N,).
        limits: the scale's range, `(0.0, 1.0)` for scores, shown unless the values take up less than half of it.
    """

    label: str
    values: Floats
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelInput:
    """A label of each sample: categorical metadata.

    Attributes:
        label: what it is called.
        names: the labels that occur.
        codes: index into `names`, -1 where null; shape (N,).
    """

    label: str
    names: Sequence[str]
    codes: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportInputs:
    """Everything that a report tells of.

    Attributes:
        source: the datasource, as the user named it.
        created: when the selection ran.
        config: the selection config as text (YAML).
        keys: sample keys, shape (N,).
        candidate: what a random choice could have taken: the group *input*; shape (N,).
        picks: indices of the picked samples in pick order; shape (k,), each a candidate.
        pool: indices of the samples that had been picked before; shape (n_pool,).
        n_requested: how many picks were asked for.
        reasons: returns the reasons of pick number p (0 <= p < k), in the order of the strategies.
        picture: returns the picture of a sample key, or why there is none, in words.
        strategies: in the order of the config.
        stopped: why the run ended before `n_requested`, or `None`.
        left_out: samples that were no candidates, by reason.
        ruled_out: candidates that picks ruled out, by limit.
        embeddings: of any length, a row of zeros where the sample has none; shape (N, d). Used for coverage and
            neighbours even if no strategy used it; `None`: these parts are left out.
        embeddings_name: what they are, e.g. `clip.npy (512 dimensions)`.
        tasks: predictions to count and to draw.
        numbers: scores and numeric metadata to show.
        labels: categorical metadata to show.
        problems: what the scan found.
        of: what was picked: `samples` or `objects`, of which the rows of all arrays are.
    """

    source: str
    created: datetime
    config: str
    keys: Sequence[str]
    candidate: Bools
    picks: Ints
    pool: Ints
    n_requested: int
    reasons: Callable[[int], Sequence[Reason]]
    picture: Callable[[str], PictureLike | str]
    strategies: Sequence[StrategyInput] = ()
    stopped: str | None = None
    left_out: Sequence[LeftOut] = ()
    ruled_out: Sequence[LeftOut] = ()
    embeddings: NDArray[np.floating] | None = None
    embeddings_name: str | None = None
    tasks: Sequence[TaskInput] = ()
    numbers: Sequence[NumberInput] = ()
    labels: Sequence[LabelInput] = ()
    problems: Sequence[ProblemCount] = ()
    of: Literal["samples", "objects"] = "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How much goes into a report.

    Attributes:
        max_pictures: picks that the gallery shows.
        max_picture_bytes: bytes of all JPEGs and overlays together; picks beyond it are shown without a
            picture. The HTML holds them as base64, a third larger.
        max_marks: predictions that are drawn on one picture, per task.
        n_draws: random selections to compare with.
        max_evaluated: samples whose distance to the selection is measured.
        seed: of the random selections.
    """

    max_pictures: int = 200
    max_picture_bytes: int = 12 * 2**20
    max_marks: int = 100
    n_draws: int = 20
    max_evaluated: int = 5_000
    seed: int = 0
