"""Probabilities of each pixel as masks, one a category, as the format wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.model import Task


def masks_of_map(
    task: Task, probabilities: NDArray[Any], statistic: str, *, keep_probabilities: bool
) -> list[dict[str, Any]]:
    """Return a mask a category: the pixels where it is the likeliest, the first of equals.

    Args:
        task: whose categories the rows of the map are, in ascending order of id.
        probabilities: in [0, 1], shape (n_categories, height, width).
        statistic: `median` or `mean` of the category's probability over its mask becomes the score.
        keep_probabilities: whether each mask has the mean of every category's probability over it.
    """
    aggregate = np.median if statistic == "median" else np.mean
    likeliest = probabilities.argmax(axis=0)
    found = []
    for i in np.unique(likeliest).tolist():
        mask = likeliest == i
        entry = {
            "category_id": task.category_ids[i],
            "segmentation": mask,
            "score": float(aggregate(probabilities[i][mask].astype(np.float64))),
        }
        if keep_probabilities:
            entry["probabilities"] = probabilities[:, mask].mean(axis=1, dtype=np.float64).tolist()
        found.append(entry)
    return found


def map_faults(task: Task, probabilities: NDArray[Any], statistic: str) -> list[str]:
    """Return what is wrong with a map of probabilities."""
    n = len(task.category_ids)
    faults = []
    if statistic not in {"mean", "median"}:
        faults.append(f"statistic: expected `median` or `mean`, got `{statistic}`")
    if probabilities.ndim != 3 or probabilities.shape[0] != n or not probabilities.size:  # noqa: PLR2004 (category, row, column)
        faults.append(f"expected probabilities of shape ({n}, height, width), got {probabilities.shape}")
    elif probabilities.dtype.kind not in "fiub":
        faults.append(f"expected probabilities as numbers, got {probabilities.dtype}")
    elif not (probabilities.min() >= 0 and probabilities.max() <= 1):
        low, high = probabilities.min(), probabilities.max()
        faults.append(f"expected probabilities in [0, 1], got {low:.3g} to {high:.3g}: apply softmax to logits")
    return faults
