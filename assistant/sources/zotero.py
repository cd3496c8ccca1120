"""Zotero: a person's or a group's library, or one collection of it, by web API version 3.

The query is ``users/ID``, ``groups/ID`` or ``ID`` (a person's), with ``/COLLECTION`` after it
where only that is wanted. A later run asks for what has another version than the last one saw,
and for what was deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, taken
from assistant.sources.http import Http, Malformed

__all__ = ["SERVICE"]

_PER_PAGE = 100
_VERSION = {"Zotero-API-Version": "3"}
_QUERY = re.compile(
    r"(?:(users?|groups?)[/:])?(\d+)(?:/(?:collections/)?([A-Z0-9]{8}))?", re.IGNORECASE
)
_NO_PAPERS = frozenset({"attachment", "note", "annotation"})


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
        items, total, seen = http.tried(partial(_items, http, f"{place}/items/top", asked))
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


def _items(
    http: Http, path: str, asked: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], int, str]:
    """The items of a page, how many there are in all, and the version of the library."""
    response = http.get(path, asked, _VERSION)
    items = response.json()
    total = int(response.headers.get("total-results", len(items)))
    if not isinstance(items, list):
        raise Malformed("it is no list of items")
    version = response.headers.get("last-modified-version", "")
    return [item if isinstance(item, Mapping) else {} for item in items], total, version


def _deleted(http: Http, root: str, mark: str) -> list[str]:
    found = http.tried(lambda: http.get(f"{root}/deleted", {"since": mark}).json()["items"])
    return [str(key) for key in found or ()]


def _data(item: Mapping[str, Any]) -> Mapping[str, Any]:
    data = item.get("data")
    return data if isinstance(data, Mapping) else {}


def _is_paper(item: Mapping[str, Any]) -> bool:
    return _data(item).get("itemType") not in _NO_PAPERS


def _record(item: Mapping[str, Any], source: str) -> Paper | Rejection:
    data = _data(item)
    return taken(data, source, f"item {item.get('key')}", id=item.get("key"))


SERVICE = Service(
    "zotero",
    "Zotero",
    "https://api.zotero.org",
    pages=_pages,
    interval=0.1,
    key_header="Zotero-API-Key",
)
