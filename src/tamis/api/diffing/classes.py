"""Classifications of two runs: which flipped, and how far the probabilities are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.diffing.found import Found
from tamis.api.options import ignore_progress
from tamis.api.surest import class_shares, surest_rows
from tamis.engine import Progress

if TYPE_CHECKING:
    from tamis.api.diffing.options import DiffOptions
    from tamis.api.diffing.schemas import Categories
    from tamis.api.pairing import PairedPart, Pairing
    from tamis.engine import ProgressListener
    from tamis.model import PredictionColumns
    from tamis.model.columns import Floats, Ints

OUTCOMES = ("unchanged", "score changed", "flipped")
"""What becomes of a classification."""


def compare_classes(
    pairing: Pairing, categories: Categories, options: DiffOptions, listen: ProgressListener = ignore_progress
) -> Found:
    """Compare what both runs say of each sample."""
    n, nothing = len(pairing.first.samples), len(categories.names)
    said = np.full((2, n), nothing)
    score = np.full((2, n), np.nan)
    divergence = np.full(n, np.nan)
    ids = [np.array(side.task.category_ids, np.int64) for side in (pairing.first, pairing.second)]
    codes = (categories.first, categories.second)
    total, done = int(pairing.in_both.sum()), 0
    for part in pairing.parts():
        for side, columns in enumerate((part.first, part.second)):
            rows = surest_rows(columns)
            at = part.samples[columns.file[rows]]
            place = np.searchsorted(ids[side], columns.category_id[rows])
            said[side, at] = codes[side][place]
            score[side, at] = _confidence(columns, rows, place)
        _take_divergence(divergence, part, codes, nothing)
        done += len(part.samples)
        listen(Progress("comparing", done, total, "samples"))
    flipped = said[0] != said[1]
    change = score[1] - score[0]
    changed = ~flipped & (np.abs(change) > options.score_change)
    disagreement = np.where(np.isnan(divergence), np.where(flipped, 1.0, np.nan_to_num(np.abs(change))), divergence)
    both = pairing.in_both
    return Found(
        outcomes=np.stack([~flipped & ~changed, changed, flipped]).astype(np.int64) * both,
        names=OUTCOMES,
        disagreement=disagreement,
        first_categories=said[0][both & (said[0] < nothing)],
        second_categories=said[1][both & (said[1] < nothing)],
        flips=said[:, both & flipped].T,
        first_scores=score[0][both],
        second_scores=score[1][both],
        score_changes=change[both & ~flipped],
    )


def _confidence(columns: PredictionColumns, rows: Ints, place: Ints) -> Floats:
    """Return how sure each is: the probability of its category, or else its score."""
    whole, shares = class_shares(columns, rows)
    confidence = columns.score[rows].copy()
    if len(shares):
        confidence[whole] = shares[np.arange(len(shares)), place[whole]]
    return confidence


def _take_divergence(divergence: Floats, part: PairedPart, codes: tuple[Ints, Ints], n_categories: int) -> None:
    """Write the Jensen-Shannon divergence of the probabilities, in bits, where both runs have them: in [0, 1]."""
    spread = []
    for side, columns in enumerate((part.first, part.second)):
        rows = surest_rows(columns)
        whole, shares = class_shares(columns, rows)
        table = np.full((columns.n_files, n_categories), np.nan)
        if len(shares):
            file = columns.file[rows[whole]]
            table[file] = 0.0
            table[file[:, None], codes[side]] = shares
        spread.append(table)
    one, other = spread
    known = ~np.isnan(one).any(axis=1) & ~np.isnan(other).any(axis=1)
    one, other = one[known], other[known]
    middle = (one + other) / 2
    bits = (_entropy(middle) - (_entropy(one) + _entropy(other)) / 2) / np.log(2)
    divergence[part.samples[known]] = np.clip(bits, 0, 1)


def _entropy(shares: Floats) -> Floats:
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropies: Floats = -(shares * logs).sum(axis=1)
    return entropies
