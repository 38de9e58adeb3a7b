"""Routes about the built-in embeddings and what repeats what by them: parse, one call, render."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.browsing.embedding import embedding_state, start_embedding
from tamis.api.browsing.values_duplicates import EmbeddingState
from tamis.api.browsing.values_work import Job
from tamis.web.requests import NoQuery
from tamis.web.routing import Router

if TYPE_CHECKING:
    from tamis.web.site import Site

router = Router()


@router.get("/api/embeddings", NoQuery, EmbeddingState)
def embeddings(site: Site, _: NoQuery) -> EmbeddingState:
    """Say how many samples have the built-in embeddings that duplicates are found by."""
    return embedding_state(site.project.view, site.project.jobs)


@router.post("/api/embeddings", NoQuery, Job)
def embed(site: Site, _: NoQuery) -> Job:
    """Start the job that embeds what is missing, unless one is running."""
    return start_embedding(site.project.jobs)
