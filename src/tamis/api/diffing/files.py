"""The files of a comparison: figures, and numbers of samples to select by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.api.selecting.files import results_folder
from tamis.index import score_table

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.diffing.run import DiffRun


def write_diff(run: DiffRun, out: Path) -> None:
    """Write `samples.parquet` and `diff.json` into a folder, each put in place whole.

    Raises:
        DatasourceError: when a file has the folder's name.
        StoreError: when the folder cannot be written.
    """
    store = results_folder(out)
    store.write("samples.parquet", score_table(run.samples))
    store.write("diff.json", msgspec.json.format(msgspec.json.encode(run.report)))
