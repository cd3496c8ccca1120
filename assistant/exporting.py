"""Papers as JSON Lines, BibTeX, RIS and CSV: what the readers take in again.

Each writer is a function from papers to pieces of text; JSON Lines and CSV hold every field that
is known, BibTeX and RIS what those formats have a place for.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from assistant.paper import Paper

__all__ = ["FORMATS", "record"]

_COLUMNS = ("title", "abstract", "authors", "year", "venue", "url", "doi", "arxiv_id", "id")
_NOT_FOR_EXPORT = {"source", "source_id", "key", "original", "kind"}
_KEY_WORDS = frozenset(
    ("a", "an", "and", "by", "for", "from", "in", "of", "on", "the", "to", "with")
)


def record(paper: Paper) -> dict[str, Any]:
    """The paper as a JSON object, without what is not known."""
    values = paper.model_dump(mode="json", exclude=_NOT_FOR_EXPORT)
    if paper.kind != "abstract":
        values["kind"] = paper.kind
    ordered = {"id": values.pop("id"), **values}
    return {name: value for name, value in ordered.items() if value or name == "abstract"}


def _jsonl(papers: Iterable[Paper]) -> Iterator[str]:
    for paper in papers:
        yield json.dumps(record(paper), ensure_ascii=False) + "\n"


def _csv(papers: Iterable[Paper]) -> Iterator[str]:
    line = io.StringIO(newline="")
    writer = csv.DictWriter(line, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for paper in papers:
        values = record(paper)
        values["authors"] = "; ".join(paper.authors)
        writer.writerow({name: values.get(name, "") for name in _COLUMNS})
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _ris(papers: Iterable[Paper]) -> Iterator[str]:
    import rispy  # type: ignore[import-untyped]  # noqa: PLC0415

    class Writer(rispy.RisWriter):  # type: ignore[misc]
        """Without the number that rispy puts before each record."""

        def set_header(self, count: int) -> str:
            """Nothing."""
            del count
            return ""

    for paper in papers:
        entry = {
            "type_of_reference": "JOUR" if paper.venue else "GEN",
            "id": paper.id,
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


def _bibtex(papers: Iterable[Paper]) -> Iterator[str]:
    from bibtexparser.entrypoint import write_string  # noqa: PLC0415
    from bibtexparser.library import Library  # noqa: PLC0415
    from bibtexparser.model import Entry, Field  # noqa: PLC0415

    taken: set[str] = set()
    for paper in papers:
        fields = {
            "title": f"{{{_latex(paper.title)}}}" if paper.title else "",
            "author": " and ".join(_latex(name) for name in paper.authors),
            "year": str(paper.year or ""),
            "journal": _latex(paper.venue or ""),
            "abstract": _latex(paper.abstract),
            "doi": paper.doi or "",
            "url": paper.url or "",
            "eprint": paper.arxiv_id or "",
            "archiveprefix": "arXiv" if paper.arxiv_id else "",
        }
        entry = Entry(
            "article" if paper.venue else "misc",
            _citation_key(paper, taken),
            [Field(name, value) for name, value in fields.items() if value],
        )
        yield write_string(Library([entry])).strip()
        yield "\n\n"


FORMATS: dict[str, Callable[[Iterable[Paper]], Iterator[str]]] = {
    "jsonl": _jsonl,
    "bibtex": _bibtex,
    "ris": _ris,
    "csv": _csv,
}
"""Name of a format → its writer."""


def _latex(text: str) -> str:
    """``text`` with LaTeX's own characters escaped; all others stay as they are (UTF-8)."""
    named = {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
    if not _balanced(text):  # BibTeX counts escaped braces, too
        named |= {"{": r"\lbrace{}", "}": r"\rbrace{}"}
    return re.sub(r"[\\{}~^#$%&_]", lambda found: named.get(found[0], "\\" + found[0]), text)


def _balanced(text: str) -> bool:
    depth = 0
    for brace in re.findall(r"[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _citation_key(paper: Paper, taken: set[str]) -> str:
    """Family name, year, first telling word of the title; a letter more where that is taken."""
    family = paper.authors[0].split()[-1] if paper.authors else ""
    words = [w for w in paper.title_key.split() if w not in _KEY_WORDS] or ["paper"]
    plain = re.sub(r"[^a-z0-9]", "", f"{family}{paper.year or ''}{words[0]}".lower()) or "paper"
    key, n = plain, 1
    while key in taken:
        n += 1
        key = f"{plain}-{n}"
    taken.add(key)
    return key


def _family_first(name: str) -> str:
    """The name as RIS wants it: "Lovelace, Ada King"."""
    given, _, family = name.rpartition(" ")
    return f"{family}, {given}" if given else name
