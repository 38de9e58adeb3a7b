"""The files of an evaluation: figures, numbers of samples and objects to select by, and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.api.evaluating.page import render_page
from tamis.api.key_files import encode_keys
from tamis.api.options import ignore_progress
from tamis.api.selecting.files import results_folder
from tamis.index import score_table

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.evaluating.run import EvaluationRun
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener


def write_evaluation(
    run: EvaluationRun, sources: Sources, out: Path, *, listen: ProgressListener = ignore_progress
) -> None:
    """Write `evaluation.json` and `.html`, `samples.parquet`, `objects.parquet` and `worst.txt` into a folder.

    Each file is put in place whole; `evaluation.json` is the last. `objects.parquet` is there for objects only.

    Raises:
        DatasourceError: when a file has the folder's name.
        StoreError: when the folder cannot be written.
    """
    store = results_folder(out)
    store.write("samples.parquet", score_table(run.samples))
    if run.objects is not None:
        store.write("objects.parquet", score_table(run.objects))
    store.write("worst.txt", encode_keys(one.sample for one in run.report.worst))
    store.write("evaluation.html", render_page(run, sources, listen=listen).encode())
    store.write("evaluation.json", msgspec.json.format(msgspec.json.encode(run.report)))
