"""What is really in the demo's pictures, and what the simulated detector got wrong there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.api.demo.world import OBJECTS, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tamis.model import Prediction

Box = tuple[float, float, float, float]

_MIN_VISIBLE = 0.3
_MIN_IOU = 0.5
_ID_OF = {category.name: category.id for category in OBJECTS}


class TrueObject(msgspec.Struct, frozen=True):
    """An object as a careful annotator would label it."""

    category_id: int
    bbox: Box


class Errors(msgspec.Struct, frozen=True):
    """What the detector got wrong in one picture.

    Attributes:
        missed: objects that no prediction overlaps with an IoU of at least .5.
        wrong_class: objects found under another name.
        false: predictions of nothing, or of what another prediction has found already.
    """

    missed: int
    wrong_class: int
    false: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.missed + self.wrong_class + self.false


class TrueSample(msgspec.Struct, frozen=True):
    """The truth about one picture."""

    weather: str
    is_night: bool
    is_crowded: bool
    objects: list[TrueObject]
    errors: Errors


def tell_truth(scene: Scene, visible: NDArray[np.float64], found: Sequence[Prediction]) -> TrueSample:
    """Label a scene and count the detector's errors in it; what is mostly hidden is not labelled."""
    objects = [
        TrueObject(_ID_OF[thing.category], thing.box)
        for thing, share in zip(scene.things, visible.tolist(), strict=True)
        if share >= _MIN_VISIBLE
    ]
    return TrueSample(
        weather=scene.weather.value,
        is_night=scene.is_night,
        is_crowded=scene.is_crowded,
        objects=objects,
        errors=count_errors(objects, found),
    )


def count_errors(objects: Sequence[TrueObject], found: Sequence[Prediction]) -> Errors:
    """Match predictions, the most confident first, each to the free object that it overlaps most.

    >>> from tamis.model import Prediction
    >>> here = TrueObject(1, (0, 0, 10, 10))
    >>> twice = [Prediction(category_id=2, bbox=(0, 0, 10, 9), score=score) for score in (0.9, 0.8)]
    >>> count_errors([here, TrueObject(1, (50, 0, 10, 10))], twice)
    Errors(missed=1, wrong_class=1, false=1)
    """
    free = list(objects)
    wrong = false = 0
    for one in sorted(found, key=lambda one: -(one.score or 0)):
        overlaps = [overlap(one.bbox, other.bbox) if one.bbox else 0.0 for other in free]
        best = max(range(len(free)), key=overlaps.__getitem__, default=None)
        if best is None or overlaps[best] < _MIN_IOU:
            false += 1
        else:
            wrong += free.pop(best).category_id != one.category_id
    return Errors(missed=len(free), wrong_class=wrong, false=false)


def overlap(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes (x, y, width, height)."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)
