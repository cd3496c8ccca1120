"""One record of a structured format, whatever its columns are called, as a `Paper`.

JSON, CSV, BibTeX and RIS all hand their records to `taken`, so that a name understood in one
format is understood in all. Names are compared without case, spaces, hyphens and underscores.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from assistant.paper import Paper
from assistant.reading.latex import readable
from assistant.results import Rejection

__all__ = ["knows", "normal_key", "taken"]

# Names that titles, abstracts, … go by, normalised, the most specific first: arXiv, Semantic
# Scholar, OpenAlex, Crossref, BEIR, Scopus, Web of Science, IEEE Xplore, Zotero.
_WRITTEN = {
    "title": "title articletitle documenttitle papertitle displayname headline name",
    "abstract": "abstract abstracttext abstractnote paperabstract summary description text contents"
    " content body tldr",
    "authors": "authorsparsed authors author authorships authornames creators creator",
    "year": "year publicationyear publishedyear pubyear published publicationdate publisheddate"
    " issued pubdate versions date created updatedate",
    "venue": "journal journalref venue booktitle containertitle sourcetitle publicationtitle"
    " journalname journaltitle conference publicationvenue",
    "url": "url link paperurl absurl htmlurl landingpageurl pdfurl pdflink pdf urls",
    "doi": "doi digitalobjectidentifier",
    "arxiv_id": "arxivid arxiv eprint arxivnumber",
    "source_id": "id paperid docid docno pmid corpusid uid key accessionnumber",
}
_NAMES = {field: tuple(names.split()) for field, names in _WRITTEN.items()}
_TEXT_FIELDS = frozenset([*_NAMES["title"], *_NAMES["abstract"], "abstractinvertedindex"])

_ARXIV = r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?"
_IS_ARXIV = re.compile(rf"(?:arxiv:\s*)?({_ARXIV})", re.IGNORECASE)
_ARXIV_PAGE = re.compile(rf"arxiv\.org/(?:abs|pdf|html)/({_ARXIV})", re.IGNORECASE)
_ARXIV_DOI = re.compile(rf"10\.48550/arxiv\.({_ARXIV})", re.IGNORECASE)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_MARKUP = re.compile(
    r"</?(?:jats:[a-z-]+|(?:p|i|b|em|strong|sub|sup|br|italic|bold|title|sec)\s*/?)>",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"</?(?:jats:)?(?:p|br|title|sec|list|list-item)\s*/?>", re.IGNORECASE)
_Value = TypeVar("_Value")
_SURROGATE = re.compile("[\ud800-\udfff]")


def normal_key(name: object) -> str:
    """``Journal-Ref``, ``journal_ref`` and ``journal ref`` are the same name."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def knows(names: Iterable[object]) -> bool:
    """Whether one of the names is a title's or an abstract's."""
    return any(normal_key(name) in _TEXT_FIELDS for name in names)


def taken(
    record: object,
    *,
    source: str,
    where: str,
    bibliographic: bool = False,
) -> Paper | Rejection:
    """The record as a paper, or the reason why it is none.

    Args:
        record: a mapping of names to values; anything else is rejected.
        source: what it was read from, as the person named it.
        where: its place there: "line 12", "entry 5".
        bibliographic: values follow BibTeX: names are "Last, First", braces mean nothing.

    """
    if not isinstance(record, Mapping):
        reason = f"not an object with a title and an abstract, but {_kind_of(record)}"
        return Rejection(source=source, where=where, reason=reason)
    try:
        return _paper(record, source, bibliographic)
    except (ValueError, RecursionError):
        reason = "neither a title nor an abstract"
        if not knows(record):
            reason += f" (its fields: {_shortened(', '.join(map(str, record)) or 'none')})"
        return Rejection(source=source, where=where, reason=reason)


def _paper(record: Mapping[Any, Any], source: str, bibliographic: bool) -> Paper:
    values = _normalised(record)
    raw = {
        "title": _first(values, "title", _title) or "",
        "abstract": _first(values, "abstract", _text)
        or _from_inverted(values.get("abstractinvertedindex")),
    }
    clean = {name: _clean(text, bibliographic) for name, text in raw.items()}
    authors = _first(values, "authors", lambda value: _authors(value, bibliographic))
    changed = {name: text for name, text in raw.items() if _differ(text, clean[name])}
    url, doi, arxiv_id, source_id = _identifiers(values)
    return Paper(
        title=clean["title"],
        abstract=clean["abstract"],
        authors=tuple(_clean(name, bibliographic) for name in authors or ()),
        year=_first(values, "year", _year),
        venue=_clean(_first(values, "venue", _name) or "", bibliographic) or None,
        url=url,
        doi=doi,
        arxiv_id=arxiv_id,
        source=source,
        source_id=source_id,
        kind="digest" if values.get("kind") == "digest" else "abstract",
        original=changed,
    )


def _differ(text: str, cleaned: str) -> bool:
    """Whether cleaning changed more than white space."""
    return text is not cleaned and text.split() != cleaned.split()


def _normalised(record: Mapping[Any, Any]) -> dict[str, Any]:
    """The record under normal names; the first of two alike wins, nested ids are lifted."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if not (value is None or value != value):  # noqa: PLR0124  NaN is how tables say nothing
            values.setdefault(normal_key(name), value)
    for nest in ("externalids", "ids"):
        if isinstance(values.get(nest), Mapping):
            for name, value in values[nest].items():
                values.setdefault(normal_key(name), value)
    return values


def _first(
    values: Mapping[str, Any], field: str, convert: Callable[[Any], _Value | None]
) -> _Value | None:
    """The first value of the field, by the order of its names, that says something."""
    for name in _NAMES[field]:
        if name in values and (converted := convert(values[name])):
            return converted
    return None


def _text(value: object) -> str | None:
    """Text of a value; the parts of a structured abstract follow one another."""
    if isinstance(value, str):
        return _whole_characters(value).strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return " ".join(part for part in map(_text, value) if part)
    return None


def _title(value: object) -> str | None:
    """Crossref lists the title in several languages: the first is the paper's."""
    return next(filter(None, map(_text, value)), None) if isinstance(value, list) else _text(value)


def _name(value: object) -> str | None:
    """A name, or the name of a thing that is described: ``{"name": …, "volume": …}``."""
    if isinstance(value, Mapping):
        return _text(value.get("name")) or _text(value.get("display_name"))
    return _title(value)


def _year(value: object) -> int | None:
    """The first year in the value: 2024, "2024-08-25", ``{"date-parts": [[2024, 8]]}``."""
    found = _YEAR.search(str(value))
    return int(found.group()) if found else None


def _from_inverted(index: object) -> str:
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


def _clean(text: str, bibliographic: bool) -> str:
    """Without the mark-up of publishers (``<jats:p>``, ``&amp;``) and without LaTeX."""
    if "<" in text and "</" in text:
        text = _MARKUP.sub("", _BLOCK.sub(" ", text))
    if "&" in text and ";" in text:
        text = html.unescape(text)
    return readable(text, braces=bibliographic)


def _whole_characters(text: str) -> str:
    """Halves of characters (JSON can write them, no file can hold them) become U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _identifiers(values: Mapping[str, Any]) -> tuple[str | None, ...]:
    """url, doi, arxiv_id and source_id; an id, url or DOI that names an arXiv paper says so."""
    source_id = _first(values, "source_id", _text)
    url = _first(values, "url", _title)
    doi = _match(_DOI, _first(values, "doi", _title)) or _match(_DOI, source_id)
    doi = doi or _match(_DOI, url)
    arxiv = _match(_IS_ARXIV, _first(values, "arxiv_id", _text)) or _match(_IS_ARXIV, source_id)
    arxiv = arxiv or _match(_ARXIV_PAGE, url) or _match(_ARXIV_PAGE, source_id)
    if doi and (posted := _match(_ARXIV_DOI, doi)):
        # The DOI that arXiv gives to every paper; as arXiv id it meets the other sources' records.
        doi, arxiv = None, arxiv or posted
    return url, doi, arxiv, source_id


def _match(pattern: re.Pattern[str], text: str | None) -> str | None:
    if not text:
        return None
    whole = pattern is not _ARXIV_PAGE
    found = pattern.fullmatch(text.strip()) if whole else pattern.search(text)
    return found.group(1) if found else None


def _authors(value: object, bibliographic: bool) -> list[str] | None:
    """Names as "Given Family", from a text of names, a list of them, or a list of objects."""
    if isinstance(value, str):
        return _split_names(_whole_characters(value), bibliographic)
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        return None
    names = [_author(entry, bibliographic) for entry in value]
    return [name for name in names if name]


def _author(entry: object, bibliographic: bool) -> str:
    if isinstance(entry, str):
        entry = " ".join(_whole_characters(entry).split())
        return _turned(entry) if bibliographic or _is_turned(entry) else entry
    if isinstance(entry, list):  # arXiv's authors_parsed: [family, given, suffix]
        parts = [part.strip() for part in entry if isinstance(part, str)]
        return _whole_characters(" ".join([*parts[1:2], *parts[:1], *parts[2:3]])).strip()
    if not isinstance(entry, Mapping):
        return ""
    values = _normalised(entry)
    for name in ("name", "fullname", "displayname", "author", "literal"):
        if name in values:
            return _author(values[name], bibliographic)
    given = values.get("given") or values.get("first") or values.get("firstname")
    family = values.get("family") or values.get("last") or values.get("lastname")
    return " ".join(part for part in (_text(given), _text(family)) if part)


def _split_names(text: str, bibliographic: bool) -> list[str]:
    """Cut up: "A and B; C" is three names, "Doe, J. and Roe, K." and "Jo Doe, Kim Roe" two."""
    text = " ".join(text.split())
    if not bibliographic:
        text = re.sub(r"\([^()]*\)", "", text)  # affiliations
    groups = [part.strip(" ,") for part in re.split(r"(?:\s|^)and\s|;|\s&\s", text)]
    names: list[str] = []
    for group in filter(None, groups):
        parts = [part.strip() for part in group.split(",") if part.strip()]
        if len(parts) == 1:
            names.append(parts[0])
        elif bibliographic or _is_turned(group):
            names.append(_turned(group))
        elif len(parts) % 2 == 0 and all(map(_initials, parts[1::2])):
            names += [f"{given} {family}" for family, given in zip(*[iter(parts)] * 2, strict=True)]
        else:
            names += parts
    return names


def _initials(name: str) -> bool:
    return re.fullmatch(r"(?:[^\W\d_]\.?[\s-]?){1,4}", name) is not None and len(name) < 12


def _is_turned(name: str) -> bool:
    """Whether one name is written family name first: "Doe, Jane", "van Dam, J. K."."""
    family, comma, given = name.partition(", ")
    if not comma or "," in given:
        return False
    return " " not in family or " " not in given or family[0].islower() or _initials(given)


def _turned(name: str) -> str:
    """The name with the family last: "Doe, Jr., Sam" becomes "Sam Doe Jr."."""
    parts = [part.strip() for part in name.split(",") if part.strip()]
    return " ".join([parts[-1], *parts[:-1]]) if len(parts) > 1 else name.strip()


def _kind_of(value: object) -> str:
    kinds: dict[type, str] = {str: "a text", list: "a list", bool: "true or false"}
    return "nothing" if value is None else kinds.get(type(value), "a number")


def _shortened(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
