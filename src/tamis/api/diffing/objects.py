"""Objects of two runs: which are the same, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.diffing.found import Found
from tamis.api.options import ignore_progress
from tamis.api.overlaps import Overlaps
from tamis.engine import Progress
from tamis.scoring.files import bin_sums
from tamis.scoring.matching import greedy

if TYPE_CHECKING:
    from tamis.api.diffing.options import DiffOptions
    from tamis.api.diffing.schemas import Categories
    from tamis.api.overlaps import Objects
    from tamis.api.pairing import Pairing
    from tamis.engine import ProgressListener
    from tamis.model.columns import Bools, Floats, Ints
    from tamis.scoring.matching import Pairs, Shape

OUTCOMES = ("unchanged", "score changed", "moved", "category changed", "removed", "added")
"""What becomes of an object, from the least to the most; the number of each is its code."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectChanges:
    """What became of the objects.

    Attributes:
        first: objects of the first run.
        second: objects of the second run.
        pairs: which are the same.
        of_pair: code of `OUTCOMES` of each pair.
        is_removed: which of the first have no partner.
        is_added: which of the second have none.
    """

    first: Objects
    second: Objects
    pairs: Pairs
    of_pair: Ints
    is_removed: Bools
    is_added: Bools


def compare_objects(
    pairing: Pairing,
    shape: Shape,
    categories: Categories,
    options: DiffOptions,
    listen: ProgressListener = ignore_progress,
) -> ObjectChanges:
    """Read the objects of both runs and match them.

    Pairs of one category come first, by falling overlap; then what is left, across categories.
    """
    overlaps = Overlaps(shape, options.min_iou)
    widths = pairing.first.samples.integers("samples", "width")
    ids = [np.array(side.task.category_ids, np.int64) for side in (pairing.first, pairing.second)]
    total, done = int(pairing.in_both.sum()), 0
    for part in pairing.parts():
        first = replace(part.first, category_id=categories.first[np.searchsorted(ids[0], part.first.category_id)])
        second = replace(
            part.second, category_id=categories.second[np.searchsorted(ids[1], part.second.category_id)]
        )
        overlaps.add(part.samples, first, second, widths[part.samples])
        done += len(part.samples)
        listen(Progress("comparing", done, total, "samples"))
    return _matched(overlaps.first, overlaps.second, overlaps.pairs, options)


def _matched(first: Objects, second: Objects, pairs: Pairs, options: DiffOptions) -> ObjectChanges:
    is_other = first.category[pairs.first] != second.category[pairs.second]
    order = np.lexsort((pairs.second, pairs.first, -pairs.overlap, is_other))
    taken = pairs.keep(greedy(pairs, order))
    is_removed, is_added = np.ones(len(first.sample), np.bool_), np.ones(len(second.sample), np.bool_)
    is_removed[taken.first] = False
    is_added[taken.second] = False
    change = np.abs(first.score[taken.first] - second.score[taken.second])
    chances = [
        first.category[taken.first] != second.category[taken.second],
        taken.overlap < options.moved_below,
        change > options.score_change,
    ]
    of_pair = np.select(chances, [3, 2, 1], default=0)
    return ObjectChanges(first, second, taken, of_pair, is_removed, is_added)


def found_in_objects(given: ObjectChanges, n_samples: int) -> Found:
    """Return what is to be said of samples, categories and scores."""
    outcomes = np.zeros((len(OUTCOMES), n_samples), np.int64)
    where = given.first.sample[given.pairs.first]
    for code in range(OUTCOMES.index("removed")):
        outcomes[code] = np.bincount(where[given.of_pair == code], minlength=n_samples)
    outcomes[4] = np.bincount(given.first.sample[given.is_removed], minlength=n_samples)
    outcomes[5] = np.bincount(given.second.sample[given.is_added], minlength=n_samples)
    flipped = given.pairs.keep(given.of_pair == OUTCOMES.index("category changed"))
    return Found(
        outcomes=outcomes,
        names=OUTCOMES,
        disagreement=_disagreement(given, n_samples),
        first_categories=given.first.category,
        second_categories=given.second.category,
        flips=np.stack([given.first.category[flipped.first], given.second.category[flipped.second]], axis=1),
        first_scores=given.first.score,
        second_scores=given.second.score,
        score_changes=given.second.score[given.pairs.second] - given.first.score[given.pairs.first],
    )


def _disagreement(given: ObjectChanges, n_samples: int) -> Floats:
    """Return 1 less what the runs share of what they say, in [0, 1]; shape (n_samples,).

    Of scores s and t of the same objects with overlap o: 1 - 2 sum(min(s, t) o) / (sum s + sum t), where pairs of
    different categories share nothing. Objects without a score count 1.
    """
    own, other = np.nan_to_num(given.first.score, nan=1.0), np.nan_to_num(given.second.score, nan=1.0)
    total = bin_sums(given.first.sample, own, n_samples) + bin_sums(given.second.sample, other, n_samples)
    same = given.of_pair != OUTCOMES.index("category changed")
    pairs = given.pairs.keep(same)
    shared = np.minimum(own[pairs.first], other[pairs.second]) * pairs.overlap
    common = 2 * bin_sums(given.first.sample[pairs.first], shared, n_samples)
    share = np.divide(common, total, out=np.ones(n_samples), where=total > 0)
    disagreement: Floats = np.clip(1 - share, 0, 1)
    return disagreement
