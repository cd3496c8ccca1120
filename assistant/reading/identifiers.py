"""DOIs, arXiv ids, addresses and years, out of whatever stands in the field (or near it).

Braces, backslashes, prefixes, percent-escapes and brackets that belong to the sentence around
go; an arXiv DOI, an arXiv address and ``arXiv:…`` in a journal's name all give the arXiv id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from assistant.paper import balanced

__all__ = ["address", "arxiv_id", "doi", "year"]

_ARXIV = r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?"
_IS_ARXIV = re.compile(rf"(?:arxiv\s*:?\s*|abs/|oai:arxiv\.org:)?({_ARXIV})", re.IGNORECASE)
_ARXIV_PAGE = re.compile(rf"arxiv\.org/(?:abs|pdf|html|format)/({_ARXIV})", re.IGNORECASE)
_ARXIV_NAMED = re.compile(
    rf"(?:(?<![\w.])arxiv\s*(?:preprint)?\s*(?:arxiv)?\s*:\s*|10\.48550/arxiv\."
    rf"|\babs/(?=\d))({_ARXIV})",
    re.IGNORECASE,
)
_ARXIV_DOI = re.compile(rf"10\.48550/arxiv\.({_ARXIV})", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"{}\\^`]+")
_LONGEST = 10_000
"""Characters of a field that are searched for an id."""
_YEAR = re.compile(  # also that of 20220301
    r"(?<!\d)(1[5-9]\d\d|20\d\d)(?=(?:(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))?(?!\d))"
)
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s\"<>{}|;]+", re.IGNORECASE)


def _bare(text: str) -> str:
    r"""Without what BibTeX protects with: ``{…}``, ``\_``, ``\url{…}``."""
    text = text[:_LONGEST]
    if "\\" in text:
        text = re.sub(r"\\(?:url|href|doi|path)\s*", "", text)
        text = re.sub(r"\\text(?:less|greater)\b\s?(?:\{\})?", "", text)
        text = re.sub(r"\\([_%#&~$/])", r"\1", text)
    return text.replace("{", " ").replace("}", " ").strip()


def doi(values: Iterable[str]) -> str | None:
    """The first DOI in the values; None for one that only repeats an arXiv id."""
    for value in values:
        text = _bare(value)
        if "%2f" in text.lower():
            text = unquote(text)
        if found := _DOI.search(text):
            name = re.split(r"[,;|](?=\s|10\.\d{4}|https?:|$)", found.group())[0]
            name = balanced(name.rstrip(".,;:'’”&"))
            if _ARXIV_DOI.fullmatch(name) is None and len(name) < 300:
                return name
    return None


def arxiv_id(ids: Iterable[str], mentions: Iterable[str]) -> str | None:
    """The arXiv id that one of ``ids`` is, else one that ``mentions`` name in so many words."""
    for value in ids:
        if found := _IS_ARXIV.fullmatch(re.sub(r"\s*\[[\w.-]+\]$", "", _bare(value))):
            return found[1]
    for value in mentions:
        text = _bare(value)
        if found := (_ARXIV_PAGE.search(text) or _ARXIV_NAMED.search(text)):
            return found[1]
    return None


def address(values: Iterable[str]) -> str | None:
    """The first web address; else the first value that says something, as it stands."""
    given = [text for value in values if (text := _bare(value))]
    for text in given:
        if found := _ADDRESS.search(text):
            return balanced(found.group())
    return next((text for text in given if " " not in text and len(text) < 2000), None)


def year(value: object) -> int | None:
    """The first year in the value: 2024, "2024-08-25", ``{"date-parts": [[2024, 8]]}``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and value > 10**11:  # milliseconds since 1970
        return 1970 + int(value / 31_556_952_000) if value < 10**13 else None
    found = _YEAR.search(str(value)[:2000])
    return int(found.group()) if found else None
