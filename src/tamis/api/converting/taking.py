"""From the objects of one image to a sample for the sink: sizes, masks, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.api.converting.sink import Sample
from tamis.formats import ForeignError, to_prediction
from tamis.media import read_image_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.converting.names import SampleNames
    from tamis.api.converting.sink import Sink
    from tamis.api.converting.values import Tally
    from tamis.formats import ForeignObject, TakeOptions
    from tamis.storage import Store

Size = tuple[int, int]

_UNKNOWN = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Taker:
    """Makes samples of objects and hands them on.

    Args:
        images: the input datasource: what an image itself says of its size counts.
        names: of its samples.
        options: how objects become predictions.
        sink: takes the samples.
        tally: told of what cannot be taken.
    """

    images: Store
    names: SampleNames
    options: TakeOptions
    sink: Sink
    tally: Tally

    def take(self, key: str, objects: Sequence[ForeignObject], size: Size, unit: str) -> None:
        """Take the objects of one image.

        Args:
            key: of the sample.
            objects: what the input says of it; none is legal.
            size: width and height in pixels as `size_of` says.
            unit: what the input's numbers count: "record", "line".
        """
        known = None if size == _UNKNOWN else size
        predictions, places = [], []
        for found in objects:
            place = f"{unit} {found.number:,} ({key})"
            try:
                predictions.append(to_prediction(found, self.options, known))
            except ForeignError as error:
                self.tally.add_error(error, place)
            else:
                places.append(place)
        if predictions or not objects:
            self.sink.add(Sample(key, size, predictions, places))

    def size_of(self, key: str, said: Size | None = None) -> Size:
        """Return width and height of a sample in pixels, (0, 0) where unknown; the image's own count."""
        if not self.names.has(key):
            return said or _UNKNOWN
        [read] = read_image_sizes(self.images, [key])
        if read.fault is not None:
            return said or _UNKNOWN
        size = (read.width, read.height)
        if said not in {None, size}:
            expected = f"expected {size[0]} x {size[1]} pixels, got {said[0]} x {said[1]}" if said else ""
            self.tally.add("image-size-differs", expected, key)
        return size
