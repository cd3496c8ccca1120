"""RSS and Atom feeds by address: of a journal, of arXiv's listings, of a search that was saved.

A later run asks only if the feed has changed (by its ETag or date), where its server supports it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, taken
from assistant.sources.http import Http

__all__ = ["SERVICE"]

_ANNOUNCED = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*\S+\s+Abstract:\s*", re.IGNORECASE)
_ARXIV = re.compile(r"arxiv\.org[:/](?:abs/)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})", re.I)
_DOI = re.compile(r"10\.\d{4,9}/[^\s?#\"<>]+")
_DATES = ("prism_publicationdate", "published", "updated")
_INLINE = re.compile(r"</?(?:a|abbr|b|code|em|font|i|small|span|strong|sub|sup|u)\b[^<>]*>", re.I)
_TAG = re.compile(r"</?[a-z][^<>]*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    del cursor  # a feed is one page
    known: dict[str, str] = json.loads(mark) if mark else {}
    conditions = {
        name: value
        for name, value in (
            ("If-None-Match", known.get("etag")),
            ("If-Modified-Since", known.get("modified")),
        )
        if value
    }
    response = http.tried(lambda: http.get("", headers=conditions))
    if response.status_code == httpx.codes.NOT_MODIFIED:
        yield Page([], None, mark or "{}", 0)
        return
    entries = _entries(response, query)
    seen = {
        "etag": response.headers.get("etag", ""),
        "modified": response.headers.get("last-modified", ""),
    }
    records = [_record(entry, query) for entry in entries]
    yield Page(records, None, json.dumps(seen), len(records))


def _entries(response: httpx.Response, address: str) -> list[Any]:
    import feedparser  # noqa: PLC0415

    feed = feedparser.parse(response.content, sanitize_html=False, resolve_relative_uris=False)
    if not feed.version:
        raise SourceError(
            f"What lies at {address} is no RSS or Atom feed.",
            "Give the address of the feed itself; a page of papers can be saved and ingested.",
        )
    return list(feed.entries)


def _record(entry: Any, source: str) -> Paper | Rejection:
    link = str(entry.get("link") or "")
    texts = [part.get("value", "") for part in entry.get("content") or ()]
    text = max([str(entry.get("summary") or ""), *map(str, texts)], key=len)
    names = [a.get("name", "") for a in entry.get("authors") or () if a.get("name")]
    named = " ".join(str(entry.get(k) or "") for k in ("prism_doi", "dc_identifier", "id", "link"))
    doi, arxiv = _DOI.search(named), _ARXIV.search(named)
    record = {
        "id": entry.get("id") or link,
        "title": _without_tags(str(entry.get("title") or "")),
        "abstract": _ANNOUNCED.sub("", _without_tags(text)),
        "authors": _people(names),
        "year": next((str(entry[name]) for name in _DATES if entry.get(name)), None),
        "journal": entry.get("prism_publicationname"),
        "url": link,
        "doi": doi[0] if doi else None,
        "arxivid": arxiv[1] if arxiv else None,
        "tags": [tag["term"] for tag in entry.get("tags", []) if tag.get("term")],
    }
    return taken(record, source, f"entry {link or entry.get('title', '')}")


def _without_tags(text: str) -> str:
    return _TAG.sub(" ", _INLINE.sub("", text))


def _people(names: list[str]) -> list[str]:
    """One entry of a feed often holds all its authors in one name."""
    if len(names) == 1 and names[0].count(",") > 1:
        return [name.strip() for name in names[0].split(",")]
    return names


SERVICE = Service("feed", "The feed", "", pages=_pages)
