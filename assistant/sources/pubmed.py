"""PubMed: NCBI's E-utilities, asked as Biopython's Entrez asks them.

A search is kept at NCBI (its "history") and fetched page by page as XML. A later run asks for
records that were entered or changed since the day before the last one
(https://www.ncbi.nlm.nih.gov/books/NBK25501/). The records are read as those of a file: Entrez's
own parser fetches each document type that it does not carry from the host that the answer names.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.request import Request

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading.xmlfile import pubmed_record
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, earlier, taken, today
from assistant.sources.http import Http, Malformed

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

__all__ = ["SERVICE"]

_PER_PAGE = 200
_MOST = 9_999
"""Records of one search that NCBI hands out."""
_ENTREZ = threading.Lock()


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    start = int(cursor["start"]) if cursor else 0
    newest = cursor["mark"] if cursor else today().isoformat()
    search = _search(http, query, mark)
    total = int(search["count"])
    if total > _MOST:
        raise SourceError(
            f"PubMed finds {total:,} records for this query, and hands out {_MOST:,} at most.",
            "Narrow it, for example by years: 'AND 2022:2024[dp]', and sync each part.",
        )
    while start < total:
        answer = http.tried(partial(_articles, http, search, start))
        articles = [e for e in answer if e.tag in ("PubmedArticle", "PubmedBookArticle")]
        deleted = [
            i.text or "" for e in answer if e.tag == "DeleteCitation" for i in e.iter("PMID")
        ]
        start += _PER_PAGE
        records, withdrawn = _records(articles, f"pubmed:{query}")
        ended = start >= total
        yield Page(
            records,
            None if ended else {"start": start, "mark": newest},
            newest,
            total,
            withdrawn,
            deleted,
        )
    if not total:
        yield Page([], None, newest, 0)


def _asked(http: Http, utility: str, **parameters: object) -> bytes:
    """The answer of one of the E-utilities."""
    from Bio import Entrez  # noqa: PLC0415

    with _ENTREZ:  # its functions ask at once, through a function of their module
        opener: Callable[..., Any] = Entrez._open
        setattr(Entrez, "_open", lambda request: request)  # noqa: B010  mypy knows its type
        try:
            build: Callable[..., Request] = getattr(Entrez, utility)
            request = build(db="pubmed", tool="abstract-assistant", email="", **parameters)
        finally:
            setattr(Entrez, "_open", opener)  # noqa: B010
    data = request.data
    return http.get(request.full_url, data=data if isinstance(data, bytes) else None).content


def _search(http: Http, query: str, mark: str | None) -> dict[str, Any]:
    since = earlier(mark, 1).replace("-", "/") if mark else None
    changed = {"datetype": "mdat", "mindate": since, "maxdate": "3000"} if since else {}
    wanted = {"usehistory": "y", "retmode": "json", "retmax": 0, **changed}

    def read() -> dict[str, Any]:
        result = json.loads(_asked(http, "esearch", term=query, **wanted))["esearchresult"]
        if error := result.get("ERROR"):
            raise Malformed(f"it says: {error}")
        if not all(name in result for name in ("count", "webenv", "querykey")):
            raise Malformed("it is no result of a search")
        return dict(result)

    return http.tried(read)


def _articles(http: Http, search: dict[str, Any], start: int) -> list[_Element]:
    from lxml import etree  # type: ignore[import-untyped]  # noqa: PLC0415

    answer = _asked(
        http, "efetch", WebEnv=search["webenv"], query_key=search["querykey"], retmode="xml",
        retstart=start, retmax=_PER_PAGE,
    )  # fmt: skip
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(answer, parser)
    except etree.XMLSyntaxError:
        raise Malformed("it is no XML") from None
    if root.tag != "PubmedArticleSet":
        raise Malformed("it holds no records of PubMed")
    return list(root.iterchildren("*"))


def _records(articles: list[_Element], source: str) -> tuple[list[Paper | Rejection], list[str]]:
    records: list[Paper | Rejection] = []
    withdrawn: list[str] = []
    for article in articles:
        kinds = {kind.text for kind in article.iter("PublicationType")}
        paper = _record(article, source)
        if "Retracted Publication" in kinds and isinstance(paper, Paper):
            withdrawn.append(paper.doi or paper.title)
        else:
            records.append(paper)
    return records, withdrawn


def _record(article: _Element, source: str) -> Paper | Rejection:
    record = pubmed_record(article)
    pmid = record["pmid"]
    url = f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid else None
    return taken(record, source, f"PMID {pmid or 'unknown'}", url=url)


SERVICE = Service(
    "pubmed",
    "PubMed",
    "https://eutils.ncbi.nlm.nih.gov/entrez/eutils",
    pages=_pages,
    interval=0.34,
    key_parameter="api_key",
    email_parameter="email",
)
