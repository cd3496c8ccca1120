"""OpenAlex: works by words or by its own filters (https://docs.openalex.org).

What changed since a date can be asked with a key of a plan that allows it. Otherwise a later
run asks for what was published since some weeks before the last one: works are often entered
late, and what is known already costs a request only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading.fields import from_inverted
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, earlier, made, today
from assistant.sources.http import Http

__all__ = ["SERVICE", "record"]

_PER_PAGE = 100
_LATE_DAYS = 60
_FILTERS = re.compile(r"[a-z_]+(?:\.[a-z_]+)*:\S+(?:,[a-z_]+(?:\.[a-z_]+)*:\S+)*")


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    source = f"openalex:{query}"
    at: str | None = "*"
    newest, by_change = today().isoformat(), http.has_key
    if cursor:
        at, newest = cursor["at"], cursor["mark"]
        by_change = bool(cursor["by_change"])
    while True:
        try:
            found = http.json("/works", _asked(query, mark, at, by_change), "meta", "results")
        except SourceError:
            if not (mark and by_change and at == "*"):
                raise
            by_change = False  # this key's plan does not allow it
            continue
        works = [work for work in found["results"] or () if isinstance(work, Mapping)]
        meta = found["meta"]
        at = meta.get("next_cursor") if works else None
        records = [record(work, source) for work in works if not work.get("is_retracted")]
        yield Page(
            records,
            {"at": at, "mark": newest, "by_change": by_change} if at else None,
            newest,
            meta.get("count"),
            [_short(w.get("doi")) or str(w.get("title")) for w in works if w.get("is_retracted")],
        )
        if not at:
            return


def _asked(query: str, mark: str | None, at: str | None, by_change: bool) -> dict[str, Any]:
    filters = [query] if _FILTERS.fullmatch(query) else []
    if mark and by_change:
        filters.append(f"from_updated_date:{mark}")
    elif mark:
        filters.append(f"from_publication_date:{earlier(mark, _LATE_DAYS)}")
    return {
        "search": None if _FILTERS.fullmatch(query) else query,
        "filter": ",".join(filters) or None,
        "per-page": _PER_PAGE,
        "cursor": at,
    }


def record(work: Mapping[str, Any], source: str) -> Paper | Rejection:
    """A work as a paper."""
    place = _mapping(work.get("primary_location"))
    venue = _mapping(place.get("source")).get("display_name")
    names = [
        _mapping(_mapping(entry).get("author")).get("display_name")
        for entry in work.get("authorships") or ()
    ]
    work_id = str(work.get("id") or "").rpartition("/")[2]
    words = [_mapping(word).get("display_name") for word in work.get("keywords") or ()]
    return made(
        source,
        work_id or "a work without an id",
        title=work.get("title") or work.get("display_name"),
        abstract=from_inverted(work.get("abstract_inverted_index")),
        authors=[str(name) for name in names if name],
        year=work.get("publication_year"),
        venue=venue,
        url=place.get("landing_page_url"),
        doi=_short(work.get("doi")),
        source_id=work_id,
        tags=[str(word) for word in words if word],
    )


def _short(doi: object) -> str:
    return re.sub(r"^https?://(?:dx\.)?doi\.org/", "", str(doi or ""))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


SERVICE = Service(
    "openalex",
    "OpenAlex",
    "https://api.openalex.org",
    pages=_pages,
    interval=0.1,
    key_parameter="api_key",
    email_parameter="mailto",
)
