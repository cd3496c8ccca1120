"""Files of lines with tags: RIS, PubMed and MEDLINE (``.nbib``), Web of Science, EndNote.

The four differ in how a tag looks, which begins or ends a record, how a line goes on, and what
the tags are called: a `Dialect` each. Records are cut out of the stream one by one; a line that
belongs to nothing costs neither its record nor the fields around it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from assistant.paper import Paper
from assistant.reading.fields import paper_from
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

__all__ = [
    "is_endnote",
    "is_pubmed",
    "is_ris",
    "is_web_of_science",
    "ovid_fields",
    "read_endnote",
    "read_pubmed",
    "read_ris",
    "read_web_of_science",
    "web_of_science_fields",
]

_LONGEST_RECORD = 1 << 22  # characters
_GIVEN_UP = 1 << 24
"""Size of a record behind which its end is not looked for any more."""
_TOO_LONG = "the record is too long for a paper"
_ENDLESS = f"{_TOO_LONG}; the rest was not read"
_HEAD_LINES = 40
"""A banner may stand before the first record, a whole other text may not."""

Values = Mapping[str, list[str]]


@dataclass(frozen=True)
class Dialect:
    """One way of writing records with tags.

    Attributes:
        tag: matches a line that begins a value; groups: the tag, and what follows.
        begins: tags that begin a record; in one file, the one that is met first.
        ends: the tag that ends one, if there is any.
        separate: tags of which each line is a value of its own.
        goes_on: whether a line without a tag goes on with a value of this tag.
        fields: a record's values under the names of `assistant.reading.fields`.
    """

    tag: re.Pattern[str]
    begins: frozenset[str]
    ends: str | None
    separate: frozenset[str]
    goes_on: Callable[[str, str], bool]
    fields: Callable[[Values], dict[str, object]]

    def read(self, stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
        """A paper, or the reason why not, for every record."""
        for number, (line, values) in enumerate(self._records(stream), start=1):
            where = f"record {number} (line {line})"
            if isinstance(values, str):
                yield Rejection(source=source, where=where, reason=values)
            else:
                record = {name: value for name, value in self.fields(values).items() if value}
                yield paper_from(record, source=source, where=where, turned=True)

    def _records(self, stream: TextIO) -> Iterator[tuple[int, Values | str]]:
        """Values of each record, or what is wrong, with the number of its first line."""
        begun, size, latest, first = 0, 0, "", ""
        values: defaultdict[str, list[list[str]]] = defaultdict(list)
        for number, line in numbered_lines(stream):
            text = (line or "").rstrip().lstrip("\ufeff")
            found = self.tag.fullmatch(text)
            name = found[1] if found else ""
            first = first or (name if name in self.begins else "")
            if begun and name and name in (self.ends, first):
                yield begun, _joined(values) if size <= _LONGEST_RECORD else _TOO_LONG
                begun = 0
            if name and name == first:
                begun, size, values = number, 0, defaultdict(list)
            size += _LONGEST_RECORD + 1 if line is None else len(text) + 80
            if begun and size > _GIVEN_UP:
                yield begun, _ENDLESS
                return
            if not begun or size > _LONGEST_RECORD:
                continue
            if found:
                latest = name
                values[name].append([(found[2] or "").strip()])
            elif latest in values and text.strip():
                self._go_on(values[latest], latest, text)
        if begun:
            yield begun, _joined(values) if size <= _LONGEST_RECORD else _TOO_LONG

    def _go_on(self, held: list[list[str]], tag: str, text: str) -> None:
        if not self.goes_on(tag, text):
            return
        if tag in self.separate:
            held.append([text.strip()])
        else:
            held[-1].append(text.strip())


def _joined(values: Mapping[str, list[list[str]]]) -> dict[str, list[str]]:
    return {tag: [" ".join(lines) for lines in held] for tag, held in values.items()}


def _first(values: Values, *tags: str) -> str:
    """The first value of the first tag that has one."""
    return next((text for tag in tags for text in values.get(tag, ()) if text), "")


def _all(values: Values, *tags: str) -> list[str]:
    """The values of the first tag that has some."""
    return next((found for tag in tags if (found := list(filter(None, values.get(tag, ()))))), [])


def _begins_with(head: str, pattern: str) -> bool:
    """Whether one of the first lines of a text matches."""
    lines = head.lstrip("\ufeff \r\n").splitlines()[:_HEAD_LINES]
    return any(re.match(pattern, line.lstrip("\ufeff")) for line in lines)


# ---------------------------------------------------------------------------------------- RIS

_TEXTS = frozenset("TI T1 CT AB N2 N1 KW".split())
_LABELLED_LINK = re.compile(r"[^:]{3,80}:\s*(?:https?|ftp)://\S+\s*")


def _ris_goes_on(tag: str, text: str) -> bool:
    """Abstracts have paragraphs; a link between two fields ("Full text: http…") is no part."""
    return tag in _TEXTS and not _LABELLED_LINK.fullmatch(text)


def _ris_fields(values: Values) -> dict[str, object]:
    kind = _first(values, "TY").upper()
    venue = {
        "CHAP": ("BT", "T2", "JF", "JO", "T3"),
        "CONF": ("C3", "T2", "BT", "JF", "JO", "J2"),
        "CPAPER": ("C3", "T2", "BT", "JF", "JO", "J2"),
    }.get(kind, ("JF", "T2", "JO", "BT", "C3", "JA", "J2", "J1"))
    whole = kind in ("BOOK", "EDBOOK", "EBOOK")
    return {
        "type": kind,
        "title": _first(values, "TI", "T1", "CT", *(("BT",) if whole else ()), "ST"),
        "abstract": _first(values, "AB", "N2"),
        "authors": _all(values, "AU", "A1"),
        "year": _first(values, "PY", "Y1", "DA", "Y2"),
        "journal": _first(values, *venue) if not whole else "",
        "doi": _first(values, "DO", "DI", "M3", "L3"),
        "url": _all(values, "UR") + _all(values, "L2", "LK", "L1"),
        "id": _first(values, "ID", "AN"),
        "identifiers": _all(values, "AN") + _all(values, "M1") + _all(values, "C7"),
        "keywords": "; ".join(_all(values, "KW")),
    }


_RIS = Dialect(
    tag=re.compile(r"\s{0,4}([A-Z][A-Z0-9])\s{1,2}-(?:\s+|$)(.*)", re.DOTALL),
    begins=frozenset({"TY"}),
    ends="ER",
    separate=frozenset(),
    goes_on=_ris_goes_on,
    fields=_ris_fields,
)


def is_ris(head: str) -> bool:
    """Whether a text begins with a record's type."""
    return _begins_with(head, r"\s{0,4}TY\s{1,2}-(?:\s|$)")


def read_ris(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record from ``TY`` to ``ER``."""
    return _RIS.read(stream, source)


# ------------------------------------------------------------------------------------- PubMed


def _indented(_tag: str, text: str) -> bool:
    return text.startswith(" ")


def _pubmed_fields(values: Values) -> dict[str, object]:
    ids = values.get("LID", []) + values.get("AID", [])
    dois = [text.removesuffix("[doi]").strip() for text in ids if text.endswith("[doi]")]
    people = _all(values, "FAU", "AU")
    return {
        "title": _first(values, "TI", "BTI", "CTI", "TT"),
        "abstract": _first(values, "AB", "OAB"),
        "authors": people + values.get("CN", []),
        "year": _first(values, "DP", "DEP", "EDAT"),
        "journal": _first(values, "JT", "TA"),
        "doi": dois,
        "id": _first(values, "PMID"),
        "keywords": [text.lstrip("*") for text in values.get("OT", [])],
    }


_PUBMED = Dialect(
    tag=re.compile(r"([A-Z]{2,4})\s{0,2}- ?(.*)"),
    begins=frozenset({"PMID", "OWN"}),
    ends=None,
    separate=frozenset(),
    goes_on=_indented,
    fields=_pubmed_fields,
)


def is_pubmed(head: str) -> bool:
    """Whether a text begins with a PubMed id, or with the owner of a record of ERIC."""
    return re.match(r"\s*(?:PMID\s?- ?\d|OWN - \S)", head) is not None


def read_pubmed(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record; each begins with its ``PMID``."""
    return _PUBMED.read(stream, source)


# ----------------------------------------------------------------------------- Web of Science


def web_of_science_fields(values: Values) -> dict[str, object]:
    """Web of Science's tags, in lines or as the header of a table."""
    people = _all(values, "AF", "AU", "BA") + values.get("CA", []) + values.get("GP", [])
    return {
        "title": _first(values, "TI"),
        "abstract": _first(values, "AB"),
        "authors": people if len(people) != 1 else people[0],
        "year": _first(values, "PY", "EY", "EA", "PD"),
        "journal": _first(values, "SO", "SE", "BS"),
        "doi": _first(values, "DI", "D2"),
        "id": _first(values, "UT"),
        "keywords": _first(values, "DE"),
        "url": [text for text in values.get("DL", []) if "://" in text],
    }


_WEB_OF_SCIENCE = Dialect(
    tag=re.compile(r"([A-Z][A-Z0-9])(?: (.*)|())"),
    begins=frozenset({"PT"}),
    ends="ER",
    separate=frozenset("AU AF BA BF CA GP".split()),
    goes_on=_indented,
    fields=web_of_science_fields,
)


def is_web_of_science(head: str) -> bool:
    """Whether a text begins as Web of Science writes: its name, or a record's type."""
    begun = head.lstrip("\ufeff \r\n")
    if re.match(r"(?:FN|VR) \S", begun):
        return re.search(r"^PT [A-Z]\s*$", begun, re.MULTILINE) is not None
    return re.match(r"PT [A-Z]\s*\n[A-Z][A-Z0-9] ", begun) is not None


def read_web_of_science(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record from ``PT`` to ``ER``."""
    return _WEB_OF_SCIENCE.read(stream, source)


# --------------------------------------------------------------------------------------- Ovid


def ovid_fields(values: Values) -> dict[str, object]:
    """Ovid's tags, as the header of a table; the lines of a cell are values of their own."""
    source = _first(values, "SO")
    people = next(filter(None, (_lines(values, tag) for tag in ("FA", "AU"))), [])
    return {
        "title": re.sub(r"(?<!\.[^\W\d_])\.$", "", _first(values, "TI").strip()),
        "abstract": _first(values, "AB"),
        "authors": people if len(people) != 1 else people[0],
        "year": _first(values, "YR", "DP", "PY") or source,
        "journal": _first(values, "NJ", "JN", "JX") or re.split(r"\.\s(?=[\d(]|Vol)", source)[0],
        "doi": [*_lines(values, "DO"), *_lines(values, "DI"), *_lines(values, "ID")],
        "id": _first(values, "UI", "AN"),
        "url": [text for text in _lines(values, "UR") if "://" in text],
        "keywords": [text.lstrip("*") for text in re.split(r";|\n", _first(values, "KW"))],
    }


def _lines(values: Values, tag: str) -> list[str]:
    """The lines of a cell that say something."""
    return [line.strip() for line in _first(values, tag).splitlines() if line.strip()]


# ------------------------------------------------------------------------------------ EndNote


def _endnote_goes_on(tag: str, _text: str) -> bool:
    return tag in "TXKJB"


def _endnote_fields(values: Values) -> dict[str, object]:
    chapter = "section" in _first(values, "0").lower() or "chapter" in _first(values, "0").lower()
    return {
        "title": _first(values, "T"),
        "abstract": _first(values, "X"),
        "authors": _all(values, "A"),
        "year": _first(values, "D", "8"),
        "journal": _first(values, *(("B", "J", "S") if chapter else ("J", "B", "S"))),
        "doi": _first(values, "R"),
        "url": _all(values, "U", ">"),
        "id": _first(values, "M", "F"),
        "keywords": "; ".join(_all(values, "K")),
    }


_ENDNOTE = Dialect(
    tag=re.compile(r"%([A-Z0-9!@#$&()*+<=>?\[\]^~_-])(?:\s+(.*)|())"),
    begins=frozenset({"0"}),
    ends=None,
    separate=frozenset({"K"}),
    goes_on=_endnote_goes_on,
    fields=_endnote_fields,
)


def is_endnote(head: str) -> bool:
    """Whether a text begins with two lines with EndNote's tags."""
    lines = [line for line in head.lstrip("\ufeff \r\n").splitlines() if line.strip()][:2]
    return len(lines) == 2 and all(re.match(r"%[A-Z0-9@] \S", line) for line in lines)


def read_endnote(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record; each begins with its ``%0``."""
    return _ENDNOTE.read(stream, source)
