"""What is said of an index that cannot be read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from tamis.errors import IndexMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def damaged(root: Path | str, why: str) -> IndexMissingError:
    """Return the error for an index in a folder, which the files are still there to make again."""
    return IndexMissingError(
        f"The index in `{root}` cannot be read: {why}",
        hint="make it anew from the files with `tamis scan --full`; pools, tags and embeddings stay",
    )


@contextmanager
def reading(root: Path, file: Path) -> Iterator[None]:
    """Turn what Arrow raises for a file that is cut short, replaced or gone into that error."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        name = file.relative_to(root) if file.is_relative_to(root) else file
        why = str(error).partition("\n")[0] if isinstance(error, pa.ArrowException) else error.strerror
        raise damaged(root, f"`{name}`: {why or 'it is no readable file'}") from None
