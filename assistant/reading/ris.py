"""RIS, as reference managers export it, and the tagged files of PubMed (``.nbib``).

Records are cut out of the stream one by one. RIS records are read by rispy; PubMed's differ only
in their tags and in lines that are continued by indentation.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TextIO

from assistant.paper import Paper
from assistant.reading.fields import taken
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

__all__ = ["is_pubmed", "is_ris", "read_pubmed", "read_ris"]

_LONGEST_RECORD = 1 << 24  # characters
_TAG = re.compile(r"\s{0,2}([A-Z][A-Z0-9])\s{1,2}-(?:\s+|$)(.*)", re.DOTALL)
_PUBMED_TAG = re.compile(r"([A-Z]{2,4})\s{0,2}- ?(.*)")
_TOO_LONG = "the record is too long for a paper"

# rispy's names for the tags that hold what a paper has, the best tag first.
_RIS_NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "primary_title"),
    "abstract": ("abstract", "notes_abstract"),
    "authors": ("authors", "first_authors"),
    "year": ("year", "publication_year", "date"),
    "journal": ("journal_name", "alternate_title3", "alternate_title1", "secondary_title"),
    "doi": ("doi",),
    "url": ("urls", "url", "link1", "file_attachments1"),
    "id": ("id", "accession_number"),
}
_PUBMED_NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("TI", "BTI"),
    "abstract": ("AB", "OAB"),
    "authors": ("FAU", "AU"),
    "year": ("DP", "EDAT"),
    "journal": ("JT", "TA"),
    "id": ("PMID",),
}


def is_ris(head: str) -> bool:
    """Whether a text begins with a record's type."""
    return re.search(r"^\ufeff?\s*TY\s{1,2}- ", head, re.MULTILINE) is not None


def is_pubmed(head: str) -> bool:
    """Whether a text begins with a PubMed id."""
    return re.match(r"\s*PMID\s?- ?\d", head) is not None


def read_ris(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record from ``TY`` to ``ER``."""
    for number, (line, lines) in enumerate(_ris_records(stream), start=1):
        where = f"record {number} (line {line})"
        if lines is None:
            yield Rejection(source=source, where=where, reason=_TOO_LONG)
            continue
        yield taken(_ris_fields(lines), source=source, where=where, bibliographic=True)


def _ris_records(stream: TextIO) -> Iterator[tuple[int, list[str] | None]]:
    """Lines of each record with the number of its first; None where it is too long to hold."""
    begun, size = 0, 0
    lines: list[str] = []
    for number, line in numbered_lines(stream):
        text = "" if line is None else line.strip().lstrip("\ufeff")
        tag = _TAG.fullmatch(text)
        name = tag[1] if tag else None
        if begun and name in ("TY", "ER"):
            yield begun, lines if size <= _LONGEST_RECORD else None
            begun = 0
        if name == "TY":
            begun, size, lines = number, 0, []
        size += _LONGEST_RECORD if line is None else len(text)
        if begun and text and size <= _LONGEST_RECORD:
            lines.append(f"{name}  - {tag[2]}" if tag else text)
    if begun:
        yield begun, lines if size <= _LONGEST_RECORD else None


def _ris_fields(lines: list[str]) -> dict[str, object]:
    import rispy  # type: ignore[import-untyped]  # noqa: PLC0415  only this format needs it

    # rispy cuts at every character that Unicode calls a line end; only the file's own count.
    record = [" ".join(line.split()) if _TAG.match(line) is None else line for line in lines]
    record = [" ".join(line.splitlines()) for line in record]
    found = rispy.loads("\n".join([*record, "ER  - ", ""]))
    values: Mapping[str, object] = found[0] if found else {}
    return _renamed(values, _RIS_NAMES)


def _renamed(
    values: Mapping[str, object], names: Mapping[str, tuple[str, ...]]
) -> dict[str, object]:
    """The values under the names of `assistant.reading.fields`, those that say something."""
    renamed: dict[str, object] = {}
    for name, tags in names.items():
        for tag in tags:
            if values.get(tag) and name not in renamed:
                renamed[name] = values[tag]
    return renamed


def read_pubmed(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record; each begins with its ``PMID``."""
    for number, (line, values) in enumerate(_pubmed_records(stream), start=1):
        where = f"record {number} (line {line})"
        yield taken(_pubmed_fields(values), source=source, where=where, bibliographic=True)


def _pubmed_records(stream: TextIO) -> Iterator[tuple[int, dict[str, list[str]]]]:
    begun, size = 0, 0
    values: dict[str, list[str]] = defaultdict(list)
    latest = ""
    for number, line in numbered_lines(stream):
        text = (line or "").rstrip()
        tag = _PUBMED_TAG.fullmatch(text)
        if tag and tag[1] == "PMID":
            if begun:
                yield begun, values
            begun, size, values = number, 0, defaultdict(list)
        size += len(text)
        if size > _LONGEST_RECORD:
            continue
        if tag:
            latest = tag[1]
            values[latest].append(tag[2])
        elif latest in values and text.startswith(" "):
            values[latest][-1] += " " + text.strip()
    if begun:
        yield begun, values


def _pubmed_fields(values: Mapping[str, list[str]]) -> dict[str, object]:
    joined: dict[str, object] = {
        tag: found if tag in ("FAU", "AU") else found[0] for tag, found in values.items()
    }
    record = _renamed(joined, _PUBMED_NAMES)
    for identifier in values.get("LID", []) + values.get("AID", []):
        if identifier.endswith("[doi]"):
            record.setdefault("doi", identifier.removesuffix("[doi]").strip())
    return record
