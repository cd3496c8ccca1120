"""JSON Lines: an object a line, as arXiv's metadata snapshot and BEIR collections come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

from assistant.paper import Paper
from assistant.reading.fields import knows, paper_of_object, unwrapped
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

__all__ = ["is_json_lines", "read_json_lines"]


def is_json_lines(head: str) -> bool:
    """Whether the first line is an object of its own, and no container of papers."""
    first, _, rest = head.lstrip().partition("\n")
    if not first.startswith("{"):
        return False
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        # A broken first line is one bad record if objects follow; `{` alone is an indented object.
        return rest.lstrip().startswith("{") and first.strip() != "{"
    if not isinstance(record, dict):
        return False
    return rest.lstrip().startswith("{") or knows(unwrapped(record))


def read_json_lines(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every line that is not empty."""
    for number, line in numbered_lines(stream):
        where = f"line {number}"
        if line is None:
            yield Rejection(source=source, where=where, reason="the line is too long for a paper")
            continue
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = f"not valid JSON: {getattr(error, 'msg', 'nested too deep')}"
            yield Rejection(source=source, where=where, reason=reason)
        else:
            yield paper_of_object(record, source=source, where=where)
