"""A folder with a file for each exported sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.converting.exporting import output_folder
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tamis.api.converting.exporting import ExportOptions
    from tamis.index import SampleColumns


class SampleFiles:
    """Writes a file for each sample.

    In a folder of an earlier export, files of samples that are not exported now would be taken for a part of this
    one, perhaps with other numbers of classes. They are removed at the end; whatever else lies there stays.
    """

    def __init__(self, options: ExportOptions, samples: SampleColumns, name_of: Callable[[str], str]) -> None:
        """Start with nothing written.

        Args:
            options: where to write, and whether what is there may be replaced.
            samples: all that a file may be of.
            name_of: the path of a sample's file in the folder, by the sample's key.

        Raises:
            UsageError: when no folder is named, or it holds something.
            DatasourceError: when a file has its name.
        """
        self.folder = output_folder(options)
        self.store = LocalStore(self.folder)
        self._may_hold_others = self.folder.is_dir()
        self._samples, self._name_of = samples, name_of
        self._written: set[str] = set()

    def write(self, key: str, data: bytes) -> None:
        """Write the file of a sample."""
        name = self._name_of(key)
        self.store.write(name, data)
        self._written.add(name)

    def remove_others(self) -> int:
        """Remove the files of samples of which nothing was written, and return how many there were."""
        if not self._may_hold_others:
            return 0
        names = {self._name_of(key) for key in self._samples.keys}
        others = [name for name in names - self._written if (self.folder / name).is_file()]
        for name in others:
            self.store.delete(name)
        return len(others)
