"""arXiv: its query API, which answers in Atom (https://info.arxiv.org/help/api/user-manual.html).

The newest come first, by the date of their last change; a later run reads until it meets what
the run before had seen. What arrives in between moves the rest back by its number: a page may
then repeat some records, and none is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx

from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, made
from assistant.sources.http import Http, Malformed

__all__ = ["SERVICE"]

_PER_PAGE = 200
_MOST = 30_000
"""Papers of one query that arXiv hands out."""
_IDS = re.compile(
    r"(?:(?:arxiv:)?(?:[a-z-]+(?:\.[a-z]{2})?/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?(?:\s*,\s*|\s+|$))+",
    re.IGNORECASE,
)
_CATEGORY = re.compile(r"[a-z-]{2,}\.[a-z]{2,}(?:-[a-z]+)?|[a-z]+-[a-z]{2,3}", re.IGNORECASE)
_FIELD = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all|submittedDate):")
_WITHDRAWN = re.compile(
    r"\b(?:paper|article|submission|manuscript|work|preprint) (?:has been|is|was|being) withdrawn"
    r"|\bwithdrawn by (?:the )?(?:author|arxiv|admin)|^\W*withdrawn\b",
    re.IGNORECASE,
)


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    source = f"arxiv:{query}"
    listed = re.split(r"[,\s]+", query.strip(" ,")) if _IDS.fullmatch(query) else None
    start, newest = 0, mark or ""
    if cursor:
        start, newest = int(cursor["start"]), str(cursor["mark"])
    while True:
        if listed is not None:
            asked: dict[str, Any] = {
                "id_list": ",".join(listed[start : start + _PER_PAGE]),
                "max_results": _PER_PAGE,
            }
        else:
            asked = {
                "search_query": searched(query),
                "start": start,
                "max_results": _PER_PAGE,
                "sortBy": "lastUpdatedDate",
                "sortOrder": "descending",
            }
        feed = http.ask("/query", asked, partial(_feed, start=start, listed=listed))
        entries = feed.entries
        newest = max([newest, *(str(e.get("updated", "")) for e in entries)])
        fresh = [e for e in entries if listed or not mark or str(e.get("updated", "")) > mark]
        total = len(listed) if listed else int(feed.feed.get("opensearch_totalresults", 0))
        start += _PER_PAGE if listed else len(entries)
        # by date, nothing new follows what is not new
        ended = start >= min(total, _MOST) or not entries or len(fresh) < len(entries)
        if not listed and start >= _MOST and total > start:
            http.notify(f"arXiv hands out the newest {_MOST:,} papers of a query, of {total:,}.")
        records, withdrawn = _records(fresh, source)
        yield Page(
            records,
            None if ended else {"start": start, "mark": newest},
            newest,
            total if listed or not mark else None,
            withdrawn,
        )
        if ended:
            return


def searched(query: str) -> str:
    """``query`` in arXiv's language: a category, its own fields as they are, or all words."""
    if _CATEGORY.fullmatch(query):
        return f"cat:{query}"
    if _FIELD.search(query):
        return query
    terms = re.findall(r'"[^"]+"|\S+', query)
    return " AND ".join(f"all:{term}" for term in terms)


def _feed(response: httpx.Response, start: int, listed: list[str] | None) -> Any:
    import feedparser  # noqa: PLC0415

    feed = feedparser.parse(response.content, sanitize_html=False, resolve_relative_uris=False)
    if "opensearch_totalresults" not in feed.feed:
        raise Malformed("it is no Atom feed of arXiv")
    first = feed.entries[0] if feed.entries else {}
    if "/api/errors" in str(first.get("id", "")):
        raise Malformed(f"it says: {first.get('summary', 'error')}")
    if not feed.entries and not listed and start < int(feed.feed.opensearch_totalresults or 0):
        raise Malformed("a page that should hold papers is empty")  # arXiv does that at times
    return feed


def _records(
    entries: list[dict[str, Any]], source: str
) -> tuple[list[Paper | Rejection], list[str]]:
    records: list[Paper | Rejection] = []
    withdrawn: list[str] = []
    for entry in entries:
        found = re.search(r"abs/(.+?)(?:v\d+)?$", str(entry.get("id", "")))
        paper_id = found[1] if found else None
        summary, comment = str(entry.get("summary", "")), str(entry.get("arxiv_comment", ""))
        if paper_id and (_WITHDRAWN.search(comment) or _WITHDRAWN.search(summary)):
            withdrawn.append(paper_id)
            continue
        records.append(
            made(
                source,
                f"entry {paper_id or entry.get('title', '')}",
                title=entry.get("title"),
                abstract=summary,
                authors=[a["name"] for a in entry.get("authors", []) if a.get("name")],
                year=str(entry.get("published", ""))[:4],
                venue=entry.get("arxiv_journal_ref"),
                url=f"https://arxiv.org/abs/{paper_id}" if paper_id else None,
                doi=entry.get("arxiv_doi"),
                arxiv_id=paper_id,
                source_id=paper_id,
                tags=[tag["term"] for tag in entry.get("tags", []) if tag.get("term")],
            )
        )
    return records, withdrawn


SERVICE = Service("arxiv", "arXiv", "https://export.arxiv.org/api", pages=_pages, interval=3.0)
