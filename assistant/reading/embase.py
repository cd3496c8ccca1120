"""Embase's CSV with a row for each field: its name, then its values; a title begins a record."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import TextIO

from assistant.paper import Paper
from assistant.reading.fields import field_of, paper_from
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

__all__ = ["is_embase", "read_embase"]

_TITLE = "TITLE"
_ROW = re.compile(r'^"([A-Z][A-Z0-9 /()-]*)",', re.MULTILINE)


def is_embase(head: str) -> bool:
    """Whether the first row is a title, and others are authors, an abstract or a DOI."""
    names = _ROW.findall(head.lstrip("\ufeff\r\n "))
    telling = {"authors", "abstract", "doi"}
    return names[:1] == [_TITLE] and bool(telling & {field_of(name) for name in names[1:40]})


def read_embase(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every title."""
    number = 0
    record: dict[str, object] = {}
    try:
        for row in csv.reader((line or "") for _, line in numbered_lines(stream)):
            name = row[0].lstrip("\ufeff").strip() if row else ""
            values = [value for value in row[1:] if value.strip()]
            if name == _TITLE:
                if record:
                    yield paper_from(record, source=source, where=f"record {number}")
                number += 1
                record = {}
            if values and number:
                record.setdefault(name, values if len(values) > 1 else values[0])
    except csv.Error as error:
        reason = f"not valid CSV from here on ({error}); the rest was not read"
        yield Rejection(source=source, where=f"record {number}", reason=reason)
    else:
        yield paper_from(record, source=source, where=f"record {number}")
