"""Files of a datasource, found by paths of another machine: by where the ends of two paths agree."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from tamis.model import split_extension
from tamis.storage import join_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SEVERAL = "|"
_SHOWN = 3
_DRIVE = re.compile("[A-Za-z]:/")
# Folders that say of what kind files are, not which of them: `train/labels/1.txt` is of `train/images/1.jpg`.
_IMAGES = re.compile(r"images?|imgs?|jpegimages", re.IGNORECASE)
_LABELS = re.compile(
    r"labels?(txt)?|label_\d+|ann(o|otation)?s?|(binary_|color_)?masks?|segmentation(class|object)?|obj_\w+_data",
    re.IGNORECASE,
)


def plain_path(name: str) -> str:
    r"""Return a path of any machine with single slashes, without `.` and `..`; an absolute one begins with a slash.

    >>> plain_path(r".\images//train/../val/1.jpg"), plain_path(r"C:\data\1.jpg"), plain_path("../x/1.jpg")
    ('images/val/1.jpg', '/C:/data/1.jpg', 'x/1.jpg')
    """
    path = name.replace("\\", "/")
    root = "/" if path.startswith("/") or _DRIVE.match(path) else ""
    plain = posixpath.normpath(path).lstrip("/")
    while plain.startswith("../"):
        plain = plain[3:]
    return root + plain


def without_label_folders(path: str) -> str:
    """Return the path of a file of labels without the folders that say that it is one.

    >>> without_label_folders("VOC2007/Annotations/1"), without_label_folders("labels")
    ('VOC2007/1', 'labels')
    """
    folder, _, name = path.rpartition("/")
    return "/".join([part for part in folder.split("/") if part and not _LABELS.fullmatch(part)] + [name])


class Paths:
    """Paths by their stems, to be found as they are or by their ends.

    Two paths are alike where one is the end of the other, folders like `images` left aside: what is above is
    that of another machine. Where the folders that are named contradict, they are not.

    Args:
        below: the only folder in which paths are found by their ends.
    """

    def __init__(self, below: str = "") -> None:
        self._below = f"{below}/" if below else ""
        # A stem with its endings; a dict of whole keys would hold a million names twice.
        self._endings: dict[str, str] = {}
        self._by_name: dict[str, str | list[str]] | None = None
        self._by_last: dict[str, list[str]] = {}
        self._levels: dict[str, list[list[str]]] = {}

    def add(self, key: str) -> None:
        """Add a path; all are added before the first is looked for."""
        stem, ending = split_extension(key)
        before = self._endings.get(stem)
        self._endings[stem] = ending if before is None else f"{before}{_SEVERAL}{ending}"

    def has(self, key: str) -> bool:
        """Whether a path is there."""
        stem, ending = split_extension(key)
        return bool(ending) and ending in self._endings_of(stem)

    def of_stem(self, stem: str) -> list[str]:
        """Return the paths that are this but for their ending."""
        return [f"{stem}.{ending}" for ending in self._endings_of(stem)]

    def alike(self, stem: str, ending: str) -> list[str]:
        """Return the paths that share the longest end with one that is not there: none, one, or a few of several.

        Args:
            stem: of the path, relative to the folder that is searched.
            ending: of the path; empty: whatever ending.
        """
        folder, _, name = stem.strip("/").rpartition("/")
        named = self._named(name)
        if folder:
            levels = self._alike_folders(folder) if named else []
            stems: Iterable[Iterable[str]] = ((join_key(one, name) for one in level) for level in levels)
        else:
            stems = ((one for one in named if not _label_folders(one.split("/")[:-1])), named)
        for level in stems:
            found = list(islice(self._keys(level, ending), _SHOWN))
            if found:
                return found
        return []

    def of_name(self, stem: str) -> str | None:
        """Return one of the paths whose last part is that of a stem."""
        return next(self._keys(self._named(stem.rpartition("/")[2]), ""), None)

    def _endings_of(self, stem: str) -> list[str]:
        found = self._endings.get(stem)
        return [] if found is None else found.split(_SEVERAL)

    def _keys(self, stems: Iterable[str], ending: str) -> Iterator[str]:
        for stem in stems:
            whole = self._below + stem
            yield from (f"{whole}.{one}" for one in self._endings_of(whole) if ending in {"", one})

    def _named(self, name: str) -> Sequence[str]:
        """Return the stems whose last part is a name, as all below: relative to the folder that is searched."""
        if self._by_name is None:
            self._by_name = self._index()
        found = self._by_name.get(name, [])
        return [found] if isinstance(found, str) else found

    def _index(self) -> dict[str, str | list[str]]:
        by_name: dict[str, str | list[str]] = {}
        folders = set()
        for whole in self._endings:
            if not whole.startswith(self._below):
                continue
            stem = whole[len(self._below) :]
            folder, _, name = stem.rpartition("/")
            folders.add(folder)
            before = by_name.get(name)
            if isinstance(before, list):
                before.append(stem)
            else:
                by_name[name] = stem if before is None else [before, stem]
        by_last = defaultdict(list)
        for folder in folders:
            by_last[_last(_telling(folder.split("/")))].append(folder)
        self._by_last = by_last
        return by_name

    def _alike_folders(self, folder: str) -> list[list[str]]:
        """Return the folders that are alike, those that share most with a folder first, equal ones together."""
        if folder not in self._levels:
            parts = folder.split("/")
            ranked = defaultdict(list)
            for other in self._folders_ending_on(_last(_telling(parts))):
                others = other.split("/")
                n_shared = _n_shared(parts, others)
                if n_shared is not None:
                    ranked[n_shared, _n_end(parts, others)].append(other)
            self._levels[folder] = [ranked[rank] for rank in sorted(ranked, reverse=True)]
        return self._levels[folder]

    def _folders_ending_on(self, last: str) -> Iterator[str]:
        """Yield the folders whose last telling part is this one, or that have none."""
        for one in {last, ""} if last else self._by_last:
            yield from self._by_last.get(one, ())


def _telling(parts: Iterable[str]) -> list[str]:
    """Return the parts of a folder that say which images lie in it."""
    return [part for part in parts if part and not _IMAGES.fullmatch(part)]


def _label_folders(parts: Iterable[str]) -> set[str]:
    return {part for part in parts if _LABELS.fullmatch(part)}


def _n_shared(parts: Sequence[str], others: Sequence[str]) -> int | None:
    """Return how many telling parts a folder shares with one of the datasource, `None` where they contradict."""
    if not _label_folders(others) <= set(parts):
        return None  # a picture of labels is not the image that they are of
    telling, there = _telling(parts), _telling(others)
    n = min(len(telling), len(there))
    return n if telling[len(telling) - n :] == there[len(there) - n :] else None


def _last(parts: Sequence[str]) -> str:
    return parts[-1] if parts else ""


def _n_end(parts: Sequence[str], others: Sequence[str]) -> int:
    """Return how many parts at the end are the same."""
    return next(
        (n for n, pair in enumerate(zip(reversed(parts), reversed(others), strict=False)) if pair[0] != pair[1]),
        min(len(parts), len(others)),
    )
