"""arXiv: its query API, through the package arxiv (https://info.arxiv.org/help/api).

The newest come first, by the date of their last change; a later run reads until it meets what
the run before had seen. What arrives in between moves the rest back by its number: a page may
then repeat some records, and none is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import httpx

from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, taken
from assistant.sources.http import Http, Malformed

if TYPE_CHECKING:
    from arxiv import Result, Search

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
_ERROR = re.compile(r"<id>[^<]*/api/errors.*?<summary[^>]*>\s*([^<]*)", re.DOTALL)


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    import arxiv  # noqa: PLC0415

    source = f"arxiv:{query}"
    listed = re.split(r"[,\s]+", query.strip(" ,")) if _IDS.fullmatch(query) else None
    start, newest = 0, mark or ""
    if cursor:
        start, newest = int(cursor["start"]), str(cursor["mark"])
    client = _Client(http)
    while True:
        if listed is not None:
            search = arxiv.Search(id_list=listed[start : start + _PER_PAGE])
        else:
            search = arxiv.Search(searched(query), sort_by=arxiv.SortCriterion.LastUpdatedDate)
        results = http.tried(partial(client.page, search, 0 if listed else start))
        newest = max([newest, *map(_updated, results)])
        fresh = [r for r in results if listed or not mark or _updated(r) > mark]
        total = len(listed) if listed else client.total
        start += _PER_PAGE if listed else client.entries
        # by date, nothing new follows what is not new
        ended = start >= min(total, _MOST) or not client.entries or len(fresh) < len(results)
        if not listed and start >= _MOST and total > start:
            http.notify(f"arXiv hands out the newest {_MOST:,} papers of a query, of {total:,}.")
        withdrawn = [_id(r) for r in fresh if _is_withdrawn(r)]
        records = [_record(r, source) for r in fresh if not _is_withdrawn(r)]
        for _ in range(client.entries - len(results)):
            reason = "no id, or no date"
            records.append(Rejection(source=source, where="an entry", reason=reason))
        yield Page(
            records,
            None if ended else {"start": start, "mark": newest},
            newest,
            total if listed or not mark else None,
            withdrawn,
        )
        if ended:
            return


class _Client:
    """arXiv's client, page by page; it takes what is no feed, or half of one, for an empty one.

    ``total`` papers answer the search, ``entries`` stand on the last page, read or not.
    """

    def __init__(self, http: Http) -> None:
        import arxiv  # noqa: PLC0415

        self._http = http
        self._client = arxiv.Client(page_size=_PER_PAGE, delay_seconds=0, num_retries=0)
        self._client.query_url_format = f"{http.base}/query?{{}}"
        self._client._session = self
        self.total = self.entries = 0

    def page(self, search: Search, start: int) -> list[Result]:
        """The results from ``start`` on.

        Raises:
            Malformed: there ought to be some, and there are none.
        """
        feed = self._client._parse_feed(self._client._format_url(search, start, _PER_PAGE))
        self.total = feed.header.total_results
        if not self.entries and not search.id_list and start < self.total:
            raise Malformed("a page that should hold papers is empty")  # arXiv does that at times
        results: list[Result] = feed.results
        return results

    def get(self, url: str, headers: object = None) -> httpx.Response:
        """What its session has to do.

        Raises:
            Malformed: it is no whole feed, or one that tells of an error.
        """
        del headers
        response = self._http.get(url)
        if error := _ERROR.search(response.text):
            raise Malformed(f"it says: {error[1].strip() or 'error'}")
        if "totalResults>" not in response.text or "</feed>" not in response.text:
            raise Malformed("it is no Atom feed of arXiv")
        self.entries = len(re.findall(r"<entry\b", response.text))
        return response


def searched(query: str) -> str:
    """``query`` in arXiv's language: a category, its own fields as they are, or all words."""
    if _CATEGORY.fullmatch(query):
        return f"cat:{query}"
    if _FIELD.search(query):
        return query
    terms = re.findall(r'"[^"]+"|\S+', query)
    return " AND ".join(f"all:{term}" for term in terms)


def _updated(result: Result) -> str:
    return f"{result.updated:%Y-%m-%dT%H:%M:%SZ}"


def _id(result: Result) -> str:
    return re.sub(r"v\d+$", "", result.get_short_id())


def _is_withdrawn(result: Result) -> bool:
    return bool(_WITHDRAWN.search(result.comment or "") or _WITHDRAWN.search(result.summary))


def _record(result: Result, source: str) -> Paper | Rejection:
    paper_id = _id(result)
    record = {
        "id": paper_id,
        "title": result.title,
        "abstract": result.summary,
        "authors": [author.name for author in result.authors],
        "year": result.published.year,
        "journalref": result.journal_ref,
        "doi": result.doi,
        "arxivid": paper_id,
        "url": f"https://arxiv.org/abs/{paper_id}",
        "tags": result.categories,
    }
    return taken(record, source, f"entry {paper_id}")


SERVICE = Service("arxiv", "arXiv", "https://export.arxiv.org/api", pages=_pages, interval=3.0)
