"""Crossref: works by words, and single works by DOI (https://api.crossref.org/swagger-ui).

Of a query, only works with an abstract are asked for. A later run asks for what Crossref has
indexed since the day before the last one: new works and changed ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, earlier, made, today
from assistant.sources.http import Http, NotFound

__all__ = ["BY_DOI", "SERVICE", "record"]

_PER_PAGE = 200
_HEADING = re.compile(r"^\s*<jats:title>\s*(?:abstract|summary)\s*</jats:title>", re.IGNORECASE)
_TAKEN_BACK = frozenset({"retraction", "withdrawal", "removal"})


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    at = cursor["at"] if cursor else "*"
    newest = cursor["mark"] if cursor else today().isoformat()
    filters = ["has-abstract:true"]
    if mark:
        filters.append(f"from-index-date:{earlier(mark, 1)}")
    while True:
        asked = {"query": query, "filter": ",".join(filters), "rows": _PER_PAGE, "cursor": at}
        message = http.json("/works", asked, "message")["message"]
        works = [w for w in message.get("items") or () if isinstance(w, Mapping)]
        at = message.get("next-cursor") if works else None
        yield Page(
            [record(w, f"crossref:{query}") for w in works if not _withdrawn(w)],
            {"at": at, "mark": newest} if at else None,
            newest,
            message.get("total-results"),
            [str(w.get("DOI")) for w in works if _withdrawn(w)],
        )
        if not at:
            return


def _pages_by_doi(
    http: Http, query: str, mark: str | None, cursor: Cursor | None
) -> Iterator[Page]:
    del mark  # each is asked for again: nothing says beforehand whether it has changed
    names = [name for name in re.split(r"[\s,]+", query) if name]
    done = int(cursor["start"]) if cursor else 0
    newest = today().isoformat()
    source = f"doi:{query}"
    while done < len(names):
        name = re.sub(r"^(?:doi:|https?://(?:dx\.)?doi\.org/)", "", names[done], flags=re.I)
        records: list[Paper | Rejection] = []
        withdrawn: list[str] = []
        try:
            work = http.json(f"/works/{quote(name, safe='')}", {}, "message")["message"]
        except NotFound:
            reason = "Crossref does not know this DOI"
            records.append(Rejection(source=source, where=name, reason=reason))
        else:
            if _withdrawn(work):
                withdrawn.append(name)
            else:
                records.append(record(work, source))
        done += 1
        next_place = {"start": done} if done < len(names) else None
        yield Page(records, next_place, newest, len(names), withdrawn)


def record(work: Mapping[str, Any], source: str) -> Paper | Rejection:
    """A work as a paper."""
    doi = work.get("DOI")
    dated = ("published", "published-print", "published-online", "issued")
    years = [str(_first_year(work.get(name))) for name in dated if _first_year(work.get(name))]
    subtitle = _first(work.get("subtitle"))
    title = _first(work.get("title"))
    return made(
        source,
        str(doi or "a work without a DOI"),
        title=f"{title}: {subtitle}" if title and subtitle and subtitle not in title else title,
        abstract=_HEADING.sub("", str(work.get("abstract") or "")),
        authors=list(_authors(work.get("author"))),
        year=min(years, default=None),
        venue=_first(work.get("container-title")),
        url=work.get("URL"),
        doi=doi,
        source_id=doi,
        tags=[str(word) for word in work.get("subject") or ()],
    )


def _authors(value: object) -> Iterator[str]:
    for author in value if isinstance(value, list) else ():
        if isinstance(author, Mapping):
            whole = f"{author.get('given') or ''} {author.get('family') or ''}".strip()
            if name := whole or author.get("name"):
                yield str(name)


def _first(value: object) -> str:
    if isinstance(value, list):
        return str(value[0]) if value else ""
    return str(value or "")


def _first_year(value: object) -> int | None:
    parts = value.get("date-parts") if isinstance(value, Mapping) else None
    try:
        year = parts[0][0] if parts else None
    except (IndexError, TypeError, KeyError):
        return None
    return year if isinstance(year, int) else None


def _withdrawn(work: Mapping[str, Any]) -> bool:
    notices = work.get("updated-by") or ()
    return any(isinstance(n, Mapping) and n.get("type") in _TAKEN_BACK for n in notices)


_ADDRESS = "https://api.crossref.org"
SERVICE = Service(
    "crossref", "Crossref", _ADDRESS, pages=_pages, interval=0.2, email_parameter="mailto"
)
BY_DOI = Service(
    "crossref", "Crossref", _ADDRESS, pages=_pages_by_doi, interval=0.1, email_parameter="mailto"
)
