"""Files that share a stem without being one sample: a video beside an image, an image that is left out.

A metadata file `a.json` may be that of `a.jpg` or of `a.mp4`, a prediction file that of an image which the relevant
filenames leave out: whose it is can be told by whoever knows all that has the stem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tamis.model import split_extension

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


def find_namesakes(
    stems: pa.StringArray,
    extensions: pa.StringArray,
    is_frame: NDArray[np.bool_],
    videos: Sequence[str],
    left_out: Mapping[str, str],
) -> dict[str, str]:
    """Return the endings of all that has a stem, for the stems of videos and of what is left out.

    They are joined by `/`; `-` stands before those that are left out.

    Args:
        stems: of the units of a folder.
        extensions: endings of their images joined by `/`.
        is_frame: which of them are frames.
        videos: keys of the folder's videos.
        left_out: stems of images and videos that are no samples, and their endings joined by `/`; those that share
            their stem with nothing here are passed over.

    >>> import numpy as np
    >>> stems, extensions = pa.array(["a", "b"]), pa.array(["jpg", ""])
    >>> find_namesakes(stems, extensions, np.array([False, False]), ["a.mp4", "c.avi"], {"b": "png", "d": "png"})
    {'a': 'jpg/mp4', 'c': 'avi', 'b': '-png'}
    """
    endings: dict[str, set[str]] = {}
    for video in videos:
        stem, ending = split_extension(video)
        endings.setdefault(stem, set()).add(ending)
    for (stem, joined), row in zip(left_out.items(), _rows_of(list(left_out), stems), strict=True):
        if row is not None or stem in endings:
            endings.setdefault(stem, set()).update(f"-{one}" for one in joined.split("/"))
    for (_, several), row in zip(endings.items(), _rows_of(list(endings), stems), strict=True):
        if row is not None:
            several.update(filter(None, extensions[row].as_py().split("/")))
            if is_frame[row]:  # an image of its name is no other sample, whether it is left out or not
                several.discard("-png")
                several.add("png")
    return {stem: "/".join(sorted(several, key=_ending)) for stem, several in endings.items()}


def _ending(marked: str) -> str:
    return marked.removeprefix("-")


def namesake_keys(stem: str, joined: str) -> dict[str, bool]:
    """Return the keys behind the endings of `find_namesakes`, and which of them are left out.

    >>> namesake_keys("day/a", "jpg/-mp4")
    {'day/a.jpg': False, 'day/a.mp4': True}
    """
    return {f"{stem}.{one.removeprefix('-')}": one.startswith("-") for one in joined.split("/") if one}


def _rows_of(names: list[str], stems: pa.StringArray) -> list[int | None]:
    rows: list[int | None] = pc.index_in(pa.array(names, pa.string()), value_set=stems).to_pylist()
    return rows
