"""PubMed: NCBI's E-utilities (https://www.ncbi.nlm.nih.gov/books/NBK25501/).

A search is kept at NCBI (its "history") and fetched page by page as XML. A later run asks for
records that were entered or changed since the day before the last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, earlier, made, today
from assistant.sources.http import Http, Malformed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["SERVICE"]

_PER_PAGE = 200
_MOST = 9_999
"""Records of one search that NCBI hands out."""


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
        asked = {
            "db": "pubmed",
            "WebEnv": search["webenv"],
            "query_key": search["querykey"],
            "retmode": "xml",
            "retstart": start,
            "retmax": _PER_PAGE,
            "tool": "abstract-assistant",
        }
        answer = http.ask("/efetch.fcgi", asked, _articles)
        articles = [e for e in answer if e.tag in ("PubmedArticle", "PubmedBookArticle")]
        deleted = [_text(i) for e in answer if e.tag == "DeleteCitation" for i in e.iter("PMID")]
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


def _search(http: Http, query: str, mark: str | None) -> dict[str, Any]:
    since = earlier(mark, 1).replace("-", "/") if mark else None
    asked = {
        "db": "pubmed",
        "term": query,
        "usehistory": "y",
        "retmode": "json",
        "retmax": 0,
        "datetype": "mdat" if since else None,
        "mindate": since,
        "maxdate": "3000" if since else None,
        "tool": "abstract-assistant",
    }

    def read(response: httpx.Response) -> dict[str, Any]:
        try:
            result = response.json()["esearchresult"]
        except (ValueError, KeyError, TypeError):
            raise Malformed("it is no result of a search") from None
        if error := result.get("ERROR"):
            raise Malformed(f"it says: {error}")
        if not all(name in result for name in ("count", "webenv", "querykey")):
            raise Malformed("it is no result of a search")
        return dict(result)

    return http.ask("/esearch.fcgi", asked, read)


def _articles(response: httpx.Response) -> list[Element]:
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root: Element = fromstring(response.content)
    except (ParseError, DefusedXmlException, ValueError):
        raise Malformed("it is no XML") from None
    if root.tag != "PubmedArticleSet":
        raise Malformed("it holds no records of PubMed")
    return list(root)


def _records(articles: list[Element], source: str) -> tuple[list[Paper | Rejection], list[str]]:
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


def _record(article: Element, source: str) -> Paper | Rejection:
    pmid = _text(article.find(".//PMID"))
    doi = article.find("./PubmedData/ArticleIdList/ArticleId[@IdType='doi']")
    if doi is None:
        doi = article.find(".//ELocationID[@EIdType='doi']")
    date = article.find(".//JournalIssue/PubDate")
    if date is None:
        date = article.find(".//Book/PubDate")
    year = _text(date) if date is not None else _text(article.find(".//ArticleDate/Year"))
    return made(
        source,
        f"PMID {pmid or 'unknown'}",
        title=_text(article.find(".//ArticleTitle")).strip("[]"),
        abstract=_abstract(article),
        authors=list(_authors(article)),
        year=year,
        venue=_text(article.find(".//Journal/Title")) or _text(article.find(".//Book/BookTitle")),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid else None,
        doi=_text(doi),
        source_id=pmid,
        tags=[_text(word) for word in article.iter("Keyword")],
    )


def _abstract(article: Element) -> str:
    parts = []
    for part in article.findall(".//Abstract/AbstractText"):
        label, text = part.get("Label"), _text(part)
        if text:
            parts.append(f"{label}: {text}" if label and label != "UNLABELLED" else text)
    return " ".join(parts)


def _authors(article: Element) -> Iterator[str]:
    for author in article.findall(".//AuthorList/Author"):
        if author.get("ValidYN") == "N":
            continue
        given = _text(author.find("ForeName")) or _text(author.find("Initials"))
        family = _text(author.find("LastName"))
        name = f"{given} {family}".strip() or _text(author.find("CollectiveName"))
        if name:
            yield name


def _text(element: Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


SERVICE = Service(
    "pubmed",
    "PubMed",
    "https://eutils.ncbi.nlm.nih.gov/entrez/eutils",
    pages=_pages,
    interval=0.34,
    key_parameter="api_key",
    email_parameter="email",
)
