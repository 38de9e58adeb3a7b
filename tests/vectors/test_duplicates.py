"""What repeats what is what a plain loop over all distances in float64 says, whatever the vectors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.vectors import Duplicates, duplicates, find_duplicates, parts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

KINDS = ("spread", "clusters", "repeated", "line", "same", "one cluster", "zeros and ones")


def _vectors(seed: int, n: int, n_dims: int, kind: str) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, n_dims))
    if kind == "clusters":
        values = random.normal(size=(5, n_dims))[random.integers(0, 5, n)] + 0.05 * values
    if kind == "repeated":
        values = values[random.integers(0, max(n // 3, 1), n)]
    if kind == "line":
        values = np.outer(np.linspace(0, 1, n), values[0]) + values[min(1, n - 1)]
    if kind == "same":
        values = np.repeat(values[:1], n, axis=0)
    if kind == "one cluster":  # nearly all pairs are about as far apart as the limit of .3
        values = 0.21 * values / np.sqrt(n_dims) + np.eye(n_dims)[0]
    if kind == "zeros and ones":  # few distances that many pairs have exactly
        values = (values > 0.0).astype(np.float64)
        values[:, 0] = 1.0
    return unit_rows(values)


def _distances(unit: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = unit.astype(np.float64)
    return np.stack([np.sqrt(((exact - row) ** 2).sum(axis=1)) for row in exact])


def _plain(
    distances: NDArray[np.float64], known: NDArray[np.bool_], limit: float, contents: Sequence[int | None]
) -> tuple[list[bool], list[int]]:
    """Return which rows are repeated, and which are kept by their vectors, row by row."""
    first = {content: i for i, content in reversed(list(enumerate(contents))) if content is not None}
    kept = np.zeros(len(distances), np.bool_)
    repeated = []
    for row, content in enumerate(contents):
        same = content is not None and first[content] != row
        near = bool(known[row] and limit > 0 and (distances[row, kept] <= limit).any())
        repeated.append(same or near)
        kept[row] = known[row] and not (same or near)
    return repeated, np.flatnonzero(kept).tolist()


@contextmanager
def _cut_at(few_rows: int) -> Iterator[None]:
    """Let a few dozen rows be as many as millions: halves, parts and centres of a few rows each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_FEW_ROWS", few_rows)
        patch.setattr(parts, "_PART_ROWS", 3 * few_rows)
        yield


@settings(deadline=None)
@given(
    st.integers(0, 1_000),
    st.integers(0, 90),
    st.integers(2, 40),
    st.sampled_from(KINDS),
    st.sampled_from([0.0, 0.02, 0.3, 1.2]),
    st.sampled_from([3, 1_000]),
)
def test_duplicates_are_those_of_a_plain_loop(
    seed: int, n: int, n_dims: int, kind: str, limit: float, few_rows: int
) -> None:
    """What has an earlier row's content, or lies near to a kept row, is not kept and names the nearest that is."""
    unit = _vectors(seed, n, n_dims, kind) if n else np.zeros((0, n_dims), np.float32)
    random = np.random.default_rng(seed)
    known = random.random(n) < 0.9
    contents = [None if random.random() < 0.3 else int(random.integers(0, 60)) for _ in range(n)]
    distances = _distances(unit) if n else np.zeros((0, 0))
    if n > 1 and seed % 3 == 0:  # a limit that is a distance, but for the order of a sum: that pair is near
        limit = float(distances[0, 1]) * (1 + 1e-12)
    repeated, kept = _plain(distances, known, limit, contents)
    with _cut_at(few_rows):
        found = find_duplicates(unit, known, limit=limit, contents=contents)
    assert found.repeated.tolist() == repeated
    assert not found.repeated[found.of[found.repeated]].any()
    same = [
        of >= 0 and contents[row] is not None and contents[row] == contents[of] for row, of in enumerate(found.of)
    ]
    assert found.exact.tolist() == same
    for row in np.flatnonzero(found.repeated & ~found.exact).tolist():
        first = row if contents[row] is None else contents.index(contents[row])
        if first != row:  # it is gone as a copy of what is gone
            assert (found.of[row], found.distances[row]) == (found.of[first], found.distances[first])
            continue
        nearest = distances[row, kept].min()
        assert distances[row, found.of[row]] == pytest.approx(nearest, abs=1e-12)
        assert found.distances[row] == pytest.approx(nearest, abs=1e-12)


@pytest.mark.parametrize("n_dims", [2, 128])
@pytest.mark.parametrize("kind", KINDS)
def test_duplicates_among_thousands(kind: str, n_dims: int) -> None:
    """Cut into halves and parts, shared by threads, thousands of rows give what the plain loop gives."""
    unit = _vectors(3, 1_600, n_dims, kind)
    known = np.ones(len(unit), np.bool_)
    heard: list[float] = []
    with _cut_at(50), ThreadPoolExecutor(2) as threads:
        found = find_duplicates(unit, known, limit=0.3, threads=threads, listen=heard.append)
    repeated, kept = _plain(_distances(unit), known, 0.3, [None] * len(unit))
    assert found.repeated.tolist() == repeated
    assert np.flatnonzero(~found.repeated).tolist() == kept
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)


def test_a_slow_chain_is_thinned_and_not_dropped() -> None:
    """Of a video whose frames differ little by little, frames remain all along it."""
    angles = np.linspace(0, np.pi / 2, 100)
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found: Duplicates = find_duplicates(unit, np.ones(100, np.bool_), limit=0.2)
    kept = np.flatnonzero(~found.repeated)
    assert 7 <= len(kept) <= 9
    assert np.ptp(np.diff(kept)) <= 1
