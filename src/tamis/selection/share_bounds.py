"""What the factors of a BALANCE are at most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.balance import LEAST_SHARE
from tamis.selection.bounds import ScoreBounds, largest_rise
from tamis.selection.terms import LEAST_OBJECTIVE

if TYPE_CHECKING:
    from tamis.selection.balance import BalanceTerm
    from tamis.selection.embeddings import Floats, Indices


@dataclass(frozen=True, slots=True)
class ShareState:
    """Where a BALANCE stood: the entropy that all share, and the limits of those of some samples."""

    base: float
    least: float
    most: float


class ShareBounds(ScoreBounds):
    """BALANCE of strength > 0.

    The base is the cross-entropy of a sample that holds nothing, but counts in the total as much as the largest:
    B = log(S + R) - sum t_c log(S_c + eS), with S_c the selected sums, S their total, R the largest total of a
    row, e = 1e-10, logarithms to base 2. A sample with the row r, of total q, has an entropy of B less
    sum t_c log(1 + (r_c + eq) / (S_c + eS)) + log((S + R) / (S + q)), and all of that falls while sums grow.
    """

    def __init__(self, term: BalanceTerm, *, strength: float, largest: float) -> None:
        super().__init__()
        self._term = term
        self._strength = strength
        self._largest = largest
        self._asked: tuple[Indices | slice, Floats] | None = None  # `state` follows `bounds`

    def bounds(self, of: Indices | slice) -> Floats:
        """Return the scores themselves."""
        return self._strength * _entropy_scores(self._entropies(of), self._base())

    def _entropies(self, of: Indices | slice) -> Floats:
        if self._asked is None or self._asked[0] is not of:
            self._asked = of, self._term.entropies(of)
        return self._asked[1]

    def _base(self) -> float:
        total = float(self._term.sums.sum())
        if total == 0.0:
            return np.inf
        shares = np.log2(self._term.sums + LEAST_SHARE * total)
        return float(np.log2(total + self._largest) - self._term.target @ shares)

    def add(self, sample: int) -> None:
        """Count what the sample adds."""
        self._asked = None
        self._term.add(sample)

    def renew(self, sums: Floats) -> None:
        """Take over what is selected from elsewhere: (C,) sums of its rows."""
        self._asked = None
        self._term.sums = sums

    def state(self, of: Indices | slice) -> ShareState:
        """Return the base and the limits of the entropies."""
        entropies = self._entropies(of)
        return ShareState(self._base(), float(entropies.min()), float(entropies.max()))

    def drift(self, state: ShareState, kept: float) -> float:
        """Return how far a score may be above a part of what it was, because the base moved.

        With the entropy e then and e - fall now, it is largest at a limit of the entropies, where the least
        objective begins, or where the slope is 0: 1 / (e - fall) = kept / e.
        """
        base = self._base()
        if base == state.base and kept == 1.0:
            return 0.0
        if np.isinf(state.base):
            return np.inf
        fall = state.base - base
        bends = [LEAST_OBJECTIVE, LEAST_OBJECTIVE + fall]
        if kept < 1.0:
            bends.append(kept * fall / (kept - 1.0))
        entropies = {state.least, state.most, *(min(max(bend, state.least), state.most) for bend in bends)}
        return largest_rise(
            self._strength,
            [(_entropy_score(entropy - fall, base), _entropy_score(entropy, state.base)) for entropy in entropies],
            kept,
        )


def _entropy_score(entropy: float, base: float) -> float:
    return math.log(max(base, LEAST_OBJECTIVE) / max(entropy, LEAST_OBJECTIVE))


def _entropy_scores(entropies: Floats, base: float) -> Floats:
    shared = 1.0 if np.isinf(base) else max(base, LEAST_OBJECTIVE)
    return np.log(shared / np.maximum(entropies, LEAST_OBJECTIVE))
