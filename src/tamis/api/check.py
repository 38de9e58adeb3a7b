"""`check`: every problem of a datasource, grouped, with examples that say the place."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.api.options import ScanOptions, ignore_progress
from tamis.api.scanning.scan import dry_scan
from tamis.formats import MAX_FILE_BYTES, locate
from tamis.model import CODES, Problem, Severity
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot

N_EXAMPLES = 5
_ORDER = {severity: rank for rank, severity in enumerate(Severity)}


class TaskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one task.

    Attributes:
        task_type: of its schema.
        files: prediction files.
        valid_files: those that could be used.
        predictions: in the valid files, without those dropped.
        samples_without_file: samples for which there is no file, good or bad.
    """

    task_type: str
    files: int
    valid_files: int
    predictions: int
    samples_without_file: int


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a problem; `None` where it has no such thing."""

    file: str | None
    path: str | None
    line: int | None
    column: int | None
    message: str


class ProblemGroup(msgspec.Struct, frozen=True, kw_only=True):
    """All problems of one code in one task.

    Attributes:
        code: a key of `tamis.model.CODES`.
        severity: of the code.
        task: `None` where it concerns none.
        count: how many.
        message: of the problem where there is one, else what the code means.
        hint: what to do.
        examples: the first few.
    """

    code: str
    severity: Severity
    task: str | None
    count: int
    message: str
    hint: str
    examples: tuple[Example, ...]


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `check` found.

    Attributes:
        samples: number of images and frames.
        tasks: by name.
        problems: errors first, then by count.
        errors: number of errors.
        warnings: number of warnings.
    """

    samples: int
    tasks: dict[str, TaskSummary]
    problems: tuple[ProblemGroup, ...]
    errors: int
    warnings: int


def check(
    sources: Sources, options: ScanOptions | None = None, *, listen: ProgressListener = ignore_progress
) -> CheckReport:
    """Check every file; only those that changed since the last scan are read, unless `options.full`.

    Raises:
        DatasourceError: when the datasource cannot be read.
    """
    with dry_scan(sources, options, listen=listen) as result:
        return report_problems(sources, result.snapshot)


def report_problems(sources: Sources, snapshot: Snapshot) -> CheckReport:
    """Group the problems of a snapshot."""
    connection = snapshot.connect("files", "problems")
    groups = sorted(
        [*_stored_groups(sources, connection), *_loose_groups(sources, snapshot)],
        key=lambda group: (_ORDER[group.severity], -group.count, group.code, group.task or ""),
    )
    return CheckReport(
        samples=snapshot.table("samples", ["kind"]).num_rows,
        tasks=summarise_tasks(snapshot, connection),
        problems=tuple(groups),
        errors=sum(group.count for group in groups if group.severity is Severity.ERROR),
        warnings=sum(group.count for group in groups if group.severity is Severity.WARNING),
    )


def summarise_tasks(snapshot: Snapshot, connection: DuckDBPyConnection | None = None) -> dict[str, TaskSummary]:
    """Count files and predictions of each task, through a connection to the snapshot where there is one."""
    n_samples = snapshot.table("samples", ["kind"]).num_rows
    rows = (connection or snapshot.connect("files")).execute(
        "SELECT task, count(*), count_if(valid), sum(n_predictions) FILTER (valid), count(sample) "
        "FROM files GROUP BY task"
    )
    counts = {row[0]: row[1:] for row in rows.fetchall()}
    summaries = {}
    for task in snapshot.tasks:
        files, valid, predictions, owned = counts.get(task.name, (0, 0, 0, 0))
        summaries[task.name] = TaskSummary(
            task_type=task.task_type,
            files=files,
            valid_files=valid,
            predictions=int(predictions or 0),
            samples_without_file=n_samples - owned,
        )
    return summaries


def stream_problems(sources: Sources, snapshot: Snapshot) -> Iterator[Problem]:
    """Yield every single problem, with line and column wherever they can be found."""
    stored = snapshot.connect("problems").execute(
        'SELECT code, task, file, path, line, "column", message, hint FROM problems ORDER BY file, task, path'
    )
    rows = iter(stored.fetchone, None)
    place = _Places(sources)
    return (place.of(problem) for problem in chain(snapshot.manifest.problems, map(_problem, rows)))


def place_problems(
    sources: Sources, snapshot: Snapshot, *, code: str, task: str | None, offset: int, limit: int
) -> tuple[int, list[Problem]]:
    """Return how many problems of one code in one task there are, and some of them with their places.

    Args:
        sources: where the files are.
        snapshot: of the index.
        code: of the problems.
        task: that they are about, `None`: that concern none.
        offset: how many to pass over.
        limit: how many to return.
    """
    loose = [p for p in snapshot.manifest.problems if p.code == code and p.task == task]
    connection = snapshot.connect("problems")
    which, values = "code = ? AND task IS NOT DISTINCT FROM ?", [code, task]
    counted = connection.execute(f"SELECT count(*) FROM problems WHERE {which}", values).fetchone()  # noqa: S608
    n_stored = 0 if counted is None else int(counted[0])
    stored: list[Problem] = []
    if offset + limit > len(loose):
        first = max(offset - len(loose), 0)
        page = f"{which} ORDER BY file, path LIMIT {limit} OFFSET {first}"
        stored = place_found(sources, connection, page, values)
    place = _Places(sources)
    problems = [*(place.of(problem) for problem in loose[offset : offset + limit]), *stored]
    return len(loose) + n_stored, problems[:limit]


def place_found(sources: Sources, connection: DuckDBPyConnection, where: str, values: list[Any]) -> list[Problem]:
    """Return the problems of files that meet a condition in SQL, with line and column where they can be found."""
    found = connection.execute(
        f'SELECT code, task, file, path, line, "column", message, hint FROM problems WHERE {where}',  # noqa: S608
        values,
    )
    place = _Places(sources)
    return [place.of(_problem(row)) for row in found.fetchall()]


def _stored_groups(sources: Sources, connection: DuckDBPyConnection) -> Iterator[ProblemGroup]:
    """Group the problems of files, however many millions they are."""
    counts = connection.execute("SELECT code, task, count(*) FROM problems GROUP BY ALL").fetchall()
    examples = connection.execute(
        'SELECT code, task, file, path, line, "column", message, hint FROM problems '
        "QUALIFY row_number() OVER (PARTITION BY code, task ORDER BY file, path) <= ? ORDER BY file, path",
        [N_EXAMPLES],
    ).fetchall()
    by_group: dict[tuple[str, str | None], list[Problem]] = {}
    for row in examples:
        by_group.setdefault((row[0], row[1]), []).append(_problem(row))
    place = _Places(sources)
    for code, task, count in counts:
        yield _group(count, [place.of(problem) for problem in by_group[code, task]])


def _loose_groups(sources: Sources, snapshot: Snapshot) -> Iterator[ProblemGroup]:
    """Group the problems that are about no unit: tasks, schemas, the dataset."""
    by_group: dict[tuple[str, str | None], list[Problem]] = {}
    for problem in snapshot.manifest.problems:
        by_group.setdefault((problem.code, problem.task), []).append(problem)
    place = _Places(sources)
    for problems in by_group.values():
        count = sum(problem.count for problem in problems)
        yield _group(count, [place.of(problem) for problem in problems[:N_EXAMPLES]])


def _group(count: int, examples: list[Problem]) -> ProblemGroup:
    first = examples[0]
    is_single = len(examples) == 1
    return ProblemGroup(
        code=first.code,
        severity=first.severity,
        task=first.task,
        count=count,
        message=first.message if is_single else CODES[first.code].summary,
        hint=first.advice if is_single else CODES[first.code].hint,
        examples=tuple(
            Example(file=p.file, path=p.path, line=p.line, column=p.column, message=p.message) for p in examples
        ),
    )


def _problem(row: tuple[Any, ...]) -> Problem:
    code, task, file, path, line, column, message, hint = row
    return Problem(code=code, task=task, file=file, path=path, line=line, column=column, message=message, hint=hint)


class _Places:
    """Finds line and column of problems that know only their JSON path; reads each file once in a row."""

    def __init__(self, sources: Sources) -> None:
        self._read = lru_cache(maxsize=8)(self._read_uncached)
        self._store = sources.lightly

    def of(self, problem: Problem) -> Problem:
        """Return the problem with its place, or as it is where the file has changed beyond recognition."""
        if problem.line is not None or problem.path is None or problem.file is None:
            return problem
        data = self._read(problem.file)
        place = None if data is None else locate(data, problem.path)
        if place is None:
            return problem
        return msgspec.structs.replace(problem, line=place[0], column=place[1])

    def _read_uncached(self, key: str) -> bytes | None:
        try:
            return self._store.read_start(key, MAX_FILE_BYTES + 1).data
        except StoreError:
            return None
