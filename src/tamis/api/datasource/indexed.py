"""What the last scan of a datasource left: tables, problems, pools and tags. Nothing here changes anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.api.check import CheckReport, report_problems, stream_problems
from tamis.api.diffing import DiffOptions, DiffRun, diff
from tamis.api.evaluating import EvaluateOptions, EvaluationRun, evaluate
from tamis.api.options import ignore_progress
from tamis.api.show import Overview, SampleView, show_overview, show_sample
from tamis.api.tags import TagSummary, tags_of
from tamis.errors import IndexMissingError
from tamis.index import Pool, Tag, keys_where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb
    import pyarrow as pa

    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.model import Problem, Task


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a snapshot, by the name that the index has for it; read when it is asked for."""

    snapshot: Snapshot
    name: str

    def to_arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the table, or some of its columns, as Arrow; `.to_pandas()` of that is a DataFrame."""
        return self.snapshot.table(self.name, columns)


@dataclass(frozen=True, slots=True)
class Indexed:
    """The reading half of a `Datasource`.

    Attributes:
        sources: the places that it consists of.
    """

    sources: Sources

    @property
    def snapshot(self) -> Snapshot:
        """The index as the last scan left it.

        Raises:
            IndexMissingError: when there was no scan, or the index is damaged.
        """
        snapshot = self.sources.index.latest()
        if snapshot is None:
            raise IndexMissingError(f"`{self.sources.input.url}` was not scanned yet", hint="call `scan` first")
        return snapshot

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks with a valid schema, as of the last scan."""
        return self.snapshot.tasks

    def overview(self) -> Overview:
        """Count samples, tasks and classes."""
        return show_overview(self.snapshot)

    def sample(self, key: str) -> SampleView:
        """Return everything known of one sample.

        Raises:
            UsageError: when there is no such sample.
        """
        return show_sample(self.snapshot, key)

    def samples(self) -> Table:
        """Return the table of samples: key, kind, size, ..."""
        return Table(self.snapshot, "samples")

    def metadata(self) -> Table:
        """Return the table of metadata: one row a sample."""
        return Table(self.snapshot, "metadata")

    def predictions(self, task: str) -> Table:
        """Return the table of a task's predictions, with the scores of each.

        Raises:
            UsageError: when there is no such task.
        """
        return Table(self.snapshot, f"predictions:{self.snapshot.task(task).name}")

    def sample_scores(self, task: str) -> Table:
        """Return the table of a task's scores of samples; a sample without a valid file has no row.

        `object_frequency` is the sum of the format, not yet mapped to [.9, 1].

        Raises:
            UsageError: when there is no such task.
        """
        return Table(self.snapshot, f"sample_scores:{self.snapshot.task(task).name}")

    def problems(self) -> Iterator[Problem]:
        """Yield every single problem that the last scan found, with line and column where they can be found."""
        return stream_problems(self.sources, self.snapshot)

    def problem_report(self) -> CheckReport:
        """Return the problems that the last scan found, grouped."""
        return report_problems(self.sources, self.snapshot)

    def sql(self, query: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        """Ask the index in SQL: `ds.sql('SELECT count(*) FROM cars.predictions').fetchall()`."""
        return self.snapshot.connect().execute(query, parameters)

    def where(self, condition: str) -> list[str]:
        """Return the keys of the samples that satisfy a condition in SQL. Raises as `keys_where`."""
        return keys_where(self.snapshot, condition)

    def pool(self, name: str) -> list[str]:
        """Return the members of a pool, in the order in which they joined.

        Raises:
            UsageError: when that cannot be the name of a pool.
        """
        self.sources.index.fetch()
        return Pool(self.sources.index.root, name).members()

    def tags(self) -> list[TagSummary]:
        """Return all tags, by name."""
        return tags_of(self.snapshot)

    def tagged(self, name: str) -> list[str]:
        """Return the members of a tag, in the order in which they were added: keys of samples and of objects."""
        self.sources.index.fetch()
        return Tag(self.sources.index.root, name).members()

    def evaluate(
        self,
        task: str,
        labels: str,
        options: EvaluateOptions | None = None,
        *,
        listen: ProgressListener = ignore_progress,
    ) -> EvaluationRun:
        """Hold the predictions of a task against the labels of another. Raises as `evaluate`."""
        return evaluate(self.snapshot, task, labels, options, listen=listen)

    def diff(
        self,
        task: str,
        other: str | Indexed,
        options: DiffOptions | None = None,
        *,
        listen: ProgressListener = ignore_progress,
    ) -> DiffRun:
        """Compare a task with another, or with the same of another datasource. Raises as `diff`."""
        first = self.snapshot
        if isinstance(other, str):
            return diff(first, task, first, other, options, listen=listen)
        return diff(first, task, other.snapshot, task, options, listen=listen)
