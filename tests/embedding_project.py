"""A small datasource with pictures that can be told apart, boxes on them, and some that are broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

import tamis

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = ["cat", "dog", "fox"]
WIDTH, HEIGHT = 96, 72


def draw(path: Path, seed: int) -> None:
    """Write a picture of its own: blots of colour, and a white square at (10, 20) of 30 x 20 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 200, (6, 8, 3), np.uint8)
    image = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    image.paste((255, 255, 255), (10, 20, 40, 40))
    image.save(path)


def make_project(root: Path, n: int = 8) -> tamis.Datasource:
    """Make a scanned datasource: n images in two folders, with three boxes of three classes each."""
    keys = [f"{'ab'[i % 2]}/{i}.png" for i in range(n)]
    for i, key in enumerate(keys):
        draw(root / key, i)
    random = np.random.default_rng(0)
    with tamis.PredictionWriter(root, task="pets", task_type="object-detection", categories=CLASSES) as writer:
        for key in keys:
            probabilities = random.dirichlet(np.ones(3), 3)
            writer.write_boxes(
                key,
                [[10, 20, 30, 20], [50, 5, 20, 40], [0, 50, 90, 20]],
                scores=[0.9, 0.5, 0.2],
                category_ids=probabilities.argmax(axis=1),
                probabilities=probabilities,
            )
    datasource = tamis.open(root)
    datasource.scan()
    return datasource
