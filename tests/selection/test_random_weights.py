from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tamis.selection.random_weights import random_weights

KEYS = st.lists(st.text(max_size=9), unique=True)


@given(st.integers(), KEYS, KEYS)
def test_new_samples_change_no_old_weight(seed: int, old: list[str], new: list[str]) -> None:
    """A sample's number depends on the seed and its own key only, and lies in [0, 1)."""
    weights = random_weights(seed, old + new)
    assert np.array_equal(weights[: len(old)], random_weights(seed, old))
    assert ((weights >= 0) & (weights < 1)).all()


def test_numbers_are_uniform_and_seeds_differ() -> None:
    """A hundred thousand keys fill every hundredth evenly, and another seed gives unrelated numbers."""
    keys = [f"images/{i}.jpg" for i in range(100_000)]
    first, second = random_weights(0, keys), random_weights(1, keys)
    counts = np.histogram(first, 100, (0, 1))[0]
    assert abs(counts - 1000).max() < 160  # 5 standard deviations
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02


def test_a_name_that_is_no_utf8() -> None:
    """A file name of undecodable bytes has a number too."""
    assert random_weights(0, ["\udcff.jpg"]).shape == (1,)
