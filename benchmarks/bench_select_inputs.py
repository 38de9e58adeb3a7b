"""What the selection is measured on: embeddings as those of images lie, weights and class shares; one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 128
N_CLUSTERS = 200
N_LATENT = 12
N_CLASSES = 10
_PIECE = 100_000


def build(work: Path, n: int) -> Path:
    """Write `points.npy` (n, 128), `weights.npy` (n,) and `rows.npy` (n, 10), or take what is there.

    The points are unit vectors in 200 clusters of 12 dimensions, bent into 128.
    """
    folder = work / f"select-{n}"
    if (folder / "rows.npy").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((N_CLUSTERS, N_LATENT))
    bend = 0.3 * rng.standard_normal((N_LATENT, WIDTH))
    points = np.lib.format.open_memmap(folder / "points.npy", mode="w+", dtype=np.float32, shape=(n, WIDTH))
    for start in range(0, n, _PIECE):
        size = min(_PIECE, n - start)
        latent = rng.standard_normal((size, N_LATENT)) + centres[rng.integers(0, N_CLUSTERS, size)]
        piece = np.tanh(latent @ bend) + 0.05 * rng.standard_normal((size, WIDTH))
        points[start : start + size] = piece / np.linalg.norm(piece, axis=1, keepdims=True)
    points.flush()
    np.save(folder / "weights.npy", rng.random(n))
    np.save(folder / "rows.npy", rng.dirichlet(np.full(N_CLASSES, 0.3), n).astype(np.float32))
    return folder
