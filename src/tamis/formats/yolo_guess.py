"""What the lines of a folder of YOLO files are, where nobody says it: told by all of them together.

Trackers end their lines in the number of a track. In one line that looks like a score, or like the last corner of a
polygon; over a folder such numbers are whole, each once in a file, and more than any share of an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Line = Sequence[float]
    Files = Sequence[Sequence[Line]]

_BOX = 5  # class and four sides
_SCORED = 6
_TRACKED = 7
_TRIANGLE = 7  # class and three corners: as many as a box with a score and one more
_TRACKED_RINGS = (9, 8)  # class, three corners at least, a score or none, a track
_PER_KEYPOINT = 3
_SLACK = 0.1  # of an image, by which boxes may reach over its border
_MANY = 4  # one of so many lines


def guess_type(files: Files) -> TaskType:
    """Return what lines of numbers are: boxes have 5 or 6, and one more with a track.

    Args:
        files: of each file the numbers of its lines.

    Raises:
        ValueError: when they may be boxes with something more, or triangles: a text that says so.

    >>> guess_type([[[0, 0.5, 0.5, 0.5, 0.5, 0.9, 3]], [[0, 0.5, 0.5, 0.5, 0.5, 0.8, 3]]])
    <TaskType.OBJECT_DETECTION: 'object-detection'>
    """
    lines = [line for file in files for line in file]
    if 2 * sum(len(line) in {_BOX, _SCORED} for line in lines) >= len(lines):
        return TaskType.OBJECT_DETECTION
    if 2 * sum(len(line) == _TRACKED for line in lines) >= len(lines) and _are_tracks(files, _is_tracked_box):
        return TaskType.OBJECT_DETECTION
    if all(len(line) == _TRIANGLE and _is_box(line) for line in lines):
        raise ValueError("have 7 numbers each: boxes with a score and something more, or triangles")
    return TaskType.INSTANCE_SEGMENTATION


def tracks_from(files: Files, task_type: TaskType, n_keypoints: int | None) -> int | None:
    """Return from how many numbers on lines end in a track, as odd or even as that; `None`: none does.

    Args:
        files: of each file the numbers of its lines.
        task_type: of the lines.
        n_keypoints: of each object, where its lines have keypoints.

    Raises:
        ValueError: when the last numbers are neither tracks nor scores: a text that says so.

    >>> boxes = [[[0, 0.5, 0.5, 0.5, 0.5, 1], [0, 0.25, 0.5, 0.5, 0.5, 2]]]
    >>> tracks_from(boxes, TaskType.OBJECT_DETECTION, None)
    6
    """
    is_tracked = _is_ring_of if task_type.has_masks else _is_box_of
    n_more = _PER_KEYPOINT * (n_keypoints or 0) if task_type is TaskType.KEYPOINT_DETECTION else 0
    for n_numbers in _TRACKED_RINGS if task_type.has_masks else (_TRACKED + n_more, _SCORED + n_more):
        if _are_tracks(files, is_tracked(n_numbers)):
            return n_numbers
    if task_type is TaskType.OBJECT_DETECTION:
        _refuse_odd_scores(files)
    return None


def _are_tracks(files: Files, is_tracked: Callable[[Line], bool]) -> bool:
    """Whether the last numbers of some lines are whole, each once in its file, and not all 1."""
    last = [[line[-1] for line in file if is_tracked(line)] for file in files]
    values = [value for file in last for value in file]
    return (
        all(value >= 1 and value == value // 1 for value in values)
        and any(value > 1 for value in values)
        and all(len(set(file)) == len(file) for file in last)
    )


def _refuse_odd_scores(files: Files) -> None:
    scores = [line[-1] for line in _lines(files) if len(line) == _SCORED and _is_box(line)]
    n_odd = sum(not 0 <= score <= 1 for score in scores)
    if n_odd and _MANY * n_odd >= len(scores):
        raise ValueError(f"end in numbers that are no scores: {n_odd:,} of {len(scores):,} are not from 0 to 1")


def _lines(files: Files) -> Iterator[Line]:
    return (line for file in files for line in file)


def _is_box(line: Line) -> bool:
    _, x, y, w, h = line[:_BOX]
    return all(
        size > 0 and middle - size / 2 > -_SLACK and middle + size / 2 < 1 + _SLACK
        for middle, size in ((x, w), (y, h))
    )


def _is_tracked_box(line: Line) -> bool:
    return len(line) == _TRACKED and _is_box(line) and 0 <= line[-2] <= 1


def _is_box_of(n_numbers: int) -> Callable[[Line], bool]:
    return lambda line: len(line) == n_numbers and _is_box(line)


def _is_ring_of(n_numbers: int) -> Callable[[Line], bool]:
    def is_tracked(line: Line) -> bool:
        is_as_odd = len(line) >= n_numbers and len(line) % 2 == n_numbers % 2
        return is_as_odd and all(-_SLACK < value < 1 + _SLACK for value in line[1:-1])

    return is_tracked
