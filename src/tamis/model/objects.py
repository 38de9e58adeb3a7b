"""Names of predicted objects: the sample, the task and the place in its prediction file."""

from __future__ import annotations

import re
from typing import NamedTuple

# No task has a `#` in its name, so the last two tell the parts whatever the sample is called.
_OBJECT_KEY = re.compile(r"(?P<sample>.+)#(?P<task>[^#]+)#(?P<position>\d{1,9})", re.DOTALL | re.ASCII)


class ObjectKey(NamedTuple):
    """Which object: entry `position` of the `predictions` that the file of a task holds for a sample.

    >>> str(ObjectKey("a/1.jpg", "cars", 3))
    'a/1.jpg#cars#3'
    """

    sample: str
    task: str
    position: int

    def __str__(self) -> str:
        return f"{self.sample}#{self.task}#{self.position}"


def parse_object_key(text: str) -> ObjectKey | None:
    """Take the name of an object apart: the inverse of `str`; `None` where it is none.

    >>> parse_object_key("a/1.jpg#cars#3")
    ObjectKey(sample='a/1.jpg', task='cars', position=3)
    >>> parse_object_key("a/1.jpg") is None
    True
    """
    match = _OBJECT_KEY.fullmatch(text)
    return None if match is None else ObjectKey(match["sample"], match["task"], int(match["position"]))
