"""CVAT for video 1.1: tracks, whose shapes say which frame of the video they are on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tamis.formats.cvat import read_cvat_shape
from tamis.formats.parsed import NamedClasses, ParsedImage, size_of_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree import ElementTree as ET

    from tamis.formats.foreign import ForeignObject
    from tamis.formats.parsed import Fault

    Size = tuple[int, int]

_ABOUT = ("task", "job")  # what was exported, and of a project each of its tasks


class CvatFrame(NamedTuple):
    """What the tracks of a file say of one frame.

    Attributes:
        video: name of the video, `None` where the file does not say it, or names several.
        number: of the frame in the whole video, from 0; `None`: of shapes whose frame cannot be read.
        found: what lies on it; without a name.
    """

    video: str | None
    number: int | None
    found: ParsedImage


class _Video(NamedTuple):
    name: str | None
    size: Size | None


def decode_cvat_tracks(root: ET.Element, ids: Mapping[str, int]) -> Iterator[CvatFrame]:
    """Yield what a file of the form "CVAT for video" says of each frame that a track names.

    Where a track is `outside` nothing is seen of its object; a frame on which all are is a frame without objects.

    Args:
        root: its root element.
        ids: of the categories by name.
    """
    classes, videos = NamedClasses(ids), _videos(root)
    frames: dict[tuple[_Video, int | None], tuple[list[ForeignObject], list[Fault]]] = {}
    for order, track in enumerate(root.iter("track")):
        video = _video_of(track, videos)
        number = _whole(track.get("id"))
        for shape in track:
            frame = _whole(shape.get("frame"))
            objects, faults = frames.setdefault((video, frame), ([], []))
            if shape.get("outside") != "1":
                known_as = order if number is None else number
                found, said = read_cvat_shape(shape, track.get("label", ""), known_as, video.size, classes)
                objects += found
                faults += said
    for (video, frame), (objects, faults) in frames.items():
        yield CvatFrame(video.name, frame, ParsedImage(None, video.size, objects, faults))


def _videos(root: ET.Element) -> dict[str, _Video]:
    """Return the videos that the head of a file names, by the id of their task."""
    source = root.findtext("meta/source")
    return {
        about.findtext("id") or "": _Video(
            (about.findtext("source") or source or "").strip() or None,
            size_of_text(about.findtext("original_size/width"), about.findtext("original_size/height")),
        )
        for kind in _ABOUT
        for about in root.iter(kind)
    }


def _video_of(track: ET.Element, videos: Mapping[str, _Video]) -> _Video:
    if len(set(videos.values())) == 1:
        return next(iter(videos.values()))
    return videos.get(track.get("task_id") or " ", _Video(None, None))


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < len("1000000000") else None
