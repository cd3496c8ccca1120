"""XML of services and reference managers, one record in memory at a time.

Atom and RSS feeds (arXiv), PubMed, EndNote, JATS (PMC), DBLP, Europe PMC, OAI-PMH (Dublin Core,
arXiv), MODS, ACL Anthology. A record is known by the name of its element; what an element of
another name holds is let go. Entities are not expanded, nothing is fetched, and depth and size
are bounded by libxml2 and here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from typing import TYPE_CHECKING, Any, TextIO

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading.fields import paper_from
from assistant.reading.streams import one_line
from assistant.results import Rejection

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

__all__ = ["is_html", "is_xml", "pubmed_record", "read_xml"]

_CHUNK = 1 << 16
_LONGEST_RECORD = 1 << 23
_MOST_ELEMENTS = 200_000
_MOST_IDLE = 1_000_000
"""Elements from one record to the next."""

_RECORDS = frozenset(
    "entry item record hit article paper mods mainarticle inproceedings incollection"
    " phdthesis mastersthesis book pubmedarticle pubmedbookarticle result doc work"
    " publication preprint".split()
)
_FEEDS = frozenset({"rss", "feed", "rdf"})
_JUDGED_ENTRIES = 1_000
_ROOTS = frozenset({"entry", "article", "pubmedarticle", "mods"})
"""Elements that may be a whole file's one record."""
_RECORD_MARK = re.compile(
    r"<(?:[a-z0-9]+:)?(?:entry|item|record|hit|article|paper|mods|inproceedings|incollection"
    r"|pubmedarticle|pubmedbookarticle|result|doc|work|publication|preprint)[\s/>]",
    re.IGNORECASE,
)


def is_html(head: str) -> bool:
    """Whether a text begins as a web page."""
    begun = re.sub(r"^(?:\s|<\?xml[^>]*>|<!--.*?-->)+", "", head[:4000], flags=re.DOTALL)
    return re.match(r"<(?:!doctype\s+html|html|head|body)\b", begun, re.IGNORECASE) is not None


def is_xml(head: str) -> bool:
    """Whether a text is XML in which an element has the name of a record."""
    begun = head.lstrip("\ufeff \r\n\t")
    marked = re.match(r"<(?:\?xml|!DOCTYPE|!--|[A-Za-z][\w:.-]*[\s>])", begun) is not None
    return marked and not is_html(head) and _RECORD_MARK.search(begun) is not None


def read_xml(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record.

    Raises:
        SourceError: a feed none of whose first entries has a mark of a paper: news, a blog.
    """
    number = 0
    held: list[Paper | Rejection] = []  # of a feed, until an entry is surely a paper
    sure = False
    try:
        for number, element in enumerate(_records(stream), start=1):
            result = _paper(element, source, f"record {number}")
            sure = sure or _name(element.getroottree().getroot()) not in _FEEDS or _marked(result)
            held.append(result)
            if sure:
                yield from held
                held.clear()
            elif number == _JUDGED_ENTRIES:
                break
    except _BrokenXml as error:
        where = f"record {number + 1}"
        reason = f"not valid XML from here on ({error}); the rest was not read"
        held.append(Rejection(source=source, where=where, reason=reason))
    if any(isinstance(result, Paper) for result in held):
        raise SourceError(
            f"{source} is a feed of news: none of its entries names several authors, a "
            "journal, a DOI or an arXiv id.",
            "Give a feed of papers.",
        )
    yield from held


def _marked(result: Paper | Rejection) -> bool:
    """Whether an entry says what only papers say; a post or a film has one author, too."""
    return isinstance(result, Paper) and bool(
        len(result.authors) > 1 or result.venue or result.doi or result.arxiv_id
    )


class _BrokenXml(ValueError):
    """The file cannot be read any further."""


def _records(stream: TextIO) -> Iterator[_Element]:
    """The elements that are records, whole; each is let go when the next is asked for."""
    from lxml import etree  # type: ignore[import-untyped]  # noqa: PLC0415  only this format needs it

    # libxml2 bounds depth (256), texts (10 MB) and entities by itself, unless told otherwise
    parser = etree.XMLPullParser(
        events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True, encoding="utf-8", recover=False,
    )  # fmt: skip
    held = _OpenRecord()
    first, quiet = True, 0
    while True:
        chunk = stream.read(_CHUNK)
        problem = None
        try:
            if chunk:
                parser.feed(_utf8(chunk, first=first))
            else:
                parser.close()
        except etree.XMLSyntaxError as error:
            problem = one_line(str(error))
        first = False
        quiet += len(chunk)
        for event, element in parser.read_events():
            quiet = 0
            if held.ended_by(event, element):
                yield element
            if held.element is None and event == "end":
                _let_go(element)
        held.size += len(chunk)
        if problem or held.is_too_large or held.idle > _MOST_IDLE or quiet > _LONGEST_RECORD:
            raise _BrokenXml(problem or "it is too large for papers")
        if not chunk:
            return


class _OpenRecord:
    """The record that is being read, if there is one, and how much it is."""

    def __init__(self) -> None:
        self.element: _Element | None = None
        self.size = self._elements = self.idle = 0

    def ended_by(self, event: str, element: _Element) -> bool:
        """Whether the record is whole with this event of the parser."""
        self._elements += 1
        self.idle += 1
        if event == "start":
            if self.element is None and _is_record(element):
                self.element = element
                self.size = self._elements = self.idle = 0
            return False
        if element is not self.element:
            return False
        self.element = None
        return True

    @property
    def is_too_large(self) -> bool:
        """Whether it is more than any paper."""
        return self.element is not None and (
            self.size > _LONGEST_RECORD or self._elements > _MOST_ELEMENTS
        )


def _utf8(chunk: str, *, first: bool) -> bytes:
    """The text as the bytes that the parser is told to expect, without what declares others."""
    if first:
        chunk = re.sub(r"^[\ufeff\s]*<\?xml[^>]*\?>", "", chunk.lstrip("\ufeff \r\n\t"), count=1)
    return chunk.encode("utf-8", "replace")


def _let_go(element: _Element) -> None:
    """Frees an element that has been read, and those before it."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _name(element: _Element) -> str:
    """The local name, in small letters; empty for comments and entities."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _is_record(element: _Element) -> bool:
    name = _name(element)
    if element.getparent() is None:
        return name in _ROOTS
    return name in _RECORDS


def _paper(element: _Element, source: str, where: str) -> Paper | Rejection:
    name = _name(element)
    if name in ("pubmedarticle", "pubmedbookarticle"):
        record = pubmed_record(element)
    elif element.find(".//{*}article-meta") is not None:
        record = _jats(element)
    elif name == "record" and element.find("{*}ref-type") is not None:
        record = _endnote(element)
    elif name == "mods":
        record = _mods(element)
    else:
        record = _any(element)
    return paper_from(record, source=source, where=where, turned=name != "entry")


# ------------------------------------------------------------------------------ text of elements


def _text(element: _Element | None) -> str:
    """All text in an element, without its tags; sub- and superscripts and formulas keep theirs."""
    if element is None:
        return ""
    return " ".join("".join(_pieces(element)).split())


_KEPT = ("sub", "sup", "math", "tex-math")


def _pieces(element: _Element, *, inside: bool = False) -> Iterator[str]:
    """The text with the tags that `assistant.reading.markup` makes something of."""
    if element.text:
        yield _escaped(element.text)
    for child in element:
        name = _name(child)
        if not name:
            yield _entity(child)
        elif inside or name in _KEPT:
            yield f"<{name}>"
            yield from _pieces(child, inside=inside or name == "math")
            yield f"</{name}>"
        elif name in _APART:
            yield " "
            yield from _pieces(child)
            yield " "
        else:
            yield from _pieces(child)
        if child.tail:
            yield _escaped(child.tail)


_APART = ("p", "title", "sec", "label", "list-item", "br", "abstracttext")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;") if "<" in text and "/" in text else text


def _entity(node: _Element) -> str:
    """A character that the file's own DTD names: ``&uuml;`` in DBLP."""
    return html5.get(f"{getattr(node, 'name', '')};", "")


def _found(element: _Element, *paths: str) -> str:
    """The text of the first path that holds some."""
    for path in paths:
        for match in element.iterfind(path):
            if text := _text(match):
                return text
    return ""


def _all(element: _Element, path: str) -> list[str]:
    return [text for match in element.iterfind(path) if (text := _text(match))]


# -------------------------------------------------------------------------------------- records


def pubmed_record(element: _Element) -> dict[str, Any]:
    """PubMed's article or book, under names that `paper_from` knows."""
    parts = element.findall(".//{*}Abstract/{*}AbstractText")
    abstract = [{"label": part.get("Label") or "", "text": _text(part)} for part in parts]
    people: list[Any] = []
    for person in element.iterfind(".//{*}AuthorList/{*}Author"):
        if person.get("ValidYN") == "N":  # the name as it was misspelt
            continue
        family = _found(person, "{*}LastName")
        given = _found(person, "{*}ForeName", "{*}FirstName", "{*}Initials")
        group = _found(person, "{*}CollectiveName")
        people.append(
            {"family": family, "given": given, "suffix": _found(person, "{*}Suffix")}
            if family
            else {"literal": group}
        )
    ids = {
        (found.get("IdType") or found.get("EIdType") or ""): _text(found)
        for path in (
            ".//{*}PubmedData/{*}ArticleIdList/{*}ArticleId",
            ".//{*}ELocationID",
            ".//{*}PubmedBookData/{*}ArticleIdList/{*}ArticleId",
        )
        for found in element.iterfind(path)
    }
    return {
        "title": _found(element, ".//{*}ArticleTitle", ".//{*}BookTitle", ".//{*}VernacularTitle"),
        "abstract": abstract,
        "authors": people,
        "year": _found(
            element, ".//{*}JournalIssue/{*}PubDate", ".//{*}ArticleDate", ".//{*}PubDate",
            ".//{*}DateCompleted",
        ),
        "journal": _found(element, ".//{*}Journal/{*}Title", ".//{*}MedlineTA"),
        "doi": ids.get("doi", ""),
        "pmid": _found(element, ".//{*}PMID"),
        "keywords": _all(element, ".//{*}KeywordList/{*}Keyword"),
    }  # fmt: skip


def _jats(element: _Element) -> dict[str, Any]:
    people = []
    for person in element.iterfind(".//{*}article-meta/{*}contrib-group/{*}contrib"):
        if (person.get("contrib-type") or "author") != "author":
            continue
        family = _found(person, ".//{*}surname")
        whole = _found(person, ".//{*}collab", ".//{*}string-name")
        given = _found(person, ".//{*}given-names")
        people.append({"family": family, "given": given} if family else {"literal": whole})
    abstracts = [
        found
        for found in element.iterfind(".//{*}article-meta/{*}abstract")
        if not found.get("abstract-type")
    ]
    ids = element.iterfind(".//{*}article-meta/{*}article-id")
    named = {found.get("pub-id-type") or "": _text(found) for found in ids}
    return {
        "title": _found(element, ".//{*}article-meta/{*}title-group/{*}article-title"),
        "abstract": _sections(abstracts[0]) if abstracts else "",
        "authors": people,
        "year": _found(element, ".//{*}article-meta/{*}pub-date/{*}year"),
        "journal": _found(element, ".//{*}journal-meta//{*}journal-title"),
        "doi": named.get("doi", ""),
        "id": named.get("pmid") or named.get("pmc") or named.get("pmcid") or "",
        "keywords": _all(element, ".//{*}kwd-group/{*}kwd"),
    }


def _sections(abstract: _Element) -> list[Any]:
    """The sections of a JATS abstract with their headings."""
    parts: list[Any] = []
    for child in abstract:
        if _name(child) == "sec":
            texts = [_text(part) for part in child if _name(part) not in ("title", "label")]
            parts.append({"label": _found(child, "{*}title"), "text": " ".join(texts)})
        elif _name(child) not in ("title", "label"):
            parts.append(_text(child))
    return parts or [_text(abstract)]


def _endnote(element: _Element) -> dict[str, Any]:
    return {
        "title": _found(element, ".//{*}titles/{*}title"),
        "abstract": _found(element, "{*}abstract"),
        "authors": _all(element, "{*}contributors/{*}authors/{*}author"),
        "year": _found(element, ".//{*}dates/{*}year", ".//{*}dates//{*}date"),
        "journal": _found(
            element, ".//{*}titles/{*}secondary-title", ".//{*}periodical/{*}full-title",
            ".//{*}titles/{*}alt-title",
        ),
        "doi": _found(element, "{*}electronic-resource-num"),
        "url": _all(element, ".//{*}urls//{*}url"),
        "id": _found(element, "{*}accession-num", "{*}rec-number"),
        "keywords": _all(element, "{*}keywords/{*}keyword"),
    }  # fmt: skip


def _mods(element: _Element) -> dict[str, Any]:
    people = []
    for person in element.iterfind("{*}name"):
        roles = [role.casefold() for role in _all(person, ".//{*}roleTerm")]
        if roles and not {"author", "aut", "creator", "cre"} & set(roles):
            continue
        parts = {part.get("type") or "": _text(part) for part in person.iterfind("{*}namePart")}
        named = {"family": parts.get("family", ""), "given": parts.get("given", "")}
        people.append(named if named["family"] else {"literal": parts.get("", "")})
    return {
        "title": ": ".join(
            filter(None, (_found(element, "{*}titleInfo/{*}title"),
                          _found(element, "{*}titleInfo/{*}subTitle")))
        ),
        "abstract": _found(element, "{*}abstract"),
        "authors": people,
        "year": _found(element, ".//{*}dateIssued", ".//{*}copyrightDate", ".//{*}date"),
        "journal": _found(element, "{*}relatedItem/{*}titleInfo/{*}title"),
        "identifiers": _all(element, "{*}identifier"),
        "url": _all(element, "{*}location/{*}url"),
        "id": element.get("ID") or "",
        "keywords": _all(element, "{*}subject/{*}topic"),
    }  # fmt: skip


def _any(element: _Element) -> dict[str, Any]:
    """Any other record: what its elements are called says what they hold."""
    record: dict[str, Any] = {}
    people: list[Any] = []
    links: list[str] = []
    terms: list[str] = []
    identifiers: list[str] = []
    for child in element.iter():
        name = _name(child)
        if name in ("author", "creator", "dc:creator", "contributor") and child is not element:
            people += _person(child) if name != "contributor" else []
        elif name == "link":
            links += [child.get("href") or _text(child)]
        elif name in ("category", "subject", "keyword"):
            terms.append(child.get("term") or _text(child))
        elif name == "identifier":
            identifiers.append(_text(child))
        elif name in _GENERIC and name not in record and (text := _text(child)):
            record[name] = text
    if abstract := re.search(r"\bAbstract:\s(.*)", record.get("description", ""), re.DOTALL):
        record["description"] = abstract[1]  # arXiv's RSS: "arXiv:… Announce Type: … Abstract: …"
        links.append(_found(element, "{*}description"))
    key = element.get("key") or element.get("id")
    return {
        **({"journal": origin} if (origin := record.pop("source", "")) else {}),
        **record,
        "authors": people,
        "link": [*links, *(i for i in identifiers if "://" in i)],
        "identifiers": identifiers,
        "keywords": [term for term in terms if term],
        **({"key": key} if key and "id" not in record else {}),
    }


_GENERIC = frozenset(
    "title abstract abstracttext summary description content year published pubdate date issued"
    " updated journal journal_ref journaltitle venue booktitle source publicationname doi id"
    " pmid ee url pubyear arxivid articletitle publicationtitle authorstring".split()
)


def _person(element: _Element) -> list[Any]:
    """One author: a name, or its parts; a list of authors is met again as its elements."""
    family = _found(element, "{*}keyname", "{*}last", "{*}lastname", "{*}surname", "{*}family")
    if family:
        given = _found(element, "{*}forenames", "{*}first", "{*}firstname", "{*}given")
        return [{"family": family, "given": given}]
    name = _found(element, "{*}name") or _text(element)
    return [name] if name else []
