"""The formats that can be read, and which one a source is in.

What a text begins with decides, by the format's own marks; its name only where two formats begin
alike. What has no marks of any is refused: a text is never taken for papers by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import TextIO

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading.bibtex import is_bibtex, read_bibtex
from assistant.reading.csvfile import is_table, read_csv
from assistant.reading.embase import is_embase, read_embase
from assistant.reading.jsonfile import is_json, read_json
from assistant.reading.jsonl import is_json_lines, read_json_lines
from assistant.reading.listing import is_listing, read_listing
from assistant.reading.pubmedtext import is_pubmed_text, read_pubmed_text
from assistant.reading.streams import decoded_head
from assistant.reading.tagged import (
    is_endnote,
    is_pubmed,
    is_ris,
    is_web_of_science,
    read_endnote,
    read_pubmed,
    read_ris,
    read_web_of_science,
)
from assistant.reading.xmlfile import is_html, is_xml, read_xml
from assistant.results import Rejection

__all__ = ["FORMATS", "Format", "detect", "extension", "has_known_extension", "known_formats"]

Reader = Callable[[TextIO, str], Iterator[Paper | Rejection]]


@dataclass(frozen=True)
class Format:
    """One way of writing papers down.

    Attributes:
        name: what it is asked for by.
        description: what it is, for a person.
        extensions: how files of it end, with the dot.
        begins_like: whether a text that begins so is in it.
        read: turns an open text into papers; its second argument is how the source is called.

    """

    name: str
    description: str
    extensions: tuple[str, ...]
    begins_like: Callable[[str], bool]
    read: Reader


# The order is that of detection: what cannot be mistaken for another comes first.
FORMATS: dict[str, Format] = {
    known.name: known
    for known in (
        Format("jsonl", "JSON Lines", (".jsonl", ".ndjson"), is_json_lines, read_json_lines),
        Format("json", "JSON of a service", (".json",), is_json, read_json),
        Format("xml", "XML (Atom, PubMed, EndNote, JATS, …)", (".xml", ".atom", ".rss"), is_xml,
               read_xml),
        Format("pubmed", "PubMed export", (".nbib", ".medline"), is_pubmed, read_pubmed),
        Format("wos", "Web of Science export", (".ciw", ".isi"), is_web_of_science,
               read_web_of_science),
        Format("endnote", "EndNote export", (".enw",), is_endnote, read_endnote),
        Format("ris", "RIS", (".ris",), is_ris, read_ris),
        Format("bibtex", "BibTeX", (".bib", ".bibtex"), is_bibtex, read_bibtex),
        Format("embase", "Embase's CSV by rows", (), is_embase, read_embase),
        Format("csv", "CSV, TSV or Excel with a header", (".csv", ".tsv", ".tab", ".xlsx"),
               is_table, read_csv),
        Format("pubmedtext", "PubMed's abstracts as text", (), is_pubmed_text, read_pubmed_text),
        Format("listing", "saved listing page", (".txt",), is_listing, read_listing),
    )
}  # fmt: skip
_ANY_TEXT = (".txt", ".text", "")


def extension(name: str) -> str:
    """The file's extension, that of what is inside for ``.gz``."""
    suffixes = PurePath(name.lower()).suffixes
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def known_formats() -> str:
    """One line for messages: "JSON Lines (.jsonl, .ndjson), …"."""
    return ", ".join(
        f"{f.description} ({', '.join(f.extensions)})" if f.extensions else f.description
        for f in FORMATS.values()
    )


def has_known_extension(name: str) -> bool:
    """Whether a file in a folder is worth opening."""
    return any(extension(name) in known.extensions for known in FORMATS.values())


def detect(head: bytes | str, name: str) -> Format:
    """The format of a source.

    Args:
        head: what it begins with, some 64 KB.
        name: its file name (only the extension matters), as messages call it.

    Raises:
        SourceError: it is no text, or in none of the formats.

    """
    text = decoded_head(head, name)
    ending = extension(name)
    by_name = next((f for f in FORMATS.values() if ending in f.extensions), None)
    if by_name is FORMATS["jsonl"] and text.lstrip().startswith("{") and "\n" not in text.strip():
        return by_name  # the first line goes on behind the head: how it ends is not to be seen
    if is_html(text):
        raise SourceError(
            f"{name} is a web page, not a list of papers.",
            f"Export the papers from there; these can be read: {known_formats()}.",
        )
    matching = [known for known in FORMATS.values() if known.begins_like(text)]
    if by_name in matching and by_name is not None and not _contradicted(by_name, matching):
        return by_name
    if matching:
        return matching[0]
    if by_name is FORMATS["csv"]:
        return by_name  # its reader says which columns there are
    if by_name and ending not in _ANY_TEXT:
        raise SourceError(
            f"{name} does not hold what its name says: no {by_name.description} in it.",
            f"These can be read: {known_formats()}.",
        )
    raise SourceError(
        f"{name} holds no papers in a form that can be read.",
        f"These can be: {known_formats()}.",
    )


def _contradicted(by_name: Format, matching: list[Format]) -> bool:
    """Whether the text is unmistakably something else than its name says."""
    order = list(FORMATS.values())
    if by_name.name in ("csv", "listing"):
        return order.index(matching[0]) < order.index(FORMATS["csv"])
    # An array is no JSON Lines; an indented object is, if anything, JSON.
    return by_name.name == "json" and matching[0].name == "jsonl"
