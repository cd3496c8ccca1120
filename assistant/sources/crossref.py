"""Crossref: works by words, and single works by DOI, through habanero.

Of a query, only works with an abstract are asked for. A later run asks for what Crossref has
indexed since the day before the last one: new works and changed ones
(https://api.crossref.org/swagger-ui).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, earlier, taken, today
from assistant.sources.http import Http, NotFound

__all__ = ["BY_DOI", "SERVICE", "asked", "record", "work"]

_PER_PAGE = 200
_TAKEN_BACK = frozenset({"retraction", "withdrawal", "removal"})


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    at = cursor["at"] if cursor else "*"
    newest = cursor["mark"] if cursor else today().isoformat()
    while True:
        wanted: dict[str, object] = {"has_abstract": True}  # habanero writes into it
        if mark:
            wanted["from_index_date"] = earlier(mark, 1)
        message = asked(http, query=query, filter=wanted, limit=_PER_PAGE, cursor=at)
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
            found = work(http, name)
        except NotFound:
            reason = "Crossref does not know this DOI"
            records.append(Rejection(source=source, where=name, reason=reason))
        else:
            if _withdrawn(found):
                withdrawn.append(name)
            else:
                records.append(record(found, source))
        done += 1
        next_place = {"start": done} if done < len(names) else None
        yield Page(records, next_place, newest, len(names), withdrawn)


def asked(http: Http, path: str = "/works", **parameters: object) -> Mapping[str, Any]:
    """The message of one answer to a request of habanero's, which asks ``http``."""
    from habanero.request_class import Request  # noqa: PLC0415

    class Asking(Request):  # type: ignore[misc]
        def _req(self, payload: Mapping[str, Any], should_warn: object) -> Any:
            del should_warn
            found = http.get(self._url(), payload).json()
            found["message"].setdefault("total-results", None)
            return found

    # none of the pages that follow: each is stored before the next is asked for
    ask = Asking(None, None, None, http.base, path, cursor_max=0, **parameters)
    message: Mapping[str, Any] = http.tried(ask.do_request)["message"]
    return message


def work(http: Http, doi: str) -> Mapping[str, Any]:
    """The work that has ``doi``.

    Raises:
        NotFound: Crossref does not know it.
    """
    return asked(http, f"/works/{quote(doi, safe='')}")


def record(work: Mapping[str, Any], source: str) -> Paper | Rejection:
    """A work as a paper."""
    doi = work.get("DOI")
    dated = ("published", "published-print", "published-online", "issued")
    years = [year for name in dated if (year := _first_year(work.get(name)))]
    title, subtitle = _first(work.get("title")), _first(work.get("subtitle"))
    if title and subtitle and subtitle not in title:
        title = f"{title}: {subtitle}"
    return taken(
        work, source, str(doi or "a work without a DOI"),
        title=title, year=min(years, default=None), id=doi, tags=work.get("subject"),
    )  # fmt: skip


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
