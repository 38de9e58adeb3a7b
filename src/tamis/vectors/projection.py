"""Vectors as points in a plane, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.vectors.nearest import Singles

_FITTED = 50_000
_BLOCK_ROWS = 65_536
_FEWEST = 5


def project_pca(vectors: NDArray[Any]) -> Singles:
    """Return the coordinates along the two directions of most variance, shape (n, 2).

    Above 50,000 rows the directions are found from evenly spread ones. The sign of a direction, which nothing
    decides, is such that its largest part is positive: the same vectors give the same picture.

    Args:
        vectors: (n, d).

    >>> project_pca(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.1]])).shape
    (3, 2)
    """
    n, n_dims = vectors.shape
    points = np.zeros((n, 2), np.float32)
    if n == 0:
        return points
    some = np.asarray(vectors[:: -(-n // _FITTED)], np.float64)
    centre = some.mean(axis=0)
    _, directions = np.linalg.eigh((some - centre).T @ (some - centre))
    widest = directions[:, ::-1][:, : min(2, n_dims)]
    widest = widest * np.sign(widest[np.abs(widest).argmax(axis=0), np.arange(widest.shape[1])])
    for start in range(0, n, _BLOCK_ROWS):
        block = np.asarray(vectors[start : start + _BLOCK_ROWS], np.float64) - centre
        points[start : start + _BLOCK_ROWS, : widest.shape[1]] = block @ widest
    return points


def project_neighbours(vectors: NDArray[Any], *, seed: int = 0) -> Singles:
    """Return points of a plane in which near vectors lie near to each other (UMAP), shape (n, 2).

    Starts from `project_pca`; the same vectors and seed give the same picture.

    Args:
        vectors: (n, d) of length 1.
        seed: another seed, another picture.

    Raises:
        UsageError: when `umap-learn` is not installed.
    """
    try:
        import umap  # noqa: PLC0415 (an extra that takes seconds to load)
    except ModuleNotFoundError:
        raise UsageError(
            "This projection needs umap-learn, which is not installed",
            hint="install it with `pip install 'tamis[umap]'`, or ask for `pca`",
        ) from None
    start = project_pca(vectors)
    if len(vectors) < _FEWEST:  # neighbours of so few say nothing
        return start
    spread = np.abs(start).max() or 1.0
    reducer = umap.UMAP(
        n_neighbors=min(15, len(vectors) - 1), init=start * (10.0 / spread), random_state=seed, n_jobs=1
    )
    points: Singles = np.asarray(reducer.fit_transform(vectors), np.float32)
    return points
