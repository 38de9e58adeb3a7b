"""Embeddings of a datasource: made, searched, drawn; and the crops of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.api.crops import CropOptions, CropsReport, write_crops
from tamis.api.datasource.indexed import Indexed
from tamis.api.embedding.duplicates import DuplicateReport, duplicate_report, duplicates_in
from tamis.api.embedding.embed import embed
from tamis.api.embedding.projection import Method, Projection, project
from tamis.api.embedding.similar import SimilarReport, VectorIndex, open_vectors, similar
from tamis.api.options import ignore_progress
from tamis.index import SetSpec, embedding_sets

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.embedding.options import EmbedOptions
    from tamis.api.embedding.reports import EmbedReport
    from tamis.engine import ProgressListener


@dataclass(frozen=True, slots=True)
class Embedded(Indexed):
    """An indexed datasource with the methods that look at pictures."""

    def embed(
        self, options: EmbedOptions | None = None, *, listen: ProgressListener = ignore_progress
    ) -> EmbedReport:
        """Embed images and frames, or the objects of a task, but for those that are. Raises as `embed.embed`."""
        return embed(self.sources, self.snapshot, options, listen=listen)

    def embedding_sets(self) -> list[SetSpec]:
        """Return which embeddings are stored, those added to last first; `task` tells whose objects they are of."""
        self.sources.index.fetch()
        return [one.spec for one in embedding_sets(self.sources.index.root)]

    def vectors(self, embeddings: str | None = None, *, task: str | None = None) -> VectorIndex:
        """Return stored embeddings to search in: those added to last, or of a name. Raises as `open_vectors`."""
        return open_vectors(self.snapshot, embeddings=embeddings, task=task)

    def similar(
        self, query: str | Path, *, n: int = 10, embeddings: str | None = None, task: str | None = None
    ) -> SimilarReport:
        """Return what lies nearest to a sample, an object (`a/1.jpg#cars#3`), or the picture of a file.

        Raises:
            UsageError: when there are no embeddings, or the query is nothing known.
            DatasourceError: when the query's file cannot be read.
        """
        return similar(self.snapshot, self.sources, query, n=n, embeddings=embeddings, task=task)

    def duplicates(
        self, *, limit: float | None = None, listen: ProgressListener = ignore_progress
    ) -> DuplicateReport:
        """Find what repeats others: same content, or nearer than `limit`. Raises as `duplicates_in`."""
        return duplicate_report(duplicates_in(self.sources, self.snapshot, limit=limit, listen=listen))

    def projection(
        self, embeddings: str | None = None, *, task: str | None = None, method: Method = "pca"
    ) -> Projection:
        """Return stored embeddings as points in a plane; computed once, then kept. Raises as `project`."""
        return project(self.snapshot, embeddings=embeddings, task=task, method=method)

    def crops(
        self,
        task: str,
        out: str | Path,
        options: CropOptions | None = None,
        *,
        listen: ProgressListener = ignore_progress,
    ) -> CropsReport:
        """Cut the objects of a task out of their images, into a datasource of its own. Raises as `write_crops`."""
        return write_crops(self.sources, self.snapshot, task, out, options, listen=listen)
