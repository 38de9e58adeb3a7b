"""The query set of SIMILARITY: a sample, members of a tag or a pool, a list of keys, or pictures of any place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.embedding.encoders import encoder_of_set
from tamis.api.embedding.query_pictures import encode_files, picture_files
from tamis.api.embedding.targets import target_of
from tamis.api.selecting.rows import Rows
from tamis.api.tags import named_keys
from tamis.errors import UsageError
from tamis.index import journal_names, tag_names
from tamis.model import SampleKind, kind_of_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.index import SampleColumns, SetSpec
    from tamis.model import Task
    from tamis.model.columns import Floats

_SHOWN_NAMES = 8


def query_vectors(
    samples: SampleColumns,
    name: str,
    vectors: NDArray[np.floating],
    spec: SetSpec | None,
    *,
    task: Task | None = None,
) -> Floats:
    """Return the vectors of a query set, shape (m, d).

    Args:
        samples: of a snapshot.
        name: key of a sample or an object; name of a tag or a pool; or the path of a list of keys, of an image, or
            of a folder of images. What is a key is nothing else.
        vectors: of all samples, or of all objects of a task; shape (n, d).
        spec: what made them, `None` where they are not stored.
        task: whose objects.

    Raises:
        UsageError: when there is no such set, or none of its members has a vector.
        DatasourceError: when a picture cannot be read.
    """
    rows = Rows(samples, None if task is None else target_of(samples, task))
    own, _ = rows.of([name])
    if not own:
        is_picture = kind_of_key(name) is SampleKind.IMAGE and Path(name).expanduser().is_file()
        named = None if is_picture else named_keys(samples.snapshot.root, name)
        if named is None and (files := picture_files(Path(name))):
            return _of_files(name, files, spec)
        if named is None:
            raise _unknown(samples.snapshot.root, name)
        own, _ = rows.of(named.keys)
    found = vectors[own]
    if not found.any():
        raise UsageError(
            f"The query set `{name}` has no sample with an embedding",
            hint="name a sample, a tag or a pool of samples, a file of keys, an image, or a folder of images",
        )
    return np.asarray(found, np.float64)


def _unknown(root: Path, name: str) -> UsageError:
    """Return the error about a name that stands for nothing."""
    listed = [f"`{one}`" for one in dict.fromkeys([*tag_names(root), *journal_names(root, "pool")])]
    there = f"tags and pools: {', '.join(listed[:_SHOWN_NAMES])}{', ...' if len(listed) > _SHOWN_NAMES else ''}"
    return UsageError(
        f"There is no tag `{name}`, nor a sample, an object, a pool, a file or a folder of images of that name",
        hint=there if listed else "there are no tags and no pools yet: `tamis tag SRC NAME --add ...` makes a tag",
    )


def _of_files(name: str, files: Sequence[Path], spec: SetSpec | None) -> Floats:
    if spec is None:
        raise UsageError(
            f"The pictures of `{name}` cannot be compared with vectors that are made from predictions",
            hint="make embeddings with `tamis embed SRC`",
        )
    return np.asarray(encode_files(encoder_of_set(spec), files), np.float64)
