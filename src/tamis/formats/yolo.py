"""YOLO text: a line an object, lengths as shares of the image.

| type | line |
|---|---|
| object-detection | class, centre x, centre y, width, height, and a score where there is one |
| instance-segmentation | class, x1, y1, x2, y2, ... of one ring, and a score |
| keypoint-detection | class, box as above, x, y and a flag or confidence of each keypoint, and a score |
| classification | probability, name |

Other programs write the same values in other columns; `Columns` says which.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from tamis.formats.foreign import ForeignError, ForeignObject, whole_category
from tamis.formats.parsed import Fault, ParsedImage
from tamis.model import TaskType
from tamis.model.polygons import contours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tamis.model import Prediction

    Box = tuple[float, float, float, float]
    Size = tuple[int, int]

_BOX = ("cx", "cy", "w", "h")
_BOXES = (_BOX, ("x", "y", "w", "h"), ("x", "y", "x2", "y2"))
_MIN_RING = 6
_TRACK = "track"
_SHARES = (-1, 2)  # what may be a share of an image by which something reaches beyond it
_CLASSIFICATION_WORDS = 2


class Columns(NamedTuple):
    """Which number of a line is what.

    Attributes:
        names: `class`, `score`, and a box: `cx cy w h`, `x y w h` or `x y x2 y2`.
        is_pixels: whether lengths are pixels, not shares of the image.
        tracks_from: lines of at least so many numbers, as odd or even as that, end in the number of a track;
            `None`: none does.
    """

    names: tuple[str, ...]
    is_pixels: bool = False
    tracks_from: int | None = None

    def without_track(self, numbers: list[float]) -> tuple[list[float], float | None]:
        """Return the numbers of a line without that of a track, and that one."""
        least = self.tracks_from
        if least is None or len(numbers) < least or len(numbers) % 2 != least % 2:
            return numbers, None
        return numbers[:-1], numbers[-1]

    def box_columns(self) -> tuple[str, ...]:
        """Return the names that describe the box."""
        return tuple(name for name in self.names if name not in {"class", "score"})


DETECTION_COLUMNS = Columns(("class", *_BOX, "score"))


def parse_columns(text: str, *, is_pixels: bool) -> Columns:
    """Read names of columns, separated by spaces or commas.

    Raises:
        ValueError: when they are not a class and a box: the text says what was expected.

    >>> parse_columns("class score x y x2 y2", is_pixels=True).box_columns()
    ('x', 'y', 'x2', 'y2')
    """
    names = tuple(text.replace(",", " ").split())
    tracks_from = len(names) if names[-1:] == (_TRACK,) else None
    names = names[:-1] if tracks_from else names
    columns = Columns(names, is_pixels, tracks_from)
    rest = sorted(name for name in names if name in {"class", "score"})
    if columns.box_columns() not in _BOXES or rest not in (["class"], ["class", "score"]):
        listed = ", ".join(f"`{' '.join(box)}`" for box in _BOXES)
        raise ValueError(
            f"expected `class`, perhaps `score`, one of {listed}, and at the end perhaps `{_TRACK}`, got `{text}`"
        )
    return columns


def decode_yolo(
    data: bytes, task_type: TaskType, *, columns: Columns = DETECTION_COLUMNS, n_keypoints: int | None = None
) -> ParsedImage:
    """Read the lines of one image.

    Args:
        data: the bytes of the file.
        task_type: what its lines describe: boxes, polygons or keypoints.
        columns: of lines with boxes; a score at the end may be absent.
        n_keypoints: of each object, where its lines have keypoints.

    >>> parsed = decode_yolo(b"7 0.5 0.5 0.25 0.5 0.9", TaskType.OBJECT_DETECTION)
    >>> parsed.objects[0].category_id, parsed.objects[0].bbox, parsed.objects[0].score
    (7, (0.375, 0.25, 0.25, 0.5), 0.9)
    """
    objects, faults = [], []
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return ParsedImage(None, None, [], [Fault(None, "file-unreadable", "expected text in UTF-8")])
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            numbers, track = columns.without_track(_numbers(line))
            objects.append(_object(numbers, number, task_type, columns, n_keypoints))
        except ForeignError as error:
            faults.append(Fault(number, error.code, str(error)))
        else:
            if track is not None:
                faults.append(Fault(number, "track-left-out", f"expected no more numbers, got track {track:g}"))
    return ParsedImage(None, None, objects, faults, is_relative=not columns.is_pixels)


def decode_yolo_classes(data: bytes, ids: Mapping[str, int]) -> ParsedImage:
    r"""Read lines of a probability and a class name: one classification, the likeliest first.

    Where every class has a line the probabilities are kept, else the likeliest class and its score.

    >>> parsed = decode_yolo_classes(b"0.7 big car\n0.3 tree", {"big car": 0, "tree": 4})
    >>> parsed.objects[0].category_id, parsed.objects[0].score, parsed.objects[0].probabilities
    (0, 0.7, (0.7, 0.3))
    """
    found: dict[int, float] = {}
    faults = []
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        words = line.strip().split(maxsplit=1)
        if not words:
            continue
        category_id = ids.get(words[-1])
        if len(words) != _CLASSIFICATION_WORDS or not _is_number(words[0]):
            faults.append(Fault(number, "record-unreadable", f"expected a number and a name, got `{line[:60]}`"))
        elif category_id is None:
            faults.append(Fault(number, "category-name-unknown", f"expected a named category, got `{words[1]}`"))
        else:
            found[category_id] = float(words[0])
    if not found:
        return ParsedImage(None, None, [], faults)
    best = max(found, key=lambda category_id: found[category_id])
    n_classes = len(set(ids.values()))
    is_whole = len(found) == n_classes
    if not is_whole and len(found) > 1:
        message = f"expected the probabilities of {n_classes:,} classes, got {len(found):,}"
        faults.append(Fault(None, "classes-partial", message))
    one = ForeignObject(
        number=1,
        category_id=best,
        score=found[best],
        probabilities=tuple(found[i] for i in sorted(found)) if is_whole else None,
    )
    return ParsedImage(None, None, [one], faults)


def encode_yolo(
    predictions: Sequence[Prediction], size: Size, numbers: Mapping[int, int], *, scores: bool
) -> tuple[bytes, list[str]]:
    """Write the lines of one image.

    Args:
        predictions: boxes, masks or keypoints.
        size: width and height of the image in pixels, > 0.
        numbers: the class number of each category id.
        scores: whether lines end in the score.

    Returns:
        The text, and for each thing that it cannot hold a clause.
    """
    lines, losses = [], []
    for prediction in predictions:
        body, loss = _body(prediction, size)
        losses += loss
        if not body:
            continue
        if scores and prediction.score is not None:
            body.append(prediction.score)
        if prediction.probabilities is not None:
            losses.append("probabilities")
        lines.append(" ".join([str(numbers[prediction.category_id]), *map(_short, body)]))
    return "".join(f"{line}\n" for line in lines).encode(), losses


def _body(prediction: Prediction, size: Size) -> tuple[list[float], list[str]]:
    """Return the numbers between class and score, and what they leave out."""
    width, height = size
    if prediction.segmentation is not None:
        return _ring(prediction, size)
    box = prediction.bbox
    if box is None:
        return [], ["keypoints without a box"]
    body = [(box[0] + box[2] / 2) / width, (box[1] + box[3] / 2) / height, box[2] / width, box[3] / height]
    points = prediction.keypoints or ()
    for x, y, s in zip(points[0::3], points[1::3], points[2::3], strict=True):
        body += [x / width, y / height, s]
    return body, []


def _ring(prediction: Prediction, size: Size) -> tuple[list[float], list[str]]:
    pieces = contours(prediction.segmentation or (), size[1], size[0])
    if not pieces:
        return [], ["empty masks"]
    losses = ["pieces of masks but the largest"] if len(pieces) > 1 else []
    largest = max(pieces, key=lambda piece: len(piece.outer) and _area(piece.outer.tolist()))
    ring = largest.as_ring().tolist()
    return [value for x, y in ring for value in (x / size[0], y / size[1])], losses


def _area(ring: Sequence[Sequence[float]]) -> float:
    """Return the area within a ring: the shoelace formula."""
    following = [*ring[1:], ring[0]]
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, following, strict=True))) / 2


def _short(value: float) -> str:
    """Return a number with as many digits as it takes to read it back exactly."""
    return repr(float(value)).removesuffix(".0")


def _object(
    numbers: list[float], number: int, task_type: TaskType, columns: Columns, n_keypoints: int | None
) -> ForeignObject:
    if task_type.has_masks:
        return _polygon(numbers, number)
    n_points = 3 * (n_keypoints or 0) if task_type is TaskType.KEYPOINT_DETECTION else 0
    names = columns.names
    row = numbers[: len(names)] if not n_points else [*numbers[:5], *numbers[5 + n_points :]]
    n_extra = len(numbers) - n_points - len(names)
    if n_extra not in {0, -1 if names[-1] == "score" else 0}:
        expected = f"{len(names) - 1 + n_points} or {len(names) + n_points}"
        raise ForeignError("record-unreadable", f"expected {expected} numbers, got {len(numbers)}")
    values = dict(zip(names, row, strict=False))
    if not columns.is_pixels:
        _refuse_pixels([values[name] for name in columns.box_columns()])
    return ForeignObject(
        number=number,
        category_id=whole_category(values["class"]),
        bbox=_box(values),
        keypoints=tuple(numbers[5 : 5 + n_points]) if n_points else None,
        score=values.get("score"),
    )


def _polygon(numbers: list[float], number: int) -> ForeignObject:
    ring, score = numbers[1:], None
    if len(ring) % 2:
        ring, score = ring[:-1], ring[-1]
    if len(ring) < _MIN_RING:
        raise ForeignError("mask-broken", f"expected a polygon of at least 3 corners, got {len(ring)} numbers")
    _refuse_pixels(ring)
    return ForeignObject(number=number, category_id=whole_category(numbers[0]), polygons=[ring], score=score)


def _refuse_pixels(lengths: Sequence[float]) -> None:
    farthest = max(lengths, key=abs)
    if not _SHARES[0] <= farthest <= _SHARES[1]:
        raise ForeignError("shares-expected", f"expected shares of the image, got {farthest:g}")


def _box(values: Mapping[str, float]) -> Box:
    if "x2" in values:
        return (values["x"], values["y"], values["x2"] - values["x"], values["y2"] - values["y"])
    w, h = values["w"], values["h"]
    if "cx" in values:
        return (values["cx"] - w / 2, values["cy"] - h / 2, w, h)
    return (values["x"], values["y"], w, h)


def _numbers(line: str) -> list[float]:
    words = line.split()
    for word in words:
        if not _is_number(word):
            raise ForeignError("record-unreadable", f"expected numbers, got `{word[:40]}`")
    return [float(word) for word in words]


def _is_number(word: str) -> bool:
    try:
        return isfinite(float(word))
    except ValueError:
        return False
