"""From the objects of one image to a sample for the sink: sizes, pixels, masks, refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tamis.api.converting.sink import Sample
from tamis.formats import ForeignError, to_pixels, to_prediction
from tamis.media import read_image_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.converting.names import SampleNames
    from tamis.api.converting.sink import Sink
    from tamis.api.converting.values import Tally
    from tamis.formats import ForeignObject, TakeOptions
    from tamis.media.sizes import ImageSize
    from tamis.model import Prediction
    from tamis.storage import Store

Size = tuple[int, int]

_UNKNOWN = (0, 0)
_WAITING_IMAGES = 256
_WAITING_OBJECTS = 20_000


class ImageObjects(NamedTuple):
    """What the input says of one image.

    Attributes:
        key: of the sample.
        objects: of the image; none is legal.
        said: width and height that the input says, `None` where it says nothing.
        is_relative: whether lengths are shares of the image.
    """

    key: str
    objects: Sequence[ForeignObject]
    said: Size | None = None
    is_relative: bool = False


@dataclass(slots=True, eq=False)
class Taker:
    """Makes samples of objects and hands them on, many at a time: a bucket answers many requests at once.

    Args:
        images: the input datasource: what an image itself says of its size counts.
        names: of its samples.
        options: how objects become predictions.
        sink: takes the samples.
        tally: told of what cannot be taken.
        unit: what the input's numbers count: "record", "line".
    """

    images: Store
    names: SampleNames
    options: TakeOptions
    sink: Sink
    tally: Tally
    unit: str
    _waiting: list[ImageObjects] = field(default_factory=list)
    _n_objects: int = 0

    def take(self, image: ImageObjects) -> None:
        """Take the objects of one image.

        Raises:
            StoreError: when a file cannot be written.
        """
        self._waiting.append(image)
        self._n_objects += len(image.objects)
        if len(self._waiting) >= _WAITING_IMAGES or self._n_objects >= _WAITING_OBJECTS:
            self.hand_on()

    def flush(self) -> None:
        """Write everything that was taken.

        Raises:
            StoreError: when a file cannot be written.
        """
        self.hand_on()
        self.sink.finish()

    def hand_on(self) -> None:
        """Hand what waits to the sink."""
        waiting, self._waiting, self._n_objects = self._waiting, [], 0
        for image, size in zip(waiting, self._sizes(waiting), strict=True):
            self._make(image, size)

    def _make(self, image: ImageObjects, size: Size) -> None:
        known = None if size == _UNKNOWN else size
        if image.is_relative and known is None and image.objects:
            message = "expected an image of known size, got none"
            self.tally.add("size-needed", message, image.key, count=len(image.objects))
            return
        predictions: list[Prediction] = []
        places = []
        for found in image.objects:
            place = f"{self.unit} {found.number:,} ({image.key})"
            try:
                whole = to_pixels(found, size) if image.is_relative else found
                predictions.append(to_prediction(whole, self.options, known))
            except ForeignError as error:
                self.tally.add_error(error, place)
            else:
                places.append(place)
        if predictions or not image.objects:
            self.sink.add(Sample(image.key, size, predictions, places))

    def _sizes(self, waiting: Sequence[ImageObjects]) -> list[Size]:
        """Return width and height of each in pixels, (0, 0) where unknown; those of the image or video count."""
        there = [image.key for image in waiting if self.names.has(image.key)]
        own = dict(zip(there, read_image_sizes(self.images, there), strict=True))
        return [self._size(image, own.get(image.key)) for image in waiting]

    def _size(self, image: ImageObjects, read: ImageSize | None) -> Size:
        size = self.names.frame_size(image.key) if read is None else None
        if read is not None and read.fault is None:
            size = (read.width, read.height)
            if read.is_turned and image.is_relative and image.objects:
                message = "expected a picture that is shown as it is stored, got an orientation in its EXIF"
                self.tally.add("image-turned", message, image.key)
        if size is None:
            return image.said or _UNKNOWN
        if image.said is not None and image.said != size:
            message = f"expected {size[0]} x {size[1]} pixels, got {image.said[0]} x {image.said[1]}"
            self.tally.add("image-size-differs", message, image.key)
        return size
