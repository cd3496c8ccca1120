"""Zotero: a person's or a group's library, or one collection of it, by web API version 3.

The query is ``users/ID``, ``groups/ID`` or ``ID`` (a person's), with ``/COLLECTION`` after it
where only that is wanted. A later run asks for what has another version than the last one saw,
and for what was deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, made
from assistant.sources.http import Http, Malformed

__all__ = ["SERVICE"]

_PER_PAGE = 100
_VERSION = {"Zotero-API-Version": "3"}
_QUERY = re.compile(
    r"(?:(users?|groups?)[/:])?(\d+)(?:/(?:collections/)?([A-Z0-9]{8}))?", re.IGNORECASE
)
_NO_PAPERS = frozenset({"attachment", "note", "annotation"})
_ARXIV = re.compile(r"arxiv:\s*(\S+)", re.IGNORECASE)


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    root, collection = _library(query)
    source = f"zotero:{query}"
    place = f"{root}/collections/{collection}" if collection else root
    start = int(cursor["start"]) if cursor else 0
    version = cursor["mark"] if cursor else ""
    while True:
        asked = {
            "format": "json",
            "since": mark,
            "start": start,
            "limit": _PER_PAGE,
            "sort": "dateAdded",
            "direction": "asc",
            "includeTrashed": 1 if mark else 0,
        }
        items, total, seen = http.ask(f"{place}/items/top", asked, _items, _VERSION)
        version = version or seen  # of the first page: what changes meanwhile comes next time
        start += len(items)
        ended = start >= total or not items
        deleted = [str(i.get("key")) for i in items if _data(i).get("deleted")]
        if ended and mark:
            deleted += _deleted(http, root, mark)
        wanted = [i for i in items if not _data(i).get("deleted")]
        records = [_record(i, source) for i in wanted if _is_paper(i)]
        yield Page(
            records,
            None if ended else {"start": start, "mark": version},
            version,
            total,
            deleted=deleted,
        )
        if ended:
            return


def _library(query: str) -> tuple[str, str | None]:
    found = _QUERY.fullmatch(query.strip("/ "))
    if found is None:
        raise SourceError(
            f"{query!r} names no Zotero library.",
            "Give zotero:users/123456, zotero:groups/123456 or either with /COLLECTION; the "
            "number stands at zotero.org/settings/keys.",
        )
    kind = "groups" if (found[1] or "").lower().startswith("group") else "users"
    return f"/{kind}/{found[2]}", found[3].upper() if found[3] else None


def _items(response: httpx.Response) -> tuple[list[Mapping[str, Any]], int, str]:
    try:
        items = response.json()
        total = int(response.headers.get("total-results", len(items)))
    except (ValueError, TypeError):
        raise Malformed("it is not JSON") from None
    if not isinstance(items, list):
        raise Malformed("it is no list of items")
    version = response.headers.get("last-modified-version", "")
    return [item if isinstance(item, Mapping) else {} for item in items], total, version


def _deleted(http: Http, root: str, mark: str) -> list[str]:
    found = http.json(f"{root}/deleted", {"since": mark}, "items")
    return [str(key) for key in found["items"] or ()]


def _data(item: Mapping[str, Any]) -> Mapping[str, Any]:
    data = item.get("data")
    return data if isinstance(data, Mapping) else {}


def _is_paper(item: Mapping[str, Any]) -> bool:
    return _data(item).get("itemType") not in _NO_PAPERS


def _record(item: Mapping[str, Any], source: str) -> Paper | Rejection:
    data = _data(item)
    extra = str(data.get("extra") or "")
    arxiv = _ARXIV.search(f"{extra} {data.get('archiveID') or ''}")
    venues = ("publicationTitle", "proceedingsTitle", "conferenceName", "bookTitle", "repository")
    venue = next((data[name] for name in venues if data.get(name)), None)
    doi = data.get("DOI") or next(iter(re.findall(r"(?i)^doi:\s*(\S+)", extra, re.M)), None)
    return made(
        source,
        f"item {item.get('key')}",
        title=data.get("title"),
        abstract=data.get("abstractNote"),
        authors=list(_authors(data.get("creators"))),
        year=data.get("date"),
        venue=venue,
        url=data.get("url"),
        doi=doi,
        arxiv_id=arxiv[1] if arxiv else None,
        source_id=item.get("key"),
        tags=[str(tag.get("tag")) for tag in data.get("tags") or () if isinstance(tag, Mapping)],
    )


def _authors(value: object) -> Iterator[str]:
    for creator in value if isinstance(value, list) else ():
        if isinstance(creator, Mapping) and creator.get("creatorType") in (None, "author"):
            whole = f"{creator.get('firstName') or ''} {creator.get('lastName') or ''}".strip()
            if name := creator.get("name") or whole:
                yield str(name)


SERVICE = Service(
    "zotero",
    "Zotero",
    "https://api.zotero.org",
    pages=_pages,
    interval=0.1,
    key_header="Zotero-API-Key",
)
