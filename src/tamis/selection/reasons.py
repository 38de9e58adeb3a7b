"""Why each sample was picked, as values and as a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.balance import wanted
from tamis.selection.embeddings import blocks, unit_embeddings
from tamis.selection.strategies import (
    Balance,
    Diversity,
    Similarity,
    Threshold,
    Typicality,
    Weights,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.greedy import Selection
    from tamis.selection.strategies import Strategy


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What one strategy said of one pick, at the moment when it was picked.

    Attributes:
        strategy: name of the strategy.
        kind: its type, as a config spells it: `WEIGHTS`, `DIVERSITY`, ...
        strength: its exponent, 0 for a THRESHOLD.
        objective: its objective.
        factor: max(objective, 1e-8)^strength.
        value: what the pick brought by itself: its weight, similarity or typicality, or its (objects' mean) squared
            distance to what was selected, infinite for the first; of a BALANCE the objective.
        above: share of the candidates whose weight is lower, in [0, 1]; WEIGHTS only.
        below: share of the candidates whose weight is higher, in [0, 1]; WEIGHTS only.
        nearest: index of the nearest sample selected before, the pool included; DIVERSITY only.
        distance: root of `value`, in [0, 2]; DIVERSITY only, `None` for the first.
        fills: the class that gained most of those below their wanted share; BALANCE only, `None` where none did.
        share_before: that class's share of the selected before the pick, in [0, 1].
        share_after: that class's share with the pick.
        share_wanted: that class's wanted share.
    """

    strategy: str
    kind: str
    strength: float
    objective: float
    factor: float
    value: float
    above: float | None = None
    below: float | None = None
    nearest: int | None = None
    distance: float | None = None
    fills: str | None = None
    share_before: float | None = None
    share_after: float | None = None
    share_wanted: float | None = None


def explain(
    strategies: Sequence[Strategy], selection: Selection, *, pool: Sequence[int] = ()
) -> list[tuple[Reason, ...]]:
    """Return the reasons of each pick, in the order of the picks and of the strategies.

    Args:
        strategies: those of the selection.
        selection: what was picked.
        pool: that of the selection.

    >>> from tamis.selection.greedy import select
    >>> entropy = Weights(name="entropy", values=np.array([0.2, 0.9, 0.4, 0.3]))
    >>> selection = select([entropy], n_samples=1, candidate=np.ones(4, bool))
    >>> explain([entropy], selection)[0][0].above
    0.75
    """
    columns = [_column(strategy, column, selection, pool=pool) for column, strategy in enumerate(strategies)]
    return list(zip(*columns, strict=True)) if columns else [()] * len(selection.picks)


def _column(strategy: Strategy, column: int, selection: Selection, *, pool: Sequence[int]) -> list[Reason]:
    reasons = [
        Reason(
            strategy=strategy.name,
            kind=type(strategy).__name__.upper(),
            strength=0.0 if isinstance(strategy, Threshold) else strategy.strength,
            objective=float(objective),
            factor=float(factor),
            value=float(value),
        )
        for objective, factor, value in zip(
            selection.objectives[:, column], selection.factors[:, column], selection.gains[:, column], strict=True
        )
    ]
    known = selection.field.known[column]
    if isinstance(strategy, Weights):
        return _ranked(reasons, strategy, selection)
    if isinstance(strategy, Diversity):
        return _measured(reasons, nearest_selected(strategy, known, selection.picks, pool=pool))
    if isinstance(strategy, Balance):
        return _filled(reasons, strategy, selection, known=known, pool=pool)
    return reasons


def _ranked(reasons: list[Reason], strategy: Weights, selection: Selection) -> list[Reason]:
    ordered = np.sort(strategy.values[selection.field.candidate])
    values = strategy.values[selection.picks]
    lower = np.searchsorted(ordered, values, "left")
    higher = len(ordered) - np.searchsorted(ordered, values, "right")
    return [
        replace(reason, above=int(lower[i]) / len(ordered), below=int(higher[i]) / len(ordered))
        for i, reason in enumerate(reasons)
    ]


def _measured(reasons: list[Reason], nearest: Indices) -> list[Reason]:
    return [
        reason if sample < 0 else replace(reason, nearest=int(sample), distance=math.sqrt(reason.value))
        for reason, sample in zip(reasons, nearest, strict=True)
    ]


def nearest_selected(strategy: Diversity, known: Bools, picks: Indices, *, pool: Sequence[int] = ()) -> Indices:
    """Return which of the samples selected before is nearest to each pick, or to one of its objects.

    Args:
        strategy: whose embeddings are compared.
        known: (N,) whether the sample has embeddings.
        picks: (k,) in the order of picking.
        pool: selected before all of them.

    Returns:
        (k,) indices of samples, -1 where nothing was selected before, or the pick has no objects.
    """
    order = [*(sample for sample in pool if known[sample]), *picks.tolist()]
    owner = np.arange(len(known)) if strategy.owner is None else strategy.owner
    starts, ends = np.searchsorted(owner, order, "left"), np.searchsorted(owner, order, "right")
    ranks = np.repeat(np.arange(len(order)), ends - starts)
    rows = np.concatenate([np.arange(s, e) for s, e in zip(starts, ends, strict=True)] or [np.arange(0)])
    unit, _ = unit_embeddings(strategy.embeddings[rows])
    best = np.full(len(order), np.inf)
    found = np.full(len(order), -1)
    for block in blocks(len(rows), max(1, len(rows) // 4)):
        rough = -2.0 * (unit[block] @ unit.T)
        rough[ranks[None, :] >= ranks[block, None]] = np.inf
        columns = rough.argmin(axis=1)
        for rank, column, value in zip(ranks[block], columns, rough.min(axis=1), strict=True):
            if value < best[rank]:
                best[rank], found[rank] = value, order[ranks[column]]
    return found[len(order) - len(picks) :]


def _filled(
    reasons: list[Reason], strategy: Balance, selection: Selection, *, known: Bools, pool: Sequence[int]
) -> list[Reason]:
    in_play = selection.field.candidate.copy()
    in_play[list(pool)] = True
    target, rows, names = wanted(strategy, known & in_play, selection.field.candidate)
    sums = rows[list(pool)].sum(axis=0)
    filled = []
    for reason, sample in zip(reasons, selection.picks, strict=True):
        before, after = _shares(sums), _shares(sums + rows[sample])
        sums = sums + rows[sample]
        growth = np.where(before < target, after - before, 0.0)
        most = int(growth.argmax())
        filled.append(
            replace(
                reason,
                fills=names[most],
                share_before=float(before[most]),
                share_after=float(after[most]),
                share_wanted=float(target[most]),
            )
            if growth[most] > 0.0
            else reason
        )
    return filled


def _shares(sums: Floats) -> Floats:
    total = float(sums.sum())
    return sums / total if total > 0.0 else np.zeros(len(sums))


def describe(reasons: Sequence[Reason], *, keys: Sequence[str], of: str = "samples") -> str:
    """Say in a sentence why a sample was picked; strategies of strength 0 had no say.

    Args:
        reasons: those of the sample.
        keys: (N,) the samples' keys.
        of: what they are of: `samples` or `objects`.

    >>> describe([Reason(strategy="entropy", kind="WEIGHTS", strength=1.0, objective=9.3, factor=9.3, value=0.93,
    ...                  above=0.984, below=0.01)], keys=[])
    'entropy 0.93, higher than 98 % of candidates'
    """
    parts = [_phrase(reason, keys, of.removesuffix("s")) for reason in reasons if reason.strength != 0.0]
    return "; ".join(parts) or "no strategy told it from the others"


def _phrase(reason: Reason, keys: Sequence[str], one: str) -> str:
    if reason.kind == Weights.__name__.upper():
        return f"{reason.strategy} {reason.value:.3g}, {_rank(reason)}"
    if reason.kind == Diversity.__name__.upper():
        if reason.distance is None or reason.nearest is None:
            return "nothing selected to measure its distance from"
        return f"{reason.distance:.2g} from its nearest selected {one} {keys[reason.nearest]}"
    if reason.kind == Balance.__name__.upper():
        return _filling(reason)
    if reason.kind in (Similarity.__name__.upper(), Typicality.__name__.upper()):
        return f"{reason.kind.lower()} {reason.value:.2g}"
    return f"{reason.strategy} {reason.value:.3g}"


def _rank(reason: Reason) -> str:
    above, below = reason.above or 0.0, reason.below or 0.0
    if above == below == 0.0:
        return "like every candidate's"
    if below == 0.0 or above == 0.0:
        return f"the {'highest' if below == 0.0 else 'lowest'} of all candidates"
    side, share = ("lower", below) if reason.strength < 0.0 else ("higher", above)
    percent = math.floor(100 * share)
    return f"{side} than {percent or 'less than 1'} % of candidates"


def _filling(reason: Reason) -> str:
    if reason.fills is None or reason.share_before is None or reason.share_wanted is None:
        return "fills no class that is short of its target"
    return (
        f"fills `{reason.fills}` ({100 * reason.share_before:.2g} % of selected, "
        f"target {100 * reason.share_wanted:.2g} %)"
    )
