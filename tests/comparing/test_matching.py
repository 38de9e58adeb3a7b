from __future__ import annotations

from random import Random  # noqa: TC003 (hypothesis reads the annotations)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tamis.scoring.matching import Pairs, greedy


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30, unique=True), st.randoms())
def test_greedy_takes_what_one_after_the_other_takes(pairs: list[tuple[int, int]], random: Random) -> None:
    """Taking pairs in rounds is taking them one after the other, in whatever order."""
    order = list(range(len(pairs)))
    random.shuffle(order)
    expected = [False] * len(pairs)
    firsts, seconds = set(), set()
    for i in order:
        if pairs[i][0] not in firsts and pairs[i][1] not in seconds:
            expected[i] = True
            firsts.add(pairs[i][0])
            seconds.add(pairs[i][1])
    listed = np.array(pairs, np.int64).reshape(-1, 2)
    found = greedy(Pairs(listed[:, 0], listed[:, 1], np.ones(len(pairs))), np.array(order, np.int64))
    assert found.tolist() == expected
