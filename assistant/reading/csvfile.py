"""CSV and TSV with a header line: comma, semicolon, tab or bar, whichever the header uses.

A quotation mark that is never closed would swallow all records to the next one; such a record is
given up after its first line and reading goes on with the second, so that it loses only itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from assistant.errors import SourceError
from assistant.escaping import unguarded
from assistant.paper import Paper
from assistant.reading.fields import knows, taken
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

__all__ = ["is_table", "read_csv"]

_DELIMITERS = ",;\t|"
_LONGEST_RECORD = 1 << 24  # characters: a column may hold the full text of a paper
_TOO_LONG = "a quotation mark is not closed, or the record is too long"


def is_table(head: str) -> bool:
    """Whether the first line names a column for titles or abstracts, and others."""
    header = _header(head.lstrip().partition("\n")[0])
    return header is not None and len(header[1]) > 1


def read_csv(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record after the header.

    Raises:
        SourceError: the first line names neither titles nor abstracts.

    """
    lines = _Lines(stream)
    first = next((line for line in lines if line.strip()), "")
    found = _header(first)
    if found is None:
        shown = first.strip()[:80]
        raise SourceError(
            f"{source} has no column for titles or abstracts; its first line is: {shown}",
            "Name the columns in the first line, for instance: title,abstract,year.",
        )
    delimiter, header = found
    while (record := _next_record(lines, delimiter, len(header))) is not None:
        number, values = record
        where = f"line {number}"
        if isinstance(values, str):
            yield Rejection(source=source, where=where, reason=values)
        elif any(value.strip() for value in values):
            named: dict[str, str] = {}
            for name, value in zip(header, values, strict=False):
                named.setdefault(name, unguarded(value))
            yield taken(named, source=source, where=where)


def _header(line: str) -> tuple[str, list[str]] | None:
    """The delimiter and the names of the columns, if one of them is a title's or abstract's."""
    line = line.lstrip("\ufeff").rstrip("\r\n")
    candidates = []
    for delimiter in _DELIMITERS:
        names = _values([line], delimiter)
        if isinstance(names, list) and knows(names):
            candidates.append((delimiter, [name.strip() for name in names]))
    return max(candidates, key=lambda found: len(found[1]), default=None)


class _Lines:
    """Lines of a stream, with the number of the next one; they can be put back."""

    def __init__(self, stream: TextIO) -> None:
        self._lines = numbered_lines(stream)
        self._back: list[str] = []
        self.number = 0
        self.taken: list[str] = []
        self.too_long = False
        self._size = 0

    def begin_record(self) -> None:
        self.taken, self._size, self.too_long = [], 0, False

    def put_back_all_but_first(self) -> None:
        self._back += reversed(self.taken[1:])
        self.number -= len(self.taken) - 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._size > _LONGEST_RECORD:
            self.too_long = True
            raise StopIteration
        line = self._back.pop() if self._back else next(self._lines)[1]
        self.number += 1
        line = "" if line is None else line
        self.taken.append(line)
        self._size += len(line)
        return line.replace("\0", "")


def _next_record(lines: _Lines, delimiter: str, width: int) -> tuple[int, list[str] | str] | None:
    """The line that a record begins on, with its values or what is wrong; None at the end."""
    lines.begin_record()
    values = _values(lines, delimiter)
    if not lines.taken:
        return None
    number = lines.number - len(lines.taken) + 1
    if isinstance(values, list):
        surplus = values[width:]
        if not any(value.strip() for value in surplus):
            return number, values
        problem = f"{len(values)} values, but {width} columns"
    else:
        problem = _TOO_LONG if lines.too_long else values
    lines.put_back_all_but_first()
    # Tab-separated files are often written without any quoting: a quotation mark is just that.
    plain = lines.taken[0].rstrip("\r\n").split(delimiter)
    if delimiter == "\t" and len(plain) == width:
        return number, plain
    return number, problem


def _values(lines: _Lines | list[str], delimiter: str) -> list[str] | str:
    """The values of the next record, or what is wrong with it."""
    limit = csv.field_size_limit(2 * _LONGEST_RECORD)
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        unclosed = "unexpected end of data" in str(error)
        return "a quotation mark is not closed" if unclosed else f"not valid CSV: {error}"
    finally:
        csv.field_size_limit(limit)
