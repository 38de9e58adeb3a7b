"""The images and categories of a COCO file, and its records one after the other."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tamis.api.converting.values import Tally
from tamis.errors import DatasourceError, UsageError
from tamis.formats import CocoImage, ImageId, JsonStream, JsonStreamError, Unreadable, known_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_FIRST_RECORDS = 1_000


@dataclass(slots=True, eq=False)
class CocoTable:
    """What a file says of images and categories.

    Attributes:
        names: file name of each image.
        sizes: width and height of each in pixels, `None` where the file does not say.
        index: where each image id is in these lists.
        categories: as the JSON has them.
        by_name: whether image ids are names of images: each that is asked for is added.
    """

    names: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int] | None] = field(default_factory=list)
    index: dict[int | str, int] = field(default_factory=dict)
    categories: list[Any] = field(default_factory=list)
    by_name: bool = False

    def find(self, image_id: ImageId) -> int | None:
        """Return where an image is in the lists, `None` where nothing describes it."""
        found = self.index.get(_whole(image_id))
        if found is None and self.by_name and isinstance(image_id, str):
            self.add(CocoImage(id=image_id, file_name=image_id))
            return self.index[image_id]
        return found

    def add(self, image: CocoImage) -> bool:
        """Add an image; `False` where its id was there."""
        image_id = _whole(image.id)
        if image_id in self.index:
            return False
        self.index[image_id] = len(self.names)
        self.names.append(image.file_name)
        self.sizes.append(known_size(image.width, image.height))
        return True


def _whole(image_id: ImageId) -> int | str:
    """Return an id where floats are whole numbers, as pandas writes them, or else their text."""
    if isinstance(image_id, float):
        return int(image_id) if image_id.is_integer() else repr(image_id)
    return image_id


@contextmanager
def open_stream(path: Path) -> Iterator[JsonStream]:
    """Open a JSON file to be read piece by piece.

    Raises:
        DatasourceError: when it cannot be opened, or its structure ends early.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    with file:
        try:
            yield JsonStream(file.read)
        except JsonStreamError as error:
            raise DatasourceError(
                f"`{path}` is no COCO file: {error}",
                hint="expected an object with `images`, `annotations` and `categories`, or a list of results",
            ) from None


def is_list(path: Path) -> bool:
    """Whether a file holds a list of results, not annotations."""
    with open_stream(path) as stream:
        return stream.peek() == "["


def read_table(path: Path, tally: Tally) -> CocoTable:
    """Read `images` and `categories`; the annotations are passed over.

    Raises:
        UsageError: when it is a list of results.
        DatasourceError: when it cannot be read.
    """
    table, missing = CocoTable(), {"images", "categories"}
    with open_stream(path) as stream:
        if stream.peek() == "[":
            raise UsageError(
                f"`{path}` is a list of results, expected an annotation file",
                hint="an annotation file is an object with `images` and `categories`",
            )
        for key in stream.members():
            if key == "images":
                _read_images(stream, table, path, tally)
            elif key == "categories":
                table.categories = [_with_whole_id(category) for category in stream.value(list[Any])]
            missing.discard(key)
            if not missing:
                break
    if missing:
        listed = " and ".join(f"`{key}`" for key in sorted(missing))
        raise UsageError(
            f"`{path}` has no {listed}", hint="an annotation file lists images and categories beside annotations"
        )
    return table


def _with_whole_id(category: Any) -> Any:  # noqa: ANN401 (whatever the JSON has)
    match category:
        case {"id": float(number)} if number.is_integer():
            return category | {"id": int(number)}
        case _:
            return category


def _read_images(stream: JsonStream, table: CocoTable, path: Path, tally: Tally) -> None:
    for piece in stream.elements(CocoImage):
        for number, image in enumerate(piece.values, piece.first):
            place = f"{path.name} images[{number}]"
            if isinstance(image, Unreadable):
                tally.add("record-unreadable", f"{image.message}: {image.shown}", place)
            elif not table.add(image):
                tally.add("record-unreadable", f"expected each image id once, got {image.id!r} again", place)


def records(path: Path, kind: type[Any], tally: Tally) -> Iterator[tuple[int, list[Any], int]]:
    """Yield the records of a file in pieces: index of the first, the records, bytes passed so far.

    A file that ends within its list yields what is whole, and the rest is counted.

    Args:
        path: an annotation file or a list of results.
        kind: what to decode a record as.
        tally: told of a file that breaks off.

    Raises:
        DatasourceError: when the file cannot be read, or what is before the records breaks off.
    """
    with open_stream(path) as stream:
        if stream.peek() == "{":
            for key in stream.members():
                if key == "annotations":
                    break
            else:
                return
        n_read = 0
        try:
            for piece in stream.elements(kind):
                n_read = piece.first + len(piece.values)
                yield piece.first, piece.values, stream.n_bytes
        except JsonStreamError as error:
            tally.add("record-unreadable", f"the list breaks off: {error}", f"{path.name} after record {n_read:,}")


def first_records(path: Path) -> list[dict[str, Any]]:
    """Return the first records that can be read, as the JSON has them."""
    first: list[dict[str, Any]] = []
    for _, found, _ in records(path, dict[str, Any], Tally()):
        first += [record for record in found if not isinstance(record, Unreadable)]
        if len(first) >= _FIRST_RECORDS:
            break
    return first[:_FIRST_RECORDS]
