"""Which sample a foreign file means: its names are those of another machine, another folder, another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.writer_values import check_sample_key
from tamis.formats import ForeignError
from tamis.model import SampleKind, kind_of_key, parse_frame_stem, split_extension
from tamis.storage import join_key

if TYPE_CHECKING:
    from tamis.storage import Store

_SEVERAL = "|"
_FRAME_ENDING = "png"


class SampleNames:
    """The images and videos of a datasource, to be found by what other tools call them.

    A name is looked for as a path below `prefix`, then as the name of a frame, then by its last part alone,
    where only one sample has it.

    Args:
        store: the input datasource; it is listed once, names only.
        prefix: folder in which the named images lie.
    """

    def __init__(self, store: Store, prefix: str = "") -> None:
        self._prefix = prefix.strip("/")
        # A stem with its ending; a dict of whole keys would hold a million names twice.
        self._endings: dict[str, str] = {}
        self._videos: set[str] = set()
        self._by_name: dict[str, str] | None = None
        self._list(store)

    def find(self, name: str) -> str:
        """Return the key of the sample that a file name means.

        Raises:
            ForeignError: when there is none, or several could be meant.
        """
        key = self.spelled(name)
        stem, ending = split_extension(key)
        if ending in self._endings.get(stem, "").split(_SEVERAL) and ending:
            return key
        if self._is_frame(stem):
            return f"{stem}.{_FRAME_ENDING}"
        return self._elsewhere(stem, ending, name)

    def find_stem(self, stem: str) -> str:
        """Return the key of the sample that a name without extension means.

        Raises:
            ForeignError: when there is none, or several could be meant.
        """
        key = self.spelled(stem)
        if key in self._endings:
            return self._single(key, self._endings[key], stem)
        if self._is_frame(key):
            return f"{key}.{_FRAME_ENDING}"
        return self._elsewhere(key, "", stem)

    def spelled(self, name: str) -> str:
        """Return a name as a key below the prefix, whether or not there is such a sample."""
        path = name.replace("\\", "/")
        while path.startswith("./"):
            path = path[2:]
        return join_key(self._prefix, path) if self._prefix else path

    def missing_key(self, name: str) -> str:
        """Return the key that a sample which is not there would have.

        Raises:
            ForeignError: when no sample can have that name.
        """
        key = self.spelled(name)
        if kind_of_key(key) is None and not split_extension(key)[1]:
            raise ForeignError("image-missing", "expected an image of the datasource or a name with its ending")
        faults = check_sample_key(key)
        if faults:
            raise ForeignError("image-name", faults[0])
        return key

    def is_frame(self, key: str) -> bool:
        """Whether a key is the name of a frame of a video of the datasource."""
        return self._is_frame(split_extension(key)[0])

    def has(self, key: str) -> bool:
        """Whether an image of that key is in the datasource."""
        stem, ending = split_extension(key)
        return bool(ending) and ending in self._endings.get(stem, "").split(_SEVERAL)

    def _is_frame(self, stem: str) -> bool:
        frame = parse_frame_stem(stem)
        return frame is not None and frame.video in self._videos

    def _elsewhere(self, stem: str, ending: str, name: str) -> str:
        if self._by_name is None:
            self._by_name = {}
            for known in self._endings:
                last = known.rpartition("/")[2]
                self._by_name[last] = known if last not in self._by_name else _SEVERAL
        found = self._by_name.get(stem.rpartition("/")[2])
        if found is None:
            raise ForeignError("image-missing", f"expected `{name}` in the datasource, got nothing by that name")
        if found == _SEVERAL:
            raise ForeignError("image-ambiguous", f"expected one image named `{name}`, got several")
        endings = self._endings[found]
        if ending and ending not in endings.split(_SEVERAL):
            there = f"{found}.{endings.split(_SEVERAL)[0]}"
            raise ForeignError("image-missing", f"expected `{name}` in the datasource, got `{there}`")
        return f"{found}.{ending}" if ending else self._single(found, endings, name)

    def _single(self, stem: str, endings: str, name: str) -> str:
        if _SEVERAL in endings:
            listed = " and ".join(f"`{stem}.{ending}`" for ending in endings.split(_SEVERAL))
            raise ForeignError("image-ambiguous", f"expected one image named `{name}`, got {listed}")
        return f"{stem}.{endings}"

    def _list(self, store: Store) -> None:
        pending = [""]
        while pending:
            folder = pending.pop()
            for page in store.list_folder(folder, stamps=False):
                pending += [join_key(folder, name) for name in page.folders if folder or name != ".lightly"]
                for name in page.names:
                    kind = kind_of_key(name)
                    if kind is SampleKind.VIDEO:
                        self._videos.add(join_key(folder, name))
                    elif kind is not None:
                        self._add_image(join_key(folder, name))

    def _add_image(self, key: str) -> None:
        if check_sample_key(key):
            return  # a root image named `schema`: it can have no predictions
        stem, ending = split_extension(key)
        before = self._endings.get(stem)
        self._endings[stem] = ending if before is None else f"{before}{_SEVERAL}{ending}"
