"""Semantic Scholar: bulk search of its Graph API (https://api.semanticscholar.org/api-docs/graph).

Records carry no date of change: a later run asks for what was published since some weeks before
the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, earlier, made, today
from assistant.sources.http import Http

__all__ = ["SERVICE"]

_FIELDS = "title,abstract,authors,year,venue,externalIds,url"
_LATE_DAYS = 60


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    token = cursor["token"] if cursor else None
    newest = cursor["mark"] if cursor else today().isoformat()
    since = f"{earlier(mark, _LATE_DAYS)}:" if mark else None
    while True:
        asked = {
            "query": query,
            "fields": _FIELDS,
            "publicationDateOrYear": since,
            "token": token,
        }
        found = http.json("/graph/v1/paper/search/bulk", asked, "data")
        token = found.get("token") if found["data"] else None
        yield Page(
            [_record(entry, f"semanticscholar:{query}") for entry in found["data"] or ()],
            {"token": token, "mark": newest} if token else None,
            newest,
            found.get("total"),
        )
        if not token:
            return


def _record(entry: object, source: str) -> Paper | Rejection:
    if not isinstance(entry, Mapping):
        return Rejection(source=source, where="a record", reason="not an object")
    ids: Mapping[str, Any] = entry.get("externalIds") or {}
    authors = [a.get("name") for a in entry.get("authors") or () if isinstance(a, Mapping)]
    return made(
        source,
        str(entry.get("paperId")),
        title=entry.get("title"),
        abstract=entry.get("abstract"),
        authors=[str(name) for name in authors if name],
        year=entry.get("year"),
        venue=entry.get("venue"),
        url=entry.get("url"),
        doi=ids.get("DOI"),
        arxiv_id=ids.get("ArXiv"),
        source_id=entry.get("paperId"),
    )


SERVICE = Service(
    "semanticscholar",
    "Semantic Scholar",
    "https://api.semanticscholar.org",
    pages=_pages,
    interval=1.1,
    key_header="x-api-key",
)
