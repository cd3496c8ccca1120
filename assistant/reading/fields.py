"""One record of a structured format, whatever its columns are called, as a `Paper`.

Every format hands its records to `paper_from`, so that a name understood in one is understood in
all. Names are compared without case, spaces, hyphens and underscores; what a service wraps a
paper in ("paper", "bibjson", "metadata", "data", {"value": …}) is unwrapped first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from assistant.paper import Form, Paper
from assistant.reading import identifiers
from assistant.reading.abstracts import (
    clean_abstract,
    clean_text,
    flattened,
    is_placeholder,
)
from assistant.reading.people import glued, people
from assistant.results import Rejection

__all__ = [
    "MAX_TEXT",
    "field_of",
    "from_inverted",
    "is_title_alone",
    "knows",
    "normal_key",
    "paper_from",
    "paper_of_object",
    "unwrapped",
]

MAX_TEXT = 500_000
"""Characters of a title or an abstract that are looked at; what is longer is a full text."""

# Names that titles, abstracts, … go by, normalised, the most specific first: arXiv, Semantic
# Scholar, OpenAlex, Crossref, BEIR, Scopus, Web of Science, PubMed, Europe PMC, IEEE Xplore,
# Springer, Dimensions, Zotero, HAL, INSPIRE, ADS, DOAJ, Zenodo, OpenReview.
_WRITTEN = {
    "title": "title titles articletitle documenttitle papertitle itemtitle publicationtitlemain"
    " displayname primarytitle titleprimary headline titledisplay titlefull entitle name",
    "abstract": "abstract abstracts abstracttext abstractnote paperabstract abstractdisplay"
    " notesabstract enabstract summary description text contents content body",
    "authors": "authorsparsed authorfullnames authors author authorships authornames authorstring"
    " authfullname authorlist creators creator dccreator authorsraw authorsprimary"
    " firstauthors authordisplay"
    " bookauthors groupauthors contributors authorshipsauthordisplayname"
    " authorshipsrawauthorname authorslist authorsfullname",
    "year": "year publicationyear publishedyear pubyear yearofpublication publicationdatey"
    " produceddatey publishtime"
    " coverdate published publicationdate publisheddate firstpublicationdate publishedat issued"
    " pubdate date datepublished earliestdate versions created updatedate dateofpublication yr"
    " journalinfo"
    " publicationinfo imprint pdate cdate",
    "venue": "journal journalref venue booktitle containertitle sourcetitle publicationtitle"
    " journalname journaltitle fulljournalname journalbook publicationname journaltitlestr pub"
    " periodicalfull secondarytitle alternatetitle3 primarylocationsourcedisplayname"
    " pubtitle anthologytitle conference conferencename publicationvenue primarylocation"
    " hostvenue journalinfo"
    " publicationinfo bookseriestitle publication conferencetitle",
    "url": "url link primarylocationlandingpageurl sourceurl paperurl absurl htmlurl"
    " landingpageurl bestoalocation primarylocation uri"
    " dimensionsurl links linkouts pdfurl pdflink pdf urls externalurl howpublished articleurl"
    " sourceurls documenturl plink",
    "doi": "doi digitalobjectidentifier itemdoi doiid dois prismdoi bookdoi doilink",
    "arxiv_id": "arxivid arxiv eprint arxivnumber arxiveprints",
    "source_id": "id paperid docid docno pmid pubmedid corpusid corduid uid key accessionnumber"
    " uniqueid ut utuniquewosid eid lensid halid bibcode",
    "tags": "authorkeywords keywords keyword keywordlist manualtags tags tag subjects"
    " subjectterms categories",
}
_NAMES = {field: tuple(names.split()) for field, names in _WRITTEN.items()}
_FIELD_OF = {name: field for field, names in reversed(_NAMES.items()) for name in reversed(names)}
_LOOSE = frozenset("name summary description text contents content body".split())
"""Names that say title or abstract only beside others that a paper has."""
_TITLES = frozenset(_NAMES["title"]) - _LOOSE
_SHORT = frozenset({"text", "summary"})
"""Those of them that stand for an abstract beside a title or an id."""
_PAPER_IDS = frozenset("paperid pmid pubmedid corpusid corduid halid bibcode".split())
_TEXTS = (frozenset([*_NAMES["abstract"], "abstractinvertedindex"]) - _LOOSE) | _TITLES

_FORM_NAMES = "entrytype form itemtype documenttype publicationtype genre type".split()
_FORMS: dict[Form, tuple[str, ...]] = {
    "conference": ("proceedings", "conference", "cpaper", "conf"),
    "preprint": ("preprint", "postedcontent", "unpublished", "unpb"),
    "thesis": ("thesis", "dissertation", "thes"),
    "chapter": ("chapter", "inbook", "incollection", "chap"),
    "book": ("book",),
    "report": ("report", "rprt"),
    "article": ("article", "jour"),
}
"""Form → what stands in the names that services have for it; the first that fits."""

_INNER = (
    "paper citingpaper citedpaper bibjson metadata data content attributes source document record"
    " work article publication item fields info preprint message doc".split()
)
"""What services put a paper under."""
_FULL_TEXTS = ("content", "body")
"""Where S2ORC has the whole paper, with the places of its title and abstract."""
_IDENTIFYING = "externalids ids identifier identifiers articleids persistentids".split()
_SOLR = re.compile(r"_(?:s|i|t|ss|txt|tdate|sm|str)$")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DOCUMENT = re.compile(r"\s*<(?:\?xml\s[^>]*\?>\s*<|!DOCTYPE\s+\w)")
_VOLUME_OF_SOURCE = re.compile(r"(.{2,200}?)\s*\(((?:19|20)\d\d)\)")
_DEEPEST = 8


def normal_key(name: object) -> str:
    """``Journal-Ref``, ``journal_ref`` and ``journal ref`` are the same name."""
    return _normal_key(str(name)[:200])


@lru_cache(maxsize=4096)  # the same few names come with every record
def _normal_key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", _SOLR.sub("", name).lower())


def field_of(name: object) -> str | None:
    """Which field of a paper a column of this name holds; None for any other column."""
    return _FIELD_OF.get(normal_key(name))


def knows(names: Iterable[object]) -> bool:
    """Whether the names are those of a record that has a title or an abstract."""
    keys = {normal_key(name) for name in names}
    if keys & _TEXTS:
        return True
    companions = {_FIELD_OF.get(key) for key in keys}
    telling = bool(companions & {"authors", "doi", "arxiv_id"})
    # a question of a test collection has an id and a text, too
    return bool(keys & _LOOSE and (telling or ("text" in keys and keys & _PAPER_IDS)))


def is_title_alone(names: Iterable[object]) -> bool:
    """Whether titles stand among other things, none of which a paper has: films, goods, tasks."""
    return {field_of(name) for name in names if normal_key(name) != "kind"} == {"title", None}


def paper_from(
    record: object,
    *,
    source: str,
    where: str,
    bibtex: bool = False,
    turned: bool = False,
) -> Paper | Rejection:
    """The record as a paper, or the reason why it is none.

    Args:
        record: a mapping of names to values; anything else is rejected.
        source: what it was read from, as the person named it.
        where: its place there: "line 12", "entry 5".
        bibtex: values follow BibTeX: braces mean nothing, names are "Last, First".
        turned: names of authors are "Family, Given".
    """
    if not isinstance(record, Mapping):
        reason = f"not an object with a title and an abstract, but {_kind_of(record)}"
        return Rejection(source=source, where=where, reason=reason)
    try:
        return _paper(unwrapped(record), source, bibtex=bibtex, turned=turned)
    except _TooLong as error:
        return Rejection(source=source, where=where, reason=str(error))
    except (ValueError, RecursionError):
        reason = "neither a title nor an abstract"
        if not knows(record):
            shown = (name for name in map(str, record) if name not in ("entrytype", "type"))
            names = _whole_characters(", ".join(shown))
            reason += f" (its fields: {_shortened(names or 'none')})"
        return Rejection(source=source, where=where, reason=reason)


def paper_of_object(record: object, *, source: str, where: str) -> Paper | Rejection:
    """`paper_from` for an object of JSON, which may be anything: it has to tell of a paper.

    A name and a description make no paper: manifests, schemas and lists of examples have them.
    """
    paper = paper_from(record, source=source, where=where)
    if isinstance(paper, Rejection) or paper.doi or paper.arxiv_id or paper.year or paper.venue:
        return paper
    if not isinstance(record, Mapping):  # pragma: no cover - `paper_from` has rejected it
        return paper
    keys = {*unwrapped(record), *map(normal_key, record)}  # also of what is null
    titled = bool(paper.title and keys & _TITLES)
    if keys & (_TEXTS - _TITLES) or (titled and keys & set(_NAMES["authors"])):
        return paper
    others = None in map(field_of, keys - {"kind"})  # as the index of a web site has them
    if paper.abstract and keys & _SHORT and (paper.source_id or (titled and not others)):
        return paper
    described = bool(keys & (_LOOSE - _SHORT)) or any(str(key)[:1] == "$" for key in record)
    # titles alone may be a list of papers
    if titled and not described and not is_title_alone(keys - _LOOSE):
        return paper
    reason = "nothing in it that only papers have: an abstract, authors, a year, a DOI"
    return Rejection(source=source, where=where, reason=reason)


class _TooLong(ValueError):
    """A title or an abstract that is none."""


def unwrapped(record: Mapping[Any, Any]) -> dict[str, Any]:
    """The record under normal names, with what its service wraps it in laid open."""
    values = _named(record)
    for inner in _INNER:
        if inner not in values:
            continue
        held = values[inner]
        if isinstance(held, Mapping) and (knows(held) or (inner == "message" and len(values) < 6)):
            values = {**{k: v for k, v in values.items() if k != inner}, **unwrapped(held)}
    for inner in _FULL_TEXTS:
        if isinstance(values.get(inner), Mapping) and "annotations" in values[inner]:
            values = {**_cut_out(values.pop(inner)), **values}
    for nest in _IDENTIFYING:
        if isinstance(values.get(nest), Mapping):
            for name, value in _named(values[nest]).items():
                values.setdefault(name, value)
    return values


def _cut_out(full: Mapping[Any, Any]) -> dict[str, str]:
    """Title and abstract of a full text in S2ORC's form: a text and the places in it."""
    text, places = full.get("text"), full.get("annotations")
    found: dict[str, str] = {}
    if not isinstance(text, str) or not isinstance(places, Mapping):
        return found
    for name in ("title", "abstract"):
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            written = places.get(name) or "[]"
            spans = json.loads(written) if isinstance(written, str) else written
            pieces = [text[int(span["start"]) : int(span["end"])] for span in spans[:50]]
            found[name] = " ".join(pieces)
    return found


def _named(record: Mapping[Any, Any]) -> dict[str, Any]:
    """Normal names; the first of two alike that says something wins."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if value is None or value != value:  # noqa: PLR0124  NaN is how tables say nothing
            continue
        if values.get(key := normal_key(name)) in (None, "", [], {}):
            values[key] = _opened(value)
    return values


def _opened(value: Any) -> Any:
    """OpenReview's and INSPIRE's ``{"value": X}`` is X."""
    if isinstance(value, Mapping) and "value" in value and len(value) <= 3:
        return value["value"]
    return value


def _paper(values: dict[str, Any], source: str, *, bibtex: bool, turned: bool) -> Paper:
    if not knows(values):
        raise ValueError("no name that only papers have")
    raw = {"title": _title(values), "abstract": _abstract(values)}
    if (longest := max(map(len, raw.values()))) > MAX_TEXT:
        raise _TooLong(f"{longest:,} characters are no title or abstract; this is a full text")
    clean = {
        "title": clean_text(raw["title"], bibtex=bibtex),
        "abstract": clean_abstract(raw["abstract"], bibtex=bibtex),
    }
    if any(map(_DOCUMENT.match, raw.values())):
        raise ValueError("a document inside a record")
    changed = {name: text for name, text in raw.items() if _differ(text, clean[name])}
    doi, arxiv, url = _identities(values)
    venue = clean_text(_venue(values), bibtex=bibtex)
    paper = Paper(
        title=clean["title"],
        abstract=clean["abstract"],
        authors=tuple(_authors(values, bibtex=bibtex, turned=turned)),
        year=_year(values),
        venue=None if is_placeholder(venue) else venue,
        url=url,
        doi=doi,
        arxiv_id=arxiv,
        source=source,
        source_id=next(iter(_texts_of(values, "source_id")), None),
        form=_form(values),
        kind="digest" if values.get("kind") == "digest" else "abstract",
        tags=tuple(_tags(values, bibtex=bibtex)),
        original=changed,
    )
    # what would be taken for granted is not written down: an export may have supposed it
    return paper if paper.form != paper.implied_form else paper.model_copy(update={"form": None})


def _form(values: Mapping[str, Any]) -> Form | None:
    """What a record calls itself, in BibTeX, RIS, CSL, Crossref, OpenAlex or Zotero."""
    named = (text for name in _FORM_NAMES for text in _texts(values.get(name)))
    for text in named:
        key = normal_key(text)
        for form, words in _FORMS.items():
            if any(word in key for word in words):
                return form
    return None


def _differ(text: str, cleaned: str) -> bool:
    """Whether cleaning changed more than white space."""
    return text is not cleaned and text.split() != cleaned.split()


def _whole_characters(text: str) -> str:
    """Halves of characters (JSON can write them, no file can hold them) become U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _texts(value: object, telling: Sequence[str] = (), depth: int = 0) -> Iterator[str]:
    """All texts in a value: itself, those of a list, the telling one of an object."""
    if isinstance(value, str):
        if text := _whole_characters(value).strip():
            yield text
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif depth < _DEEPEST and isinstance(value, list):
        for part in value[:1000]:
            yield from _texts(part, telling, depth + 1)
    elif depth < _DEEPEST and isinstance(value, Mapping):
        named = _named(value)
        for name in telling or _TELLING:
            if name in named:
                yield from _texts(named[name], telling, depth + 1)
                return


_TELLING = (
    "value displayname fulltitle title journaltitle journal name source landingpageurl url href"
    " content id term tag text".split()
)
_LINKING = "landingpageurl url href uri link content value id pdfurl".split()


def _texts_of(values: Mapping[str, Any], field: str) -> Iterator[str]:
    """The texts under the names of a field, in the order of the names."""
    for name in _NAMES[field]:
        if name in values:
            yield from _texts(values[name], _LINKING if field == "url" else ())


def _title(values: Mapping[str, Any]) -> str:
    """The first; Crossref lists the title in several languages: the first is the paper's."""
    for text in _texts_of(values, "title"):
        if not (len(text) < 60 and is_placeholder(text) and text.casefold() not in _TITLE_WORDS):
            return text
    return ""


_TITLE_WORDS = ("abstract", "summary", "none", "null")


def _abstract(values: Mapping[str, Any]) -> str:
    """The first that says something, in one text; its parts follow one another."""
    named = any(key in values for key in _TITLES) or knows(values)
    for name in _NAMES["abstract"]:
        if name not in values or (name in _LOOSE and not named):
            continue
        value = values[name]
        if name == "abstracts" and isinstance(value, list):
            value = value[0] if value else ""  # INSPIRE lists the same one from several sources
        text = _whole_characters(flattened(value)).strip()
        if text and not is_placeholder(text):
            return text
        if "abstractinvertedindex" in values:
            break
    return from_inverted(values.get("abstractinvertedindex"))


def from_inverted(index: object) -> str:
    """OpenAlex gives an abstract as the places of each of its words."""
    if not isinstance(index, Mapping):
        return ""
    places = [
        (place, str(word))
        for word, found in index.items()
        if isinstance(found, list)
        for place in found
        if isinstance(place, int)
    ]
    return _whole_characters(" ".join(word for _, word in sorted(places)))


def _authors(values: Mapping[str, Any], *, bibtex: bool, turned: bool) -> list[str]:
    for name in _NAMES["authors"]:
        if name not in values:
            continue
        value = values[name]
        if isinstance(value, str):
            value = _whole_characters(value)
        if isinstance(value, Mapping):  # Europe PMC's authorList.author
            inner = _named(value).get("author", _named(value).get("authors"))
            value = inner if isinstance(inner, list | str) else value
        if names := people(value, bibtex=bibtex, turned=turned):
            names = [_whole_characters(found) for found in names]
            return list(glued(names)) if "itemdoi" in values else names
    return []


def _year(values: Mapping[str, Any]) -> int | None:
    found = (identifiers.year(values[name]) for name in _NAMES["year"] if name in values)
    year = next((found_year for found_year in found if found_year), None)
    if year is None and (origin := _VOLUME_OF_SOURCE.match(str(values.get("source", "")))):
        return int(origin[2])
    return year


def _venue(values: Mapping[str, Any]) -> str:
    for name in _NAMES["venue"]:
        text = next(_texts(values[name]), "") if name in values else ""
        if text and not re.match(r"https?://|10\.\d{4}", text):
            return text
    if {"longdbname", "gsrank"} & set(values):  # of EBSCO and of Publish or Perish
        return next(_texts(values.get("source")), "")
    # Embase: "Journal of Things (2026) 3:3 (152-160)"
    origin = _VOLUME_OF_SOURCE.match(str(values.get("source", "")))
    return origin[1] if origin else ""


def _identities(values: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """DOI, arXiv id and address, also where they stand in one another's fields."""
    ids = [text for nest in _IDENTIFYING for text in _texts(values.get(nest))]
    urls = list(_texts_of(values, "url"))
    own = list(_texts_of(values, "doi"))
    source_ids = list(_texts_of(values, "source_id"))
    linked = list(_texts(values.get("openurllink")))
    cited = [text for text in _texts(values.get("citation")) if "doi" in text.lower()]
    # Zotero: "DOI: 10.…" and "arXiv:…" on lines of their own, where no field has room for them
    extra = [line for text in _texts(values.get("extra")) for line in text.splitlines()]
    cited += [line for line in extra if line.lower().startswith("doi:")]
    doi = identifiers.doi([*own, *ids, *source_ids, *urls, *linked, *cited])
    named = [*_texts_of(values, "arxiv_id"), *source_ids]
    mentions = [*ids, *source_ids, *urls, *own]
    mentions += [*_texts(values.get("journal")), *_texts(values.get("volume"))]
    mentions += [*_texts(values.get("venue")), *_texts(values.get("eprint"))]
    mentions += [*_texts(values.get("archiveid")), *(x for x in extra if x[:6].lower() == "arxiv:")]
    return doi, identifiers.arxiv_id(named, mentions), identifiers.address([*urls, *linked])


def _tags(values: Mapping[str, Any], *, bibtex: bool) -> list[str]:
    """Keywords, cut up where they stand in one text."""
    found: list[str] = []
    for name in _NAMES["tags"]:
        if name not in values:
            continue
        value = values[name]
        value = _named(value).get("keyword", value) if isinstance(value, Mapping) else value
        for text in _texts(value):
            found += _cut_tags(text)
        if found:
            break
    clean = (" ".join(clean_text(tag, bibtex=bibtex).split()) for tag in found[:200])
    return list(
        dict.fromkeys(tag for tag in clean if 1 < len(tag) <= 100 and not is_placeholder(tag))
    )


def _cut_tags(text: str) -> list[str]:
    if re.fullmatch(r"(?:[a-z-]+(?:\.[A-Za-z-]+)?\s)*[a-z-]+\.[A-Za-z-]+", text):
        return text.split()  # arXiv's categories
    for mark in (";", "|", "\n", ","):
        if mark in text:
            return [part.strip() for part in text.split(mark)]
    return [text.strip()]


def _kind_of(value: object) -> str:
    kinds: dict[type, str] = {str: "a text", list: "a list", bool: "true or false"}
    return "nothing" if value is None else kinds.get(type(value), "a number")


def _shortened(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
