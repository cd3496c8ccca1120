"""Semantic Scholar: bulk search of its Graph API, through the package semanticscholar.

Records carry no date of change (https://api.semanticscholar.org/api-docs/graph): a later run
asks for what was published since some weeks before the last one.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from assistant.sources.base import Cursor, Page, Service, earlier, taken, today
from assistant.sources.http import Http

__all__ = ["SERVICE"]

_FIELDS = ["title", "abstract", "authors", "year", "venue", "externalIds", "url"]
_LATE_DAYS = 60


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    from semanticscholar.AsyncSemanticScholar import AsyncSemanticScholar  # noqa: PLC0415

    newest = cursor["mark"] if cursor else today().isoformat()
    client = AsyncSemanticScholar(api_url=http.base)
    client._requester = requester = _Requester(http, cursor["token"] if cursor else None)
    search = client.search_paper(
        quote(query),
        bulk=True,
        fields=_FIELDS,
        publication_date_or_year=f"{earlier(mark, _LATE_DAYS)}:" if mark else None,
    )
    results = _ran(search)
    while True:
        found = results.raw_data
        token = requester.token if found else None
        yield Page(
            [
                taken(entry, f"semanticscholar:{query}", str(entry.get("paperId")))
                for entry in found
            ],
            {"token": token, "mark": newest} if token else None,
            newest,
            results.total,
        )
        if not token:
            return
        results.items.clear()  # it would keep those of all pages
        _ran(results.async_next_page())


class _Requester:
    """What the client asks through: ``http``. ``token`` is that of the next page."""

    def __init__(self, http: Http, token: str | None) -> None:
        self._http = http
        self.token = token

    async def get_data_async(self, url: str, parameters: str, _: object) -> dict[str, Any]:
        """The page, with what the client stumbles over left out."""
        found = self._http.tried(partial(self._read, f"{url}?{parameters}"))
        self.token = found.get("token")
        return found

    def _read(self, address: str) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get(address, {"token": self.token}).json()
        found["data"] = [_sound(entry) for entry in found["data"]]
        return found


def _sound(entry: object) -> dict[str, Any]:
    """The entry, or what the client can read in its place."""
    if not isinstance(entry, Mapping):
        return {}
    return {**entry, "authors": [a for a in entry.get("authors") or () if isinstance(a, Mapping)]}


def _ran(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine of the client returns; our requester never waits in it.

    In a loop, Ctrl-C would only be seen where it waits.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("semanticscholar waits for something else than its requester")


SERVICE = Service(
    "semanticscholar",
    "Semantic Scholar",
    "https://api.semanticscholar.org",
    pages=_pages,
    interval=1.1,
    key_header="x-api-key",
)
