"""What every service's module is made of: the pages that it yields, and where the next begins.

A service's module has one function ``pages(http, query, mark, cursor)``: it yields `Page`s of
what is new or changed since ``mark``, from the place that ``cursor`` names. Both are what an
earlier page gave; None: from the start. Nothing here knows how they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from assistant.paper import Paper
from assistant.reading.fields import paper_from
from assistant.results import Rejection
from assistant.sources.http import Host, Http

__all__ = ["Cursor", "Page", "Pages", "Service", "earlier", "taken", "today"]

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


def taken(record: object, source: str, where: str, **known: object) -> Paper | Rejection:
    """A service's record, read and cleaned as the readers of files do it.

    ``known``: what is known better than the readers could tell; what says nothing is left out.
    """
    if isinstance(record, Mapping):
        record = {**record, **{name: value for name, value in known.items() if value}}
    return paper_from(record, source=source, where=where)


def today() -> date:
    """The date at Greenwich, as services count."""
    return datetime.now(UTC).date()


def earlier(mark: str, days: int) -> str:
    """The ISO date ``days`` before the date that ``mark`` begins with."""
    return (date.fromisoformat(mark[:10]) - timedelta(days=days)).isoformat()
