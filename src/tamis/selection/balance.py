"""BALANCE: how near the class shares of the selected are to the wanted ones."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.selection.config import Distribution
from tamis.selection.embeddings import blocks

if TYPE_CHECKING:
    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.strategies import Balance

REST = "(rest)"
_LEAST_ENTROPY = 1e-8
LEAST_SHARE = 1e-10
_FEW_ROWS = 512  # below, a call of NumPy for each class costs more than its work


def cross_entropy(target: Floats, sums: Floats) -> Floats:
    """Return -sum t_c log2(p_c + 1e-10), p = the sums as shares; an all-zero row has shares of 0.

    Args:
        target: (C,) shares of sum 1.
        sums: (n, C), each >= 0.

    Returns:
        (n,) values in bits, smallest where p = t, -1.5e-10 at the least.

    >>> cross_entropy(np.array([0.5, 0.5]), np.array([[3.0, 3.0], [0.0, 0.0]])).round(6).tolist()
    [1.0, 33.219281]
    """
    totals = sums.sum(axis=1)
    totals[totals == 0.0] = 1.0
    if len(sums) < _FEW_ROWS:
        few: Floats = -(np.log2(sums / totals[:, None] + LEAST_SHARE) @ target)
        return few
    entropy = np.zeros(len(sums))
    for column in np.flatnonzero(target):
        entropy -= target[column] * np.log2(sums[:, column] / totals + LEAST_SHARE)
    return entropy


def wanted(strategy: Balance, playing: Bools, candidate: Bools) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Resolve what a BALANCE aims at.

    Args:
        strategy: the strategy.
        playing: (N,) candidates and pool of known rows.
        candidate: (N,) what may be picked.

    Returns:
        (C',) shares of sum 1, (N, C') rows, and the C' names; classes of the same name are one, and so are those
        that a target does not name: `(rest)`, with what is left of 1.

    Raises:
        UsageError: when a target names a class that does not exist, or every share would be 0.
    """
    names, rows = _merged(strategy, np.where(playing[:, None], strategy.rows, 0.0).astype(np.float64))
    if strategy.distribution is Distribution.TARGET:
        shares, rows, names = _folded(strategy, rows, names)
    elif strategy.distribution is Distribution.UNIFORM:
        shares = np.asarray((rows > 0.0).any(axis=0), np.float64)
    else:
        shares = np.asarray(rows[candidate].sum(axis=0), np.float64)
    total = float(shares.sum())
    if not total > 0.0:
        raise UsageError(
            f"Strategy `{strategy.name}`: the distribution {strategy.distribution} gives no class a share",
            hint="no candidate holds any of the classes" if strategy.target is None else None,
        )
    return shares / total, rows, names


def _merged(strategy: Balance, rows: Floats) -> tuple[tuple[str, ...], Floats]:
    """Return each name once, and the sums of the rows of classes that share it."""
    names = tuple(dict.fromkeys(strategy.classes))
    if len(names) == rows.shape[1]:
        return names, rows
    at = {name: column for column, name in enumerate(names)}
    merged = np.zeros((len(rows), len(names)))
    for column, name in enumerate(strategy.classes):
        merged[:, at[name]] += rows[:, column]
    return names, merged


def _folded(strategy: Balance, rows: Floats, names: tuple[str, ...]) -> tuple[Floats, Floats, tuple[str, ...]]:
    target = dict(strategy.target or {})
    for name, share in target.items():
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"the classes are {', '.join(names)}"
            raise UsageError(f"Strategy `{strategy.name}`: there is no class `{name}`", hint=hint)
        if not 0.0 <= share < np.inf:
            raise UsageError(f"Strategy `{strategy.name}`: expected a share >= 0 for `{name}`, got {share}")
    named = [column for column, name in enumerate(names) if name in target]
    shares = [target[names[column]] for column in named]
    if len(named) == len(names):
        return np.array(shares), rows[:, named], names
    others = [column for column, name in enumerate(names) if name not in target]
    folded = np.column_stack([rows[:, named], rows[:, others].sum(axis=1)])
    left = max(0.0, 1.0 - sum(shares))
    return np.array([*shares, left]), folded, (*(names[column] for column in named), REST)


class BalanceTerm:
    """BALANCE at work; its gains are the objectives themselves."""

    def __init__(self, target: Floats, rows: Floats) -> None:
        """Start with nothing selected.

        Args:
            target: (C,) shares of sum 1.
            rows: (N, C) how much of each class each sample holds.
        """
        self.target = target
        self.rows = np.asfortranarray(rows)  # classes are summed up one after the other
        self.sums = np.zeros(len(target))

    def part(self, of: Indices) -> BalanceTerm:
        """Return the term of some of the samples, with the same selected."""
        term = BalanceTerm(self.target, self.rows[of])
        term.sums = self.sums
        return term

    def largest(self, candidate: Bools) -> float:
        """Return the largest total of a candidate's row."""
        return float(self.rows[candidate].sum(axis=1).max(initial=0.0))

    def objectives(self, of: Indices) -> Floats:
        """Return 1 / cross-entropy of the selected with each sample."""
        return 1.0 / np.maximum(self.entropies(of), _LEAST_ENTROPY)

    def entropies(self, of: Indices | slice) -> Floats:
        """Return the cross-entropy of the selected with each sample."""
        rows = self.rows[of]
        found = np.empty(len(rows))
        for block in blocks(len(rows), 8 * rows.shape[1]):
            found[block] = cross_entropy(self.target, self.sums + rows[block])
        return found

    def gains(self, of: Indices) -> Floats:
        """Return the objectives: no sample has a share of its own."""
        return self.objectives(of)

    def add(self, sample: int) -> None:
        """Count a sample's classes as selected."""
        self.sums = self.sums + self.rows[sample]

    def refusal(self, sample: int) -> str | None:  # noqa: ARG002 - BALANCE never ends a run
        """Return `None`."""
        return None

    def exhaustion(self) -> str | None:
        """Return `None`: BALANCE never ends a run."""
        return None
