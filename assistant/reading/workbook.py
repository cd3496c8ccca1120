"""Excel workbooks (.xlsx, as Scopus, Web of Science and Dimensions export) as the same CSV.

The first sheet with a header of papers is written out as CSV text, which the reader of CSV then
reads. A workbook is a zip file: what it unpacks to is bounded before anything of it is read, and
what is written out once more, as one long text may stand in a million cells.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import date, datetime
from itertools import chain, islice
from typing import IO
from zipfile import BadZipFile, ZipFile

from assistant.errors import SourceError
from assistant.reading.csvfile import is_table

__all__ = ["is_workbook", "sheet_as_csv"]

_MOST_UNPACKED = 1 << 31
_LARGEST_PART = 1 << 28
"""Of all but the sheets, which are read row by row; the shared texts are held whole."""
_MOST_WRITTEN = 1 << 30
_MOST_ROWS = 1 << 20
"""Excel's own limit; a file may number its rows as it likes."""
_MOST_SHEETS = 20
_HEAD_ROWS = 12

Row = tuple[object, ...]


def is_workbook(file: IO[bytes], name: str) -> bool:
    """Whether an open file is an Excel workbook, by its name and its first bytes."""
    begins = file.peek(4)[:4] if isinstance(file, io.BufferedReader) else b""
    return name.lower().endswith((".xlsx", ".xlsm")) and begins == b"PK\x03\x04"


def sheet_as_csv(file: IO[bytes], name: str) -> IO[bytes]:
    """The sheet that holds papers, as CSV in UTF-8, in a file without a name.

    Args:
        file: open for reading, seekable.
        name: how messages call it.

    Raises:
        SourceError: it is no workbook, is damaged, or unpacks to more than papers would.
    """
    try:
        _check(file, name)
        return _written(file, name)
    except SourceError:
        raise
    except Exception as error:  # a damaged workbook makes openpyxl raise anything
        raise SourceError(
            f"{name} cannot be read as an Excel workbook.", "Save it again, or export it as CSV."
        ) from error


def _check(file: IO[bytes], name: str) -> None:
    """That it unpacks to a bounded size, and no part defines entities."""
    with ZipFile(file) as packed:
        parts = packed.infolist()
        texts = [part for part in parts if "/worksheets/" not in part.filename]
        unpacked = sum(part.file_size for part in parts)
        if unpacked > _MOST_UNPACKED or any(p.file_size > _LARGEST_PART for p in texts):
            raise _too_large(name)
        for part in parts:
            with packed.open(part) as opened:
                if b"<!DOCTYPE" in opened.read(1 << 16):
                    raise BadZipFile("Excel writes no document type")
    file.seek(0)


def _too_large(name: str) -> SourceError:
    return SourceError(f"{name} unpacks to more than a list of papers.", "Export it as CSV.")


def _written(file: IO[bytes], name: str) -> IO[bytes]:
    from openpyxl import load_workbook  # type: ignore[import-untyped]  # noqa: PLC0415  heavy

    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    first: list[Row] = []
    for sheet in workbook.worksheets[:_MOST_SHEETS]:
        sheet.reset_dimensions()  # exporters write wrong ones
        rows: Iterator[Row] = sheet.iter_rows(values_only=True)
        head = list(islice(rows, _HEAD_ROWS))
        if is_table("".join(_lines(head))):
            return _stored(chain(head, islice(rows, _MOST_ROWS)), name)
        first = first or head
    return _stored(first, name)


def _stored(rows: Iterable[Row], name: str) -> IO[bytes]:
    with ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryFile())
        for line in _lines(rows):
            out.write(line.encode("utf-8", "replace"))
            if out.tell() > _MOST_WRITTEN:
                raise _too_large(name)
        out.seek(0)
        stack.pop_all()  # the caller closes it
        return out


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    """Rows as CSV; those without any value are left out."""
    for row in rows:
        values = [_text(value) for value in row]
        if any(values):
            line = io.StringIO()
            csv.writer(line).writerow(values)
            yield line.getvalue()


def _text(value: object) -> str:
    """A cell as a person reads it: 2024.0 is a year, a date has no time."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
