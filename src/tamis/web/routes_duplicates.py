"""Routes about the built-in embeddings and what repeats what by them: parse, one call, render."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.browsing.duplicates import (
    page_of_duplicates,
    show_duplicates,
    start_duplicates,
    tag_duplicates,
)
from tamis.api.browsing.embedding import embedding_state, start_embedding
from tamis.api.browsing.values_duplicates import DuplicatePage, DuplicatesInfo, EmbeddingState
from tamis.api.browsing.values_work import Job, TagInfo
from tamis.web.requests import DuplicatesQuery, DuplicatesTagBody, NoQuery, PairsQuery
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


@router.get("/api/duplicates", DuplicatesQuery, DuplicatesInfo)
def duplicates(site: Site, query: DuplicatesQuery) -> DuplicatesInfo:
    """Say whether duplicates up to a distance were looked for, and how many there are."""
    return show_duplicates(site.project.view, site.project.jobs, query.distance)


@router.post("/api/duplicates", DuplicatesQuery, Job)
def find_duplicates(site: Site, body: DuplicatesQuery) -> Job:
    """Start the job that looks for duplicates; it makes the embeddings that are missing first."""
    return start_duplicates(site.project.jobs, body.distance)


@router.get("/api/duplicates/pairs", PairsQuery, DuplicatePage)
def pairs(site: Site, query: PairsQuery) -> DuplicatePage:
    """Return a page of pairs, each of a sample and the one that it repeats, the nearest first."""
    return page_of_duplicates(site.project.view, query.distance, offset=query.offset, limit=query.limit)


@router.post("/api/duplicates/tag", DuplicatesTagBody, list[TagInfo])
def tag_them(site: Site, body: DuplicatesTagBody) -> list[TagInfo]:
    """Give a tag to all samples that repeat others; return all tags."""
    project = site.project
    return tag_duplicates(project.view, project.sources, body.distance, body.tag)
