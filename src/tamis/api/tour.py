"""`demo`: build a small datasource, then do the whole job on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.api.demo import build_demo
from tamis.api.options import ignore_progress
from tamis.api.scanning.scan import scan
from tamis.api.selecting.config import simple_config
from tamis.api.selecting.files import write_selection
from tamis.api.selecting.run import run_selection
from tamis.api.sources import open_sources
from tamis.engine import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.selecting.run import SelectionRun
    from tamis.engine import ProgressListener

_N_PICKS = 20
_SCORE = "street-objects:uncertainty_entropy"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made.

    Attributes:
        folder: the datasource.
        n_images: how many images it has.
        out: folder of the selection and its report.
        run: the selection.
    """

    folder: Path
    n_images: int
    out: Path
    run: SelectionRun


def run_demo(folder: Path, *, n_images: int, seed: int, listen: ProgressListener = ignore_progress) -> DemoResult:
    """Build the demo datasource in `folder`, scan it, select from it and write the report.

    Raises:
        UsageError: when the folder holds something else.
        DatasourceError: when it cannot be written.
    """
    listen(Progress("drawing", 0, n_images, "images"))
    build_demo(folder, n_images=n_images, seed=seed)
    listen(Progress("drawing", n_images, n_images, "images"))
    sources = open_sources(folder)
    snapshot = scan(sources, listen=listen).snapshot
    config = simple_config(n_samples=_N_PICKS, scores=[_SCORE], diverse=True)
    run = run_selection(snapshot, config, listen=listen)
    out = folder / "selection"
    write_selection(run, sources, out)
    return DemoResult(folder, n_images, out, run)
