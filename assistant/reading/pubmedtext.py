"""What PubMed saves as "Abstract": numbered records in paragraphs, each ending with its PMID.

The first paragraph cites ("1. J Things. 2026 Jan;3(3):1-9. doi: …"), then come title, authors,
their affiliations, the abstract, and notes ("Copyright …", "Conflict of interest …").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from assistant.paper import Paper
from assistant.reading.fields import paper_from
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

__all__ = ["is_pubmed_text", "read_pubmed_text"]

_LONGEST_RECORD = 1 << 20
_GIVEN_UP = 1 << 24
"""Size of a record behind which its end is not looked for any more."""
_CITES = re.compile(r"(?:\d+\. )?(?P<venue>.+?)\.\s*(?P<year>(?:1[5-9]|20)\d\d)\b")
_NO_ABSTRACT = re.compile(
    r"(?:author information|collaborators?|comment (?:in|on)|erratum in|update (?:in|of)|©"
    r"|copyright|publisher|conflict of interest|\(c\) ?\d{4}|doi:|pmcid:|pmid:|republished"
    r"|retraction (?:in|of)|summary for patients|trial registration\b.{0,80}$"
    r"|\[(?:article in|indexed for)|plain language)",
    re.IGNORECASE,
)


def is_pubmed_text(head: str) -> bool:
    """Whether a text is numbered citations with PMIDs."""
    begun = head.lstrip("\ufeff \r\n")
    return re.match(r"1\. \S.*\d{4}", begun) is not None and (
        re.search(r"^PMID: \d+", begun, re.MULTILINE) is not None
    )


def read_pubmed_text(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every numbered record."""
    for number, (line, paragraphs) in enumerate(_records(stream), start=1):
        where = f"record {number} (line {line})"
        yield paper_from(_fields(paragraphs), source=source, where=where)


def _records(stream: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The paragraphs of each record, with the number of its first line."""
    begun, size = 0, 0
    paragraphs: list[list[str]] = []
    after_blank, ended = True, True
    for number, line in numbered_lines(stream):
        text = (line or "").strip().lstrip("\ufeff")
        if not text:
            after_blank = True
            continue
        if after_blank and ended and re.match(r"\d{1,6}\. \S", text):
            if begun:
                yield begun, [" ".join(lines) for lines in paragraphs]
            begun, size, paragraphs, ended = number, 0, [], False
        size += len(text) + 80
        if size > _GIVEN_UP:
            break
        if size > _LONGEST_RECORD:
            continue
        if after_blank:
            paragraphs.append([])
        after_blank = False
        paragraphs[-1].append(text)
        ended = ended or text.startswith("PMID:")
    if begun:
        yield begun, [" ".join(lines) for lines in paragraphs]


def _fields(paragraphs: list[str]) -> dict[str, object]:
    """The fields of a record, by the place of its paragraphs and by how they begin."""
    cited = paragraphs[0]
    title = paragraphs[1] if len(paragraphs) > 1 else ""
    authors = paragraphs[2] if len(paragraphs) > 2 else ""
    rest = paragraphs[3:]
    if re.match(r"PMID:|DOI:|Author information", authors):
        authors, rest = "", paragraphs[2:]
    abstract: list[str] = []
    for paragraph in rest:
        if not _NO_ABSTRACT.match(paragraph):
            abstract.append(paragraph)
        elif abstract:
            break
    whole = " ".join(paragraphs)
    found = _CITES.match(cited)
    pmid = re.search(r"\bPMID: (\d+)", whole)
    doi = re.search(r"\bdoi: ?(10\.\S+)", whole, re.IGNORECASE)
    return {
        "title": title,
        "abstract": " ".join(abstract),
        "authors": authors,
        "journal": found["venue"] if found else "",
        "year": found["year"] if found else cited,
        "doi": doi[1] if doi else "",
        "pmid": pmid[1] if pmid else "",
    }
