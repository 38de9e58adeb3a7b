"""Where things are in a lightly datasource: the keys of tasks, schemas, predictions and metadata."""

from __future__ import annotations

import re

from tamis.model import stem_of

PREDICTIONS = ".lightly/predictions"
METADATA = ".lightly/metadata"
TASKS_KEY = f"{PREDICTIONS}/tasks.json"
METADATA_SCHEMA_KEY = f"{METADATA}/schema.json"

_TASK_NAME = re.compile(r"[A-Za-z0-9_+=,.@:/-]+")


def schema_key(task: str) -> str:
    """Return the key of a task's schema.

    >>> schema_key("cars")
    '.lightly/predictions/cars/schema.json'
    """
    return f"{PREDICTIONS}/{task}/schema.json"


def prediction_key(task: str, sample_key: str) -> str:
    """Return the key of a task's prediction file for a sample: its last extension becomes `.json`.

    >>> prediction_key("cars", "day 1/a.b.jpg")
    '.lightly/predictions/cars/day 1/a.b.json'
    """
    return f"{PREDICTIONS}/{task}/{stem_of(sample_key)}.json"


def metadata_key(key: str) -> str:
    """Return the key of the metadata file of a sample or video.

    >>> metadata_key("clips/a.mp4")
    '.lightly/metadata/clips/a.json'
    """
    return f"{METADATA}/{stem_of(key)}.json"


def task_name_fault(name: str) -> str | None:
    """Say why a folder of predictions cannot have this name (`expected ...`), `None` where it can.

    >>> task_name_fault("vehicles/cars-v1.2") is None
    True
    >>> task_name_fault("../other")
    'expected a name without an empty part, `.` or `..`'
    """
    if not name:
        return "expected a name of at least one character"
    if _TASK_NAME.fullmatch(name) is None:
        return "expected a name of letters, digits and `_ + = , . @ : / -`"
    if name.startswith("/"):
        return "expected a name relative to the predictions folder"
    if any(part in {"", ".", ".."} for part in name.split("/")):
        return "expected a name without an empty part, `.` or `..`"
    return None
