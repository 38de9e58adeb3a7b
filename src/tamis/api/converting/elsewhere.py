"""Images that were found by the end of their path alone: where several would be one sample, none is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import msgspec

from tamis.api.converting.spill import BYTES_A_FILE, Spill
from tamis.api.converting.taking import ImageObjects
from tamis.formats import ForeignError, ForeignObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from tamis.api.converting.taking import Taker

_N_FILES = 64
_RUNS_A_BOX = 8  # a box takes as much memory as so many run lengths


class Held(msgspec.Struct, array_like=True, gc=False):
    """What the input says of an image that waits; see `ImageObjects`.

    Attributes:
        name: of the image, as the input says it.
        file: that says it.
        objects: of the image.
        said: width and height in pixels.
        is_relative: whether lengths are shares of the image.
        missing_key: what to write instead where the image proves to be another one; `None`: nothing.
    """

    name: str
    file: str
    objects: list[ForeignObject]
    said: tuple[int, int] | None
    is_relative: bool
    missing_key: str | None


def shared_image(name: str, key: str, others: Iterable[str]) -> ForeignError:
    """Say that an image of the datasource is not that of a name, as others mean it, too.

    Args:
        name: that was looked for.
        key: of the sample that was found.
        others: names that mean it as much; none: one that means it exactly.
    """
    other = min(set(others) - {name}, default=None)
    too = "which is named itself" if other is None else f"which may be `{other}` as well"
    return ForeignError("image-shared", f"expected `{name}` in the datasource, got only `{key}`, {too}")


@dataclass(slots=True, eq=False)
class Elsewhere:
    """Holds images back, on disk, until all names of the input are known. Use it as a context manager.

    Args:
        taker: takes those that are told apart.
    """

    taker: Taker
    _spill: Spill[Held] = field(default_factory=lambda: Spill(Held, _N_FILES * BYTES_A_FILE))
    # Hashes: a million keys would be held for the rare second name.
    _named: set[int] = field(default_factory=set)
    _groups: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._spill.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spill.__exit__(kind, error, trace)

    def name(self, key: str) -> None:
        """Remember that the input names a sample exactly."""
        self._named.add(hash(key))

    def hold(self, key: str, held: Held) -> None:
        """Hold back an image that was found as a sample.

        Raises:
            DatasourceError: when the temporary folder is full.
        """
        n_runs = sum(len(one.rows.runs) for one in held.objects if one.rows is not None)
        weight = 1 + len(held.objects) + n_runs // _RUNS_A_BOX
        self._spill.add(self._groups.setdefault(key, len(self._groups)), held, weight=weight)

    def release(self) -> None:
        """Take what waits, or count it.

        Raises:
            StoreError: when a file cannot be written.
        """
        keys = list(self._groups)
        for group, waiting in self._spill.groups():
            self._take(keys[group], waiting)

    def _take(self, key: str, waiting: Sequence[Held]) -> None:
        is_named, names = hash(key) in self._named, {held.name for held in waiting}
        for held in waiting:
            if not is_named and len(names) == 1:
                self.taker.tally.add("image-elsewhere", f"found as `{key}`", held.file)
                self.taker.take(_objects(key, held))
            elif held.missing_key is not None:
                self.taker.take(_objects(held.missing_key, held))
            else:
                error = shared_image(held.name, key, () if is_named else names)
                self.taker.tally.add_error(error, held.file, count=max(len(held.objects), 1))


def _objects(key: str, held: Held) -> ImageObjects:
    return ImageObjects(key, held.objects, held.said, held.is_relative)
