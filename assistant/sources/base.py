"""What every service's module is made of: the pages that it yields, and where the next begins.

A service's module has one function ``pages(http, query, mark, cursor)``: it yields `Page`s of
what is new or changed since ``mark``, from the place that ``cursor`` names. Both are what an
earlier page gave; None: from the start. Nothing here knows how they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from assistant.paper import Paper
from assistant.reading.fields import paper_from
from assistant.results import Rejection
from assistant.sources.http import Host, Http

__all__ = ["Cursor", "Page", "Pages", "Service", "earlier", "made", "today"]

Cursor = dict[str, Any]
"""Where the next page begins, as JSON can hold it; only the service's module reads it."""


@dataclass(frozen=True)
class Page:
    """Some records of a source, in one answer.

    ``cursor``: where the next page begins; None: this was the last. ``mark``: from where the
    next sync has to ask, once this run is finished. ``total``: records of the run, where known.
    ``withdrawn``: ids or titles of papers that the source has taken back; ``deleted``: the
    source's own ids of records that it no longer holds.
    """

    records: list[Paper | Rejection]
    cursor: Cursor | None
    mark: str
    total: int | None = None
    withdrawn: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


Pages = Callable[[Http, str, str | None, Cursor | None], Iterator[Page]]


@dataclass(frozen=True, kw_only=True)
class Service(Host):
    """A place that papers come from."""

    pages: Pages


def made(
    source: str,
    where: str,
    *,
    title: object,
    abstract: object,
    authors: Iterable[str] = (),
    year: object = None,
    venue: object = None,
    url: object = None,
    doi: object = None,
    arxiv_id: object = None,
    source_id: object = None,
    tags: Iterable[str] = (),
) -> Paper | Rejection:
    """A record of a service as a paper, cleaned as the readers of files clean it."""
    record = {
        "title": title,
        "abstract": abstract,
        "authors": list(authors),
        "year": year,
        "journal": venue,
        "url": url,
        "doi": doi,
        "arxivid": arxiv_id,
        "id": source_id,
    }
    paper = paper_from({k: v for k, v in record.items() if v}, source=source, where=where)
    if isinstance(paper, Rejection):
        return paper
    kept = tuple(dict.fromkeys(tag.strip() for tag in tags if tag and tag.strip()))
    return paper.model_copy(update={"tags": kept})


def today() -> date:
    """The date at Greenwich, as services count."""
    return datetime.now(UTC).date()


def earlier(mark: str, days: int) -> str:
    """The ISO date ``days`` before the date that ``mark`` begins with."""
    return (date.fromisoformat(mark[:10]) - timedelta(days=days)).isoformat()
