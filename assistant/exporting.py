"""Papers as JSON Lines, BibTeX, RIS, CSL-JSON and CSV: what the readers take in again.

Each writer is a function from papers, and the keys they are cited by, to pieces of text; JSON
Lines and CSV hold every field that is known, the others what those formats have a place for.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from assistant.escaping import latex, spreadsheet
from assistant.paper import Form, Paper

__all__ = ["FORMATS", "MEDIA_TYPES", "citation_keys", "record"]

Keys = Mapping[str, str]
"""Id of a paper → the key that it is cited by."""

_COLUMNS = (
    *("title", "abstract", "authors", "year", "venue", "url", "doi", "arxiv_id", "id"),
    "citation_key",
)
_NOT_FOR_EXPORT = {"source", "source_id", "key", "original", "kind"}
_KEY_WORDS = frozenset(
    ("a", "an", "and", "by", "for", "from", "in", "of", "on", "the", "to", "with")
)


class _Type(NamedTuple):
    """The name of a form of publication in CSL and RIS; in BibTeX with the field of its venue."""

    csl: str
    ris: str
    bibtex: tuple[str, str]


_TYPES: dict[Form | None, _Type] = {
    "article": _Type("article-journal", "JOUR", ("article", "journal")),
    "conference": _Type("paper-conference", "CONF", ("inproceedings", "booktitle")),
    "preprint": _Type("article", "UNPB", ("misc", "howpublished")),
    "thesis": _Type("thesis", "THES", ("phdthesis", "school")),
    "chapter": _Type("chapter", "CHAP", ("incollection", "booktitle")),
    "book": _Type("book", "BOOK", ("book", "publisher")),
    "report": _Type("report", "RPRT", ("techreport", "institution")),
    None: _Type("article", "GEN", ("misc", "howpublished")),
}


def record(paper: Paper) -> dict[str, Any]:
    """The paper as a JSON object, without what is not known."""
    values = paper.model_dump(mode="json", exclude=_NOT_FOR_EXPORT)
    if paper.kind != "abstract":
        values["kind"] = paper.kind
    ordered = {"id": values.pop("id"), **values}
    return {name: value for name, value in ordered.items() if value or name == "abstract"}


def citation_keys(papers: Iterable[Paper]) -> dict[str, str]:
    """The key of each paper of a library: family name, year, first telling word of the title.

    Args:
        papers: all of the library, in the order in which they came.

    Of several that would share a key the first has it; the others get four letters of their own
    id behind it. So no two share one, a paper that is added changes no key, and one that is
    removed changes at most that of the next of its name.
    """
    keys: dict[str, str] = {}
    used: set[str] = set()
    for paper in papers:
        if paper.id in keys:
            continue
        plain = _plain_key(paper)
        digest = hashlib.sha256(paper.id.encode("utf-8", "surrogatepass")).hexdigest()
        lengths = range(4, len(digest) + 1)
        choices = [plain, *(f"{plain}-{digest[:n]}" for n in lengths)] if plain in used else [plain]
        keys[paper.id] = key = next(choice for choice in choices if choice not in used)
        used.add(key)
    return keys


def _plain_key(paper: Paper) -> str:
    family = paper.authors[0].split()[-1] if paper.authors and paper.authors[0].split() else ""
    words = [w for w in paper.title_key.split() if w not in _KEY_WORDS] or ["paper"]
    parts = (family, str(paper.year or ""), words[0])
    return "".join(map(_letters, parts)) or "paper"


def _letters(text: str) -> str:
    """Its letters and digits without accents: a key is typed on any keyboard."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", text).lower())


def _jsonl(papers: Iterable[Paper], keys: Keys) -> Iterator[str]:
    for paper in papers:
        values = {**record(paper), "citation_key": keys[paper.id]}
        yield json.dumps(values, ensure_ascii=False) + "\n"


def _csv(papers: Iterable[Paper], keys: Keys) -> Iterator[str]:
    line = io.StringIO(newline="")
    writer = csv.DictWriter(line, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for paper in papers:
        values = {**record(paper), "citation_key": keys[paper.id]}
        values["authors"] = "; ".join(paper.authors)
        writer.writerow({name: spreadsheet(str(values.get(name, ""))) for name in _COLUMNS})
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _csl(papers: Iterable[Paper], keys: Keys) -> Iterator[str]:
    """CSL-JSON: what Zotero, Pandoc and every CSL processor read."""
    between = "["
    for paper in papers:
        entry = {
            "id": keys[paper.id],
            "type": _TYPES[paper.form or paper.implied_form].csl,
            "title": paper.title,
            "author": [_csl_name(name) for name in paper.authors],
            "issued": {"date-parts": [[paper.year]]} if paper.year else None,
            "container-title": paper.venue,
            "abstract": paper.abstract,
            "DOI": paper.doi,
            "URL": paper.link if not paper.doi else None,
            "archive": "arXiv" if paper.arxiv_id else None,
            "archive_location": paper.arxiv_id,
            "keyword": ", ".join(paper.tags),
        }
        known = {name: value for name, value in entry.items() if value}
        yield f"{between}\n{json.dumps(known, ensure_ascii=False)}"
        between = ","
    yield "[]\n" if between == "[" else "\n]\n"


def _csl_name(name: str) -> dict[str, str]:
    given, particle, family = _parts(name)
    if not given:
        return {"literal": name}
    named = {"family": family, "given": given}
    return named | ({"non-dropping-particle": particle} if particle else {})


def _parts(name: str) -> tuple[str, str, str]:
    """Given name, particle and family name, as BibTeX tells them of "R. van Bevern"."""
    from bibtexparser.middlewares.names import parse_single_name_into_parts  # noqa: PLC0415

    parts = parse_single_name_into_parts(name, strict=False)
    return " ".join(parts.first), " ".join(parts.von), " ".join(parts.last)


def _ris(papers: Iterable[Paper], keys: Keys) -> Iterator[str]:
    import rispy  # type: ignore[import-untyped]  # noqa: PLC0415

    class Writer(rispy.RisWriter):  # type: ignore[misc]
        """Without the number that rispy puts before each record."""

        def set_header(self, count: int) -> str:
            """Nothing."""
            del count
            return ""

    for paper in papers:
        entry = {
            "type_of_reference": _TYPES[paper.form or paper.implied_form].ris,
            "id": keys[paper.id],
            "title": paper.title,
            "abstract": paper.abstract,
            "authors": [_family_first(name) for name in paper.authors],
            "year": str(paper.year or ""),
            "journal_name": paper.venue or "",
            "urls": [paper.link] if paper.link and not paper.doi else [],
            "doi": paper.doi or "",
        }
        known = {name: value for name, value in entry.items() if value}
        yield rispy.dumps([known], implementation=Writer).strip()
        yield "\n\n"


def _bibtex(papers: Iterable[Paper], keys: Keys) -> Iterator[str]:
    from bibtexparser.entrypoint import write_string  # noqa: PLC0415
    from bibtexparser.library import Library  # noqa: PLC0415
    from bibtexparser.model import Entry, Field  # noqa: PLC0415

    for paper in papers:
        kind, venue = _TYPES[paper.form or paper.implied_form].bibtex
        fields = {
            "title": f"{{{latex(paper.title)}}}" if paper.title else "",
            "author": " and ".join(latex(name) for name in paper.authors),
            "year": str(paper.year or ""),
            venue: latex(paper.venue or ""),
            "abstract": latex(paper.abstract),
            "doi": paper.doi or "",
            "url": paper.url or "",
            "eprint": paper.arxiv_id or "",
            "archiveprefix": "arXiv" if paper.arxiv_id else "",
        }
        entry = Entry(
            kind,
            keys[paper.id],
            [Field(name, value) for name, value in fields.items() if value],
        )
        yield write_string(Library([entry])).strip()
        yield "\n\n"


Writer = Callable[[Iterable[Paper], Keys], Iterator[str]]


def _keyed(write: Writer) -> Callable[..., Iterator[str]]:
    """The writer; without keys of the library, those of the papers themselves are made."""

    def written(papers: Iterable[Paper], keys: Keys | None = None) -> Iterator[str]:
        if keys is None:
            papers = list(papers)
            keys = citation_keys(papers)
        return write(papers, keys)

    return written


FORMATS: dict[str, Callable[..., Iterator[str]]] = {
    "jsonl": _keyed(_jsonl),
    "bibtex": _keyed(_bibtex),
    "ris": _keyed(_ris),
    "csl": _keyed(_csl),
    "csv": _keyed(_csv),
}
"""Name of a format → its writer: ``FORMATS["bibtex"](papers, keys)``.

``keys``: as `citation_keys` makes them of the whole library (`Assistant.citation_keys`).
"""
MEDIA_TYPES = {
    "jsonl": ("application/jsonl", "jsonl"),
    "bibtex": ("application/x-bibtex", "bib"),
    "ris": ("application/x-research-info-systems", "ris"),
    "csl": ("application/vnd.citationstyles.csl+json", "json"),
    "csv": ("text/csv", "csv"),
}
"""Name of a format → its media type, and the extension of its files."""


def _family_first(name: str) -> str:
    """The name as RIS wants it: "Lovelace, Ada King", "van Bevern, R."."""
    given, particle, family = _parts(name)
    return f"{particle} {family}, {given}".lstrip() if given else name
