"""CSV and TSV with a header line: comma, semicolon, tab or bar, whichever the header uses.

A few lines about the search may stand before the header. A record that cannot be right (a
quotation mark that is never closed, cells that are shifted) is rejected whole: reading goes on at
the next line that is a record by itself, and what was inside is never read as one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from assistant.errors import SourceError
from assistant.escaping import unguarded
from assistant.paper import Paper
from assistant.reading import identifiers
from assistant.reading.fields import (
    field_of,
    is_title_alone,
    knows,
    normal_key,
    paper_from,
)
from assistant.reading.streams import numbered_lines
from assistant.reading.tagged import ovid_fields, web_of_science_fields
from assistant.results import Rejection

__all__ = ["is_table", "read_csv"]

_DELIMITERS = ",;\t|"
_LONGEST_RECORD = 1 << 22  # characters: a column may hold the full text of a paper
_BANNER_LINES = 12
_LONGEST_NAME = 80
_MOST_ATTEMPTS = 2_000
"""Lines on which it is tried to take up reading again behind one broken record."""
_TRIED_CHARACTERS = 1 << 16
_TOO_LONG = "a quotation mark is not closed, or the record is too long"
_WEB_OF_SCIENCE = frozenset({"PT", "AU", "TI", "SO", "UT"})
_OVID = frozenset({"UI", "DB", "TI", "SO", "VN"})
"""Tags that services name their columns by; three of them tell whose a table is."""


def is_table(head: str) -> bool:
    """Whether one of the first lines names a column for titles or abstracts, and others."""
    lines = head.lstrip("\ufeff\r\n ").splitlines()[:_BANNER_LINES]
    return any(header is not None and len(header.names) > 1 for header in map(_header, lines))


@dataclass(frozen=True)
class _Header:
    """The names of the columns and what stands between them."""

    delimiter: str
    names: list[str]

    @property
    def width(self) -> int:
        return len(self.names)

    @property
    def is_ovid(self) -> bool:
        """Whether the columns are called by Ovid's tags."""
        return len(_OVID & set(self.names)) >= 3 and "UT" not in self.names

    @property
    def is_tagged(self) -> bool:
        """Whether the columns are called by tags."""
        return self.is_ovid or len(_WEB_OF_SCIENCE & set(self.names)) >= 3

    def record(self, values: Sequence[str]) -> dict[str, object]:
        """One record; Web of Science and Ovid name their columns by their tags."""
        if self.is_tagged:
            tags = {name: [value] for name, value in zip(self.names, values, strict=False)}
            return ovid_fields(tags) if self.is_ovid else web_of_science_fields(tags)
        named: dict[str, object] = {}
        for name, value in zip(self.names, values, strict=False):
            if value.strip() or name not in named:
                named.setdefault(name, unguarded(value))
        return named

    def is_checked(self, values: Sequence[str]) -> bool:
        """Whether there is a cell at all that `fits` can judge."""
        pairs = zip(self.names, values, strict=False)
        return any(normal_key(name) in _CHECKED and value.strip() for name, value in pairs)

    def fits(self, values: Sequence[str]) -> bool:
        """Whether the cells for years, DOIs and addresses hold what they are for."""
        return all(
            _plausible(normal_key(name), value.strip())
            for name, value in zip(self.names, values, strict=False)
            if value.strip()
        )


_CHECKED = frozenset("year publicationyear pubyear publishedyear doi url link".split())


def _plausible(name: str, value: str) -> bool:
    if name in ("year", "publicationyear", "pubyear", "publishedyear"):
        return len(value) < 40 and (
            identifiers.year(value) is not None or not re.search(r"[A-Za-z]{4}.* ", value)
        )
    if name == "doi":
        return len(value) < 300 and (
            identifiers.doi([value]) is not None or " " not in value or "arxiv" in value.lower()
        )
    return name not in ("url", "link") or " " not in value.partition(";")[0].strip()


def read_csv(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record after the header.

    Raises:
        SourceError: none of the first lines names titles or abstracts.
    """
    lines = _Lines(stream)
    header = _found_header(lines, source)
    while (record := _next_record(lines, header)) is not None:
        number, values = record
        where = f"line {number}"
        if isinstance(values, str):
            yield Rejection(source=source, where=where, reason=values)
        elif any(value.strip() for value in values):
            named = header.record(values)
            yield paper_from(named, source=source, where=where, turned=header.is_tagged)


def _found_header(lines: _Lines, source: str) -> _Header:
    first = ""
    for number, line in enumerate(lines):
        first = first or line.strip()
        if (header := _header(line)) is not None:
            return header
        if number > _BANNER_LINES:
            break
    alone = is_title_alone(map(str.strip, re.split(f"[{re.escape(_DELIMITERS)}]", first)))
    lacks = "abstracts, authors, years or DOIs" if alone else "titles or abstracts"
    raise SourceError(
        f"{source} has no column for {lacks}; its first line is: {first[:80]}",
        "Name the columns in the first line, for instance: title,abstract,year.",
    )


def _header(line: str) -> _Header | None:
    """The columns that a line names, if one of them is a title's or abstract's."""
    line = line.lstrip("\ufeff# ").rstrip("\r\n")
    candidates = []
    for delimiter in _DELIMITERS:
        names = _values([line], delimiter)
        if not isinstance(names, list) or max(map(len, names), default=0) > _LONGEST_NAME:
            continue
        names = [name.strip() for name in names]
        if is_title_alone(filter(None, names)) or any(n.count("(") != n.count(")") for n in names):
            continue
        if knows(names) or len(_WEB_OF_SCIENCE & set(names)) >= 3:
            candidates.append(_Header(delimiter, names))
    return max(candidates, key=lambda found: found.width, default=None)


class _Lines:
    """Lines of a stream, with the number of the next one; they can be put back."""

    def __init__(self, stream: TextIO) -> None:
        self._lines = numbered_lines(stream)
        self._back: list[str] = []
        self.number = 0
        self.record: list[str] = []
        self.too_long = self.given_up = False
        self._size = 0
        self._limit = _LONGEST_RECORD

    def begin_record(self, limit: int = _LONGEST_RECORD) -> None:
        self.record, self._size, self.too_long, self._limit = [], 0, False, limit

    def put_back_all_but_first(self) -> None:
        self._back += reversed(self.record[1:])
        self.number -= len(self.record) - 1

    def put_back(self, line: str) -> None:
        self._back.append(line)
        self.number -= 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._size > self._limit:
            self.too_long = True
            raise StopIteration
        line = self._back.pop() if self._back else next(self._lines)[1]
        self.number += 1
        line = "" if line is None else line
        self.record.append(line)
        self._size += len(line) + 1
        return line.replace("\0", "")


def _next_record(lines: _Lines, header: _Header) -> tuple[int, list[str] | str] | None:
    """The line that a record begins on, with its values or what is wrong; None at the end."""
    lines.begin_record()
    values = [] if lines.given_up else _values(lines, header.delimiter)
    if not lines.record:
        return None
    number = lines.number - len(lines.record) + 1
    if isinstance(values, list):
        problem = _shifted(header, values, "".join(lines.record))
        return number, values if problem is None else problem
    problem = _TOO_LONG if lines.too_long else values
    # Tab-separated files are often written without any quoting: a quotation mark is just that.
    plain = lines.record[0].rstrip("\r\n").split(header.delimiter)
    lines.put_back_all_but_first()
    if header.delimiter == "\t" and len(plain) == header.width:
        return number, plain
    # Quotation marks inside a cell that nobody doubled: where the line is right otherwise, it is.
    loose = _values(lines.record[:1], header.delimiter, strict=False)
    if (
        isinstance(loose, list)
        and len(loose) == header.width > 1
        and header.fits(loose)
        and lines.record[0].count('"') > 1
    ):
        return number, loose
    _skip_to_record(lines, header)
    return number, f"{problem}; the rest was not read" if lines.given_up else problem


def _shifted(header: _Header, values: list[str], text: str) -> str | None:
    """What is wrong with a record that has more or fewer cells than there are columns."""
    width = header.width
    surplus = [value for value in values[width:] if value.strip()]
    problem = f"{len(values)} values, but {width} columns"
    if not surplus:
        alone = width > 2 and len(values) == 1 and values[0].strip()
        return problem if alone else None
    # Some exports write more cells than their header names, behind those that matter here.
    needed = [
        place
        for place, name in enumerate(header.names)
        if field_of(name) in ("title", "abstract") and values[place].strip()
    ]
    if not header.fits(values) or not header.is_checked(values) or not needed:
        return problem
    whole = all(_is_whole(values, place, text) for place in needed)
    return None if whole else problem


def _is_whole(values: Sequence[str], place: int, text: str) -> bool:
    """Whether a cell ends where its author ended it: in quotation marks, or before no blank."""
    quoted = '"' + values[place].replace('"', '""') + '"' in text
    return quoted or not values[place + 1].startswith(" ")


def _skip_to_record(lines: _Lines, header: _Header) -> None:
    """Passes over lines until one begins a record by itself; gives up after too many."""
    for _ in range(_MOST_ATTEMPTS):
        lines.begin_record(_TRIED_CHARACTERS)
        values = _values(lines, header.delimiter)
        if not lines.record:
            return
        whole = isinstance(values, list) and len(values) == header.width and header.fits(values)
        if whole and not (len(lines.record) > 1 and _holds_records(lines.record, header)):
            first = lines.record[0]
            lines.put_back_all_but_first()
            lines.put_back(first)
            return
        lines.put_back_all_but_first()
    lines.given_up = True


def _holds_records(record: Sequence[str], header: _Header) -> bool:
    """Whether a line inside is a whole record, so that the lines around only look like one."""
    inner = (_values([line], header.delimiter) for line in record[1:50])
    return any(isinstance(values, list) and len(values) == header.width for values in inner)


def _values(lines: _Lines | list[str], delimiter: str, *, strict: bool = True) -> list[str] | str:
    """The values of the next record, or what is wrong with it."""
    limit = csv.field_size_limit(2 * _LONGEST_RECORD)
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=strict), [])
    except csv.Error as error:
        unclosed = "unexpected end of data" in str(error)
        return "a quotation mark is not closed" if unclosed else f"not valid CSV: {error}"
    finally:
        csv.field_size_limit(limit)
