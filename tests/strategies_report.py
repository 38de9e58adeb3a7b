"""A small selection to report on; tests change one thing of it at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tamis.api.report.inputs import LabelInput, NumberInput, ReportInputs, StrategyInput, TaskInput
from tamis.api.report.values import LeftOut, ProblemCount, Reason
from tamis.model import Category, Prediction, Task, TaskType


class FakePicture(NamedTuple):
    jpeg: bytes
    width: int
    height: int


def jpeg(side: int = 8) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (side, side), (90, 120, 150)).save(stream, "JPEG")
    return stream.getvalue()


DETECTOR = Task(
    name="detector",
    task_type=TaskType.OBJECT_DETECTION,
    categories=(Category(id=7, name="dog"), Category(id=2, name="cat")),
)
BOXES = (
    Prediction(category_id=2, bbox=(1.0, 2.0, 30.0, 40.0), score=0.25),
    Prediction(category_id=7, bbox=(50.0, 60.0, 30.0, 20.0), score=0.875, probabilities=(0.1, 0.9)),
)


def detector_input(n: int = 6, **changes: Any) -> TaskInput:
    """Two objects, a cat and a dog, in each sample."""
    values = TaskInput(
        task=DETECTOR,
        owner=np.repeat(np.arange(n), 2),
        category_id=np.tile([2, 7], n),
        has_file=np.ones(n, bool),
        predictions=lambda _: BOXES,
    )
    return replace(values, **changes)


def report_inputs(**changes: Any) -> ReportInputs:
    """Six samples of which 4 and 1 are picked, 5 is in the pool and 0 has been left out."""
    rows = np.array([[1, 0], [0, 1], [0.6, 0.8], [0.8, 0.6], [-1, 0], [0, -1]], np.float64)
    values = ReportInputs(
        source="/data/street",
        created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        config="n_samples: 2\n",
        keys=[f"day/{i}.jpg" for i in range(6)],
        candidate=np.array([False, True, True, True, True, False]),
        picks=np.array([4, 1]),
        pool=np.array([5]),
        n_requested=2,
        reasons=lambda pick: (Reason(strategy="spread", sentence=f"far from {pick} others", share=0.75),),
        picture=lambda _: FakePicture(jpeg(), 100, 80),
        strategies=[
            StrategyInput(label="spread", description="spreads", strength=1.0, shares=np.array([0.75, 0.25])),
            StrategyInput(
                label="doubt",
                description="doubts",
                strength=2.0,
                shares=np.array([0.25, 0.75]),
                values=np.array([np.nan, 0.5, 0.1, 0.2, 0.4, 0.9]),
            ),
            StrategyInput(label="filter", description="keeps some"),
        ],
        left_out=[LeftOut(reason="no score", count=1)],
        embeddings=rows,
        embeddings_name="two.npy",
        tasks=[detector_input()],
        numbers=[NumberInput(label="doubt", values=np.array([np.nan, 0.5, 0.1, 0.2, 0.4, 0.9]), limits=(0.0, 1.0))],
        labels=[LabelInput(label="weather", names=["sun", "rain"], codes=np.array([0, 0, 1, -1, 1, 0]))],
        problems=[ProblemCount(code="score-range", severity="error", count=3, message="expected less")],
    )
    return replace(values, **changes)
