"""Samples and their names: which keys are images or videos, and which key a prediction file speaks of.

A *sample key* is the POSIX path of an image relative to the input datasource, or the name of a video frame.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

IMAGE_ENDINGS = frozenset({"jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp", "ppm", "pgm"})
VIDEO_ENDINGS = frozenset({"mp4", "mov", "avi", "mpg", "mpeg", "m4v", "mkv", "webm", "hevc", "ts"})

_NO_NAME_ENDS = ("", ".", "/")  # how a stem ends that may hold no name, as that of `.jpg` or `a/..jpg`
_FRAME_NAME = re.compile(r"(?P<stem>.+)-(?P<index>\d+)-(?P<extension>[^-./]+)", re.DOTALL)


class SampleKind(StrEnum):
    """What the bytes behind a sample key are."""

    IMAGE = "image"
    VIDEO = "video"
    FRAME = "frame"


class FrameName(NamedTuple):
    """A frame name taken apart: which video it speaks of, and the digits as they were written."""

    video: str
    number: int
    digits: str


def split_extension(key: str) -> tuple[str, str]:
    """Split the last extension off a key, as `os.path.splitext` does, without its dot.

    >>> split_extension("a/b.c.jpg")
    ('a/b.c', 'jpg')
    >>> split_extension("a.b/noextension")
    ('a.b/noextension', '')
    >>> split_extension("a/.jpg")
    ('a/.jpg', '')
    """
    stem, dot, extension = key.rpartition(".")
    if not dot or "/" in extension or (stem[-1:] in _NO_NAME_ENDS and not stem.rpartition("/")[2].strip(".")):
        return key, ""
    return stem, extension


def stem_of(key: str) -> str:
    """Return the key without its last extension: what its prediction files are named by."""
    return split_extension(key)[0]


def kind_of_key(key: str) -> SampleKind | None:
    """Say by its ending, whatever its case, whether a key is an image or a video; `None` is neither.

    >>> kind_of_key("a/b.JPG"), kind_of_key("c.mp4"), kind_of_key("notes.txt")
    (<SampleKind.IMAGE: 'image'>, <SampleKind.VIDEO: 'video'>, None)
    """
    return kind_of_ending(split_extension(key)[1])


@lru_cache(maxsize=1024)
def kind_of_ending(ending: str) -> SampleKind | None:
    """Say what `kind_of_key` says of any key with this ending."""
    ending = ending.lower()
    if ending in IMAGE_ENDINGS:
        return SampleKind.IMAGE
    if ending in VIDEO_ENDINGS:
        return SampleKind.VIDEO
    return None


def frame_name(video: str, index: int, n_frames: int) -> str:
    """Return the sample key of a frame, numbered from 0 and padded to the digits of the number of frames.

    >>> frame_name("test/video_0.mp4", 99, 200)
    'test/video_0-099-mp4.png'
    >>> frame_name("a.MOV", 0, 10)
    'a-00-MOV.png'
    """
    stem, extension = split_extension(video)
    return f"{stem}-{index:0{len(str(n_frames))}}-{extension}.png"


def parse_frame_stem(stem: str) -> FrameName | None:
    """Take a frame name without its `.png` apart; `None` if it does not look like one.

    >>> parse_frame_stem("test/video_0-099-mp4")
    FrameName(video='test/video_0.mp4', number=99, digits='099')
    """
    match = _FRAME_NAME.fullmatch(stem)
    if match is None:
        return None
    digits = match["index"]
    # int() refuses more than 4,300 digits; no video is that long, so it is not a frame name.
    if len(digits) > 18 or not digits.isascii():  # noqa: PLR2004 (an int64 holds 18 digits)
        return None
    return FrameName(f"{match['stem']}.{match['extension']}", int(digits), digits)
