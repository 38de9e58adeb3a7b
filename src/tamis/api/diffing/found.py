"""What a comparison found, whatever was compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tamis.model.columns import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a comparison found.

    Attributes:
        outcomes: how many predictions of each sample fared how, shape (n_outcomes, n_samples).
        names: of the outcomes; the first is that nothing changed.
        disagreement: of each sample, in [0, 1]; shape (n_samples,).
        first_categories: of the first run's predictions.
        second_categories: of the second's.
        flips: categories of what is called otherwise, shape (n, 2); the number of categories stands for nothing.
        first_scores: of the first run, NaN where null.
        second_scores: of the second run.
        score_changes: of the same things, second less first, NaN where one is not known.
    """

    outcomes: Ints
    names: tuple[str, ...]
    disagreement: Floats
    first_categories: Ints
    second_categories: Ints
    flips: Ints
    first_scores: Floats
    second_scores: Floats
    score_changes: Floats
