"""Selections as jobs: what the form asks for is checked at once, run in a worker, and read back from its files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.api.browsing.embedding import check_embedded
from tamis.api.browsing.values_work import ConfigCheck, ConfigOptions, JobKind, PoolInfo, SelectionRequest, TagInfo
from tamis.api.browsing.view import parse_filter
from tamis.api.selecting.files import write_selection
from tamis.api.selecting.run import SelectOptions, run_selection
from tamis.api.tags import are_there
from tamis.errors import IndexMissingError, UsageError
from tamis.index import Pool, Tag
from tamis.scoring import SCORE_NAMES
from tamis.selection import STRATEGIES_OF_INPUTS, EmbeddingsInput, FileInput, encode_config, parse_config

if TYPE_CHECKING:
    from tamis.api.browsing.jobs import JobRequest, Jobs
    from tamis.api.browsing.values_work import Job
    from tamis.api.browsing.view import View
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.selection import SelectionConfig, StrategyConfig

_AMONG = "among.bin"
_EMBEDDING_ENDINGS = (".npy", ".npz", ".parquet", ".csv")
_MAX_FILES = 200
_SOURCE = "config"


def check_config(text: str) -> ConfigCheck:
    """Say whether a config can be run, or all that is wrong with it."""
    try:
        config = parse_config(text, source=_SOURCE)
    except UsageError as error:
        head, *faults = error.message.split("\n- ")
        return ConfigCheck(faults=faults or [head.removeprefix(f"{_SOURCE}: ")])
    return ConfigCheck(faults=[], config=msgspec.to_builtins(config), yaml=encode_config(config))


def start_selection(jobs: Jobs, view: View, request: SelectionRequest) -> Job:
    """Check what can be checked at once, and start the worker.

    Raises:
        UsageError: when the config or the filter has faults, or a name is none.
        DatasourceError: when the job cannot be started.
    """
    config = _parse(jobs.sources, request.config, view.snapshot)
    if config.select.without_duplicates is not False:
        check_embedded(view)
    if request.pool is not None:
        Pool(view.snapshot.root, request.pool)
    both = set(request.pinned) & set(request.rejected)
    if both:
        raise UsageError(f"`{min(both)}` is both pinned and rejected")
    unknown = [key for key in (*request.pinned, *request.rejected) if view.samples.number(key) is None]
    if unknown:
        raise UsageError(f"{len(unknown)} of the pinned and rejected keys are no samples: `{unknown[0]}`")
    if request.embeddings is not None:
        _contained(jobs.sources, request.embeddings)
    mask = view.mask(parse_filter(request.filter))
    files = {} if mask is None else {_AMONG: np.packbits(mask).tobytes()}
    number = f"{config.n_samples:,}" if config.n_samples is not None else f"{config.proportion_samples:.0%}"
    title = request.title.strip() or f"{number} samples"
    details = {"request": msgspec.to_builtins(request), "snapshot": view.snapshot.id}
    return jobs.start(JobKind.SELECTION, title, details, files)


def work_selection(sources: Sources, folder: Path, job: JobRequest, listen: ProgressListener) -> str:
    """Run a selection in its worker, and return what was done in words.

    Raises:
        UsageError: when the datasource does not have what the config names.
        IndexMissingError: when the index changed since the request.
        DatasourceError: when something cannot be read or written.
    """
    request = msgspec.convert(job.details["request"], SelectionRequest)
    snapshot = sources.index.latest()
    among = None
    if snapshot is None:
        raise IndexMissingError("The index is gone", hint="scan again")
    if (folder / _AMONG).exists():
        if snapshot.id != job.details["snapshot"]:
            raise IndexMissingError("The index changed before the selection began", hint="run it again")
        n = snapshot.table("samples", ["kind"]).num_rows
        packed = np.frombuffer((folder / _AMONG).read_bytes(), np.uint8)
        among = np.unpackbits(packed, count=n).astype(np.bool_)
    options = SelectOptions(
        embeddings=None if request.embeddings is None else _contained(sources, request.embeddings),
        pool=request.pool,
        pinned=request.pinned,
        rejected=request.rejected,
        among=among,
    )
    config = _parse(sources, request.config, snapshot)
    run = run_selection(snapshot, config, options, listen=listen)
    write_selection(run, sources, folder / "out", listen=listen)
    return f"{len(run.chosen_keys):,} picked" + (f": {run.selection.stopped}" if run.selection.stopped else "")


def _parse(sources: Sources, text: str, snapshot: Snapshot) -> SelectionConfig:
    """Return a config from the page: files that it names must lie below the datasource.

    Raises:
        UsageError: when it has faults, or names another file.
        IndexMissingError: when a tag or pool that it names is damaged.
    """
    config = parse_config(text, source=_SOURCE)

    def contained(one: StrategyConfig) -> StrategyConfig:
        given = one.input
        match given:
            case FileInput():
                given = msgspec.structs.replace(given, path=str(_contained(sources, given.path)))
            case EmbeddingsInput(tag_name=str(name)):
                given = msgspec.structs.replace(given, tag_name=_query_set(sources, snapshot, name))
            case _:
                pass
        return msgspec.structs.replace(one, input=given)

    return msgspec.structs.replace(config, strategies=tuple(map(contained, config.strategies)))


def _query_set(sources: Sources, snapshot: Snapshot, name: str) -> str:
    """Return what a query set is called in a config: its own name, or the path of a file below the datasource.

    Raises:
        UsageError: when it is no sample, object, tag or pool, and no such file lies below the datasource.
        IndexMissingError: when the tag or pool is damaged.
    """
    if are_there(snapshot, [name])[0]:
        return name
    with suppress(UsageError):  # of what cannot be the name of one
        if Tag(snapshot.root, name).members() or Pool(snapshot.root, name).members():
            return name
    path = _below(sources, name)
    if path is None or not path.exists():
        raise UsageError(
            f"The query set `{name}` is no sample, tag or pool, and no file below the datasource",
            hint="name one of these: the path of a file is that below the datasource, as `queries/dark.jpg`",
        )
    return str(path)


def show_options(view: View, sources: Sources) -> ConfigOptions:
    """Return what a form for configs can offer.

    Raises:
        StillLoadingError: while predictions are being read.
    """
    tasks = view.snapshot.tasks
    return ConfigOptions(
        strategies={kind: list(strategies) for kind, strategies in STRATEGIES_OF_INPUTS.items()},
        scores={
            task.name: [name for name in SCORE_NAMES[task.task_type] if name in view.rows(task.name).sample_scores]
            for task in tasks
        },
        objects=[task.name for task in tasks if task.task_type.has_objects],
        metadata={column.name: column.type for column in view.snapshot.manifest.metadata},
        pools=list_pools(view),
        tags=list_tags(view),
        embeddings=_embedding_files(sources),
    )


def list_pools(view: View) -> list[PoolInfo]:
    """Return the pools by name; damaged ones are left out, as selections say what is wrong with them."""
    return [PoolInfo(name=name, members=len(members)) for name, members in view.lists.pools().items()]


def list_tags(view: View) -> list[TagInfo]:
    """Return the tags that have members, by name; damaged ones are left out likewise."""
    return [TagInfo(name=name, members=len(members)) for name, members in view.lists.tags().items()]


def _embedding_files(sources: Sources) -> list[str]:
    """Return files at the top of the datasource that may hold embeddings."""
    root = sources.input.local_root
    if root is None:
        return []
    names: list[str] = []
    for page in sources.input.list_folder("", stamps=False):
        names += [name for name in page.names if name.lower().endswith(_EMBEDDING_ENDINGS)]
    return sorted(names)[:_MAX_FILES]


def _contained(sources: Sources, name: str) -> Path:
    """Return the path of a file that a request names, which must lie below the datasource.

    Raises:
        UsageError: when it does not, or is not there.
    """
    path = _below(sources, name)
    if path is None:
        raise UsageError(
            f"`{name}` does not lie below the datasource", hint="put the file there, or use `tamis select`"
        )
    if not path.is_file():
        raise UsageError(f"There is no file `{name}`")
    return path


def _below(sources: Sources, name: str) -> Path | None:
    """Return the path that a name means below the datasource, `None` where it leads out of it."""
    root = sources.input.local_root
    if root is None or "\0" in name:
        return None
    whole, path = os.path.realpath(root), os.path.realpath(root / name)
    return Path(path) if os.path.commonpath([whole, path]) == whole else None


Picks = dict[str, Any]  # `selection.json`
