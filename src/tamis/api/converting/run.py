"""The importer of each format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.converting.choices import ImportFormat
from tamis.api.converting.import_coco import import_coco
from tamis.errors import UsageError
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

_IMPORTERS: dict[ImportFormat, Callable[..., ImportReport]] = {ImportFormat.COCO: import_coco}


def task_type_named(name: str) -> TaskType:
    """Return a task type by its name.

    Raises:
        UsageError: when there is none of that name; lists those that there are.
    """
    try:
        return TaskType(name)
    except ValueError:
        raise UsageError(f"There is no task type `{name}`", hint=f"types: {', '.join(TaskType)}") from None


def import_from(
    sources: Sources, kind: ImportFormat, path: Path, options: ImportOptions, *, listen: ProgressListener
) -> ImportReport:
    """Turn a file or folder of another tool into predictions.

    Args:
        sources: where the images and `.lightly` are.
        kind: what the path is.
        path: the file or folder.
        options: how.
        listen: told how far it is.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when something cannot be read or written.
    """
    return _IMPORTERS[kind](sources, path, options, listen=listen)
