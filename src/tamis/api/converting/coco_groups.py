"""Which of the images that a COCO file lists are one sample, and which are none."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.api.converting.elsewhere import shared_image
from tamis.api.converting.names import MISSING_CODES, Found
from tamis.api.converting.paths import plain_path
from tamis.formats import ForeignError
from tamis.model import kind_of_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tamis.api.converting.coco_input import CocoTable
    from tamis.api.converting.names import SampleNames

_NAMES_COMPARED = 2


@dataclass(slots=True, eq=False)
class ImageGroups:
    """Groups of listed images: those that mean one sample have the number of the first of them.

    Args:
        table: the images.
        names: the samples of the datasource.
        keep_missing: whether images that are not there are samples, too.
    """

    table: CocoTable
    names: SampleNames
    keep_missing: bool
    keys: dict[int, str] = field(default_factory=dict)
    refused: dict[int, ForeignError] = field(default_factory=dict)
    _groups: dict[int, int] = field(default_factory=dict)
    _exact: dict[str, int] = field(default_factory=dict)
    _elsewhere: dict[str, list[int]] = field(default_factory=dict)
    _by_path: dict[int, int] = field(default_factory=dict)

    def of(self, index: int) -> int | None:
        """Return the group of an image, whose sample is in `keys`; `None`: it has none, `refused` says why."""
        group = self._groups.get(index)
        if group is None and index not in self.refused:
            self._add(index)
            group = self._groups.get(index)
        return group

    def is_elsewhere(self, group: int) -> bool:
        """Whether the sample was found by the end of its path alone."""
        return group in self._elsewhere.get(self.keys[group], ())

    def tell_apart(self) -> None:
        """Refuse images that were found elsewhere where another one is meant, or may be; all are known now."""
        for index in range(len(self.table.names)):
            self.of(index)
        for key, groups in self._elsewhere.items():
            is_named = key in self._exact
            if is_named or len(groups) > 1:
                names = {self.table.names[group] for group in groups[:_NAMES_COMPARED]}
                for group in groups:
                    self._refuse(group, () if is_named else names)

    def _add(self, index: int) -> None:
        try:
            found = self._find(self.table.names[index])
        except ForeignError as error:
            self.refused[index] = error
            return
        if found.is_exact:
            group = self._exact.setdefault(found.key, index)
        else:
            group = self._by_path.setdefault(hash(plain_path(self.table.names[index])), index)
            if group == index:
                self._elsewhere.setdefault(found.key, []).append(group)
        self.keys[group] = found.key
        self._groups[index] = group

    def _find(self, name: str) -> Found:
        try:
            if self.table.by_name and not kind_of_key(name):
                return self.names.find_stem(name)
            return self.names.find(name)
        except ForeignError as error:
            if error.code not in MISSING_CODES or not self.keep_missing:
                raise
            return Found(self.names.missing_key(name), is_exact=True)

    def _refuse(self, group: int, others: Iterable[str]) -> None:
        name = self.table.names[group]
        if self.keep_missing:
            with suppress(ForeignError):  # a name that no sample can have is not written
                self.keys[group] = self.names.missing_key(name)
                return
        self.refused[group] = shared_image(name, self.keys[group], others)
