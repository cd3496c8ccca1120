"""OpenAlex: works by words or by its own filters, through pyalex (https://docs.openalex.org).

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
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, earlier, taken, today
from assistant.sources.http import Http

__all__ = ["SERVICE", "record", "works"]

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
            found = _wanted(http, query, mark, by_change).get(per_page=_PER_PAGE, cursor=at)
        except SourceError:
            if not (mark and by_change and at == "*"):
                raise
            by_change = False  # this key's plan does not allow it
            continue
        at = found.meta.get("next_cursor") if found else None
        held = [work for work in found if work]
        yield Page(
            [record(work, source) for work in held if not work.get("is_retracted")],
            {"at": at, "mark": newest, "by_change": by_change} if at else None,
            newest,
            found.meta.get("count"),
            [_short(w.get("doi")) or str(w.get("title")) for w in held if w.get("is_retracted")],
        )
        if not at:
            return


def works(http: Http) -> Any:
    """`pyalex.Works`, which asks ``http``.

    Its own session knows one address and one key for the whole process.
    """
    import pyalex  # noqa: PLC0415

    class Works(pyalex.Works):  # type: ignore[misc]  # whose name is that of what it asks for
        resource_class = staticmethod(lambda found: found if isinstance(found, Mapping) else {})

        def _get_from_url(self, url: str, session: object = None) -> Any:
            del session
            read = super()._get_from_url
            return http.tried(lambda: read(url, http))

    return Works()


def _wanted(http: Http, query: str, mark: str | None, by_change: bool) -> Any:
    wanted = works(http)
    if _FILTERS.fullmatch(query):
        name, _, value = query.partition(":")
        wanted.filter(**{name: value})  # more filters stand behind the first one's value
    else:
        wanted.search(query)
    if mark and by_change:
        wanted.filter(from_updated_date=mark)
    elif mark:
        wanted.filter(from_publication_date=earlier(mark, _LATE_DAYS))
    return wanted


def record(work: Mapping[str, Any], source: str) -> Paper | Rejection:
    """A work as a paper."""
    work_id = str(work.get("id") or "").rpartition("/")[2]
    return taken(work, source, work_id or "a work without an id", id=work_id)


def _short(doi: object) -> str:
    return re.sub(r"^https?://(?:dx\.)?doi\.org/", "", str(doi or ""))


SERVICE = Service(
    "openalex",
    "OpenAlex",
    "https://api.openalex.org",
    pages=_pages,
    interval=0.1,
    key_parameter="api_key",
    email_parameter="mailto",
)
