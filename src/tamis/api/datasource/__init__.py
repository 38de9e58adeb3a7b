"""The Python API: a datasource with the use cases as methods. Every answer is a value, not text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tamis.api.check import CheckReport, check
from tamis.api.converting.choices import ExportFormat, ImportFormat
from tamis.api.converting.exporting import ExportOptions, ExportReport
from tamis.api.converting.import_reader import import_reader
from tamis.api.converting.run import export_to, import_from
from tamis.api.datasource.embedded import Embedded
from tamis.api.embedding.embed import embed
from tamis.api.embedding.options import EmbedOptions
from tamis.api.frames import FrameOptions, FramesReport, extract_frames
from tamis.api.options import ScanOptions, ignore_progress
from tamis.api.scanning.scan import ScanResult, scan
from tamis.api.scanning.watch import INTERVAL_SECS, Round, watch
from tamis.api.selecting.config import choose_config
from tamis.api.selecting.files import write_selection
from tamis.api.selecting.run import SelectionRun, SelectOptions, join_pool, run_selection
from tamis.api.sources import open_sources
from tamis.api.tags import TagSummary, change_tag, summarise_tag
from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.api.converting.import_reader import LabelReader
    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.engine import ProgressListener
    from tamis.selection import SelectConfig, SelectionConfig

_F = TypeVar("_F", ImportFormat, ExportFormat)


@dataclass(frozen=True, slots=True)
class Datasource(Embedded):
    """Images and videos with predictions, and their index. Make one with `tamis.open`.

    Attributes:
        sources: the places that it consists of.
    """

    def check(
        self, options: ScanOptions | None = None, *, listen: ProgressListener = ignore_progress
    ) -> CheckReport:
        """Check every file and the dataset as a whole; the index stays as it is.

        Raises:
            DatasourceError: when the datasource cannot be read.
        """
        return check(self.sources, options, listen=listen)

    def scan(self, options: ScanOptions | None = None, *, listen: ProgressListener = ignore_progress) -> ScanResult:
        """Bring the index up to date with the files; only what changed is read.

        Raises:
            DatasourceError: when the datasource cannot be read, or the index cannot be written.
            IndexConflictError: when another scan replaced the index meanwhile.
            WorkerError: when a worker process was killed.
        """
        return scan(self.sources, options, listen=listen)

    def watch(self, options: ScanOptions | None = None, *, interval_secs: float = INTERVAL_SECS) -> Iterator[Round]:
        """Scan again and again without an end; leave the loop to end it. The first round raises as `scan` does."""
        return watch(self.sources, options, interval_secs=interval_secs)

    def tag(
        self, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = (), origin: str = ""
    ) -> TagSummary:
        """Add samples and objects to a tag, remove others, and return it.

        Raises as `change_tag`; with nothing to change, as `summarise_tag`.
        """
        if not add and not remove:
            return summarise_tag(self.snapshot, name)
        changed = change_tag(self.snapshot, name, add=add, remove=remove, origin=origin)
        self.sources.index.share()
        return changed

    def select(  # noqa: PLR0913 (the options of the command line, by the same names)
        self,
        *,
        n: int | None = None,
        config: SelectionConfig | str | Path | None = None,
        scores: Sequence[str] = (),
        balance: Sequence[str] = (),
        diverse: bool = False,
        min_gap_frames: int | None = None,
        select: SelectConfig | None = None,
        embeddings: str | Path | None = None,
        pool: str | None = None,
        labelled: Sequence[str] = (),
        add_to_pool: bool = False,
        out: str | Path | None = None,
        engine: str = "local",
        ray_address: str | None = None,
        listen: ProgressListener = ignore_progress,
    ) -> SelectionRun:
        """Select the samples worth labelling next.

        Args:
            n: how many new samples to pick; replaces the number of a config.
            config: a config, or the path of its file; or else use the next three.
            scores: each `TASK:SCORE` or `FILE:COLUMN`: prefer samples where it is high.
            balance: tasks whose classes to bring to equal shares.
            diverse: whether to prefer what differs from everything selected.
            min_gap_frames: how many frames apart selected frames of one video are at least; replaces that of a
                config.
            select: what is selected, images and frames or the objects of a task, and what the picks rule out.
            embeddings: name of stored embeddings, a file, or `predictions`; by default those stored last, if they
                are of all samples, or else vectors made from the predictions.
            pool: name of the list of samples that count as selected already.
            labelled: keys of more samples that count as selected already.
            add_to_pool: whether the picks, and the labelled samples, join the pool.
            out: folder for `selected.txt`, `report.html` and the other files; none are written by default.
            engine: `local`, or `ray`: the machines of a cluster hold the samples; the picks are the same.
            ray_address: of the cluster.
            listen: told how many picks there are.

        Raises:
            UsageError: when the call, the config or the embeddings ask for what there is not.
            DatasourceError: when a file cannot be read or written.
        """
        options = SelectOptions(
            embeddings=embeddings,
            pool=pool,
            labelled=labelled,
            add_to_pool=add_to_pool,
            engine=engine,
            ray_address=ray_address,
        )
        wanted = choose_config(
            n=n,
            config=config,
            scores=scores,
            balance=balance,
            diverse=diverse,
            min_gap_frames=min_gap_frames,
            select=select,
        )
        if wanted.select.without_duplicates is not False:
            how = EmbedOptions(engine=engine, ray_address=ray_address)
            embed(self.sources, self.snapshot, how, listen=listen)
        run = run_selection(self.snapshot, wanted, options, listen=listen)
        if out is not None:
            write_selection(run, self.sources, Path(out))
        join_pool(run, self.sources, options)
        return run

    def import_predictions(
        self,
        kind: ImportFormat | str,
        path: str | Path,
        options: ImportOptions,
        *,
        listen: ProgressListener = ignore_progress,
    ) -> ImportReport:
        """Turn files of another tool into predictions beside the images; call `scan` afterwards.

        Args:
            kind: what the path is: `coco`, `yolo`, ...
            path: the file or folder.
            options: the task to write, and how.
            listen: told how far it is.

        Raises:
            UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
            DatasourceError: when something cannot be read or written.
        """
        return import_from(
            self.sources, _named(ImportFormat, kind, "format to import"), Path(path), options, listen=listen
        )

    def import_labels(
        self, reader: LabelReader, options: ImportOptions, *, listen: ProgressListener = ignore_progress
    ) -> ImportReport:
        """Take what a reader of labelformat reads (`pip install tamis[labels]`); call `scan` afterwards.

        Args:
            reader: such as `labelformat.formats.KittiObjectDetectionInput(...)`.
            options: the task to write, and how.
            listen: told how far it is.

        Raises:
            UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
            DatasourceError: when something cannot be written.
        """
        return import_reader(self.sources, reader, options, listen=listen)

    def export(
        self, kind: ExportFormat | str, out: str | Path, options: ExportOptions | None = None
    ) -> ExportReport:
        """Write the predictions of the last scan, or its samples, for another tool.

        Args:
            kind: what to write: `coco-results`, `label-studio`, `files`, ...
            out: file or folder to write.
            options: of what, and how.

        Raises:
            UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
            DatasourceError: when something cannot be read or written.
            IndexMissingError: when there was no scan.
        """
        wanted = msgspec.structs.replace(options or ExportOptions(), out=Path(out))
        return export_to(self.snapshot, self.sources, _named(ExportFormat, kind, "format to export"), wanted)

    def extract_frames(
        self, out: str | Path, options: FrameOptions | None = None, *, listen: ProgressListener = ignore_progress
    ) -> FramesReport:
        """Write frames of the videos as image files, by the names of their samples.

        Args:
            out: folder for the frames.
            options: which, and how.
            listen: told how far the work is.

        Raises:
            UsageError: when an option cannot be.
            DatasourceError: when there is no video, or a frame cannot be written.
        """
        store = self.sources.input
        return extract_frames([store.local_root or store.url], out, options, listen=listen)


def _named(formats: type[_F], name: str, what: str) -> _F:
    try:
        return formats(name)
    except ValueError:
        raise UsageError(f"There is no {what} `{name}`", hint=f"formats: {', '.join(formats)}") from None


def open_datasource(
    source: str | Path, *, lightly: str | Path | None = None, index: str | Path | None = None
) -> Datasource:
    """Open a datasource.

    Args:
        source: folder of the images and videos.
        lightly: folder that holds `.lightly`; the source by default.
        index: folder of the index; `.lightly/tamis` beside the predictions by default.

    Raises:
        DatasourceError: when a folder is not there or may not be read.
    """
    return Datasource(open_sources(source, lightly=lightly, index=index))
