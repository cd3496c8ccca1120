"""A JSON array of papers, or an object that holds one: ``{"data": […]}``, ``{"message": {…}}``.

Read through ijson, one record in memory at a time. JSON cannot be taken up again behind a mistake
in it: what comes before the mistake is kept, and one rejection says where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TextIO

from assistant.paper import Paper
from assistant.reading.fields import normal_key, taken
from assistant.results import Rejection

__all__ = ["is_json", "read_json"]

_CONTAINERS = re.compile(
    "abstracts|articles|corpus|data|docs|documents|entries|hits|items|papers|publications"
    "|records|results"
)
_START = re.compile(r'\s*(?:\[\s*(?:\{|\]|\[|"|$)|\{\s*(?:"|\}|$))')


def is_json(head: str) -> bool:
    """Whether a text begins like an array or object."""
    return _START.match(head) is not None


def read_json(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record of the array."""
    import ijson  # type: ignore[import-untyped]  # noqa: PLC0415  only this format needs it

    number = 0
    try:
        for number, record in enumerate(_records(stream), start=1):
            yield taken(record, source=source, where=f"record {number}")
    except (ijson.JSONError, ValueError, OverflowError) as error:
        where = f"record {number + 1}"
        reason = f"not valid JSON from here on ({_first_line(error)}); the rest was not read"
        yield Rejection(source=source, where=where, reason=reason)


def _records(stream: TextIO) -> Iterator[Any]:
    """The elements of the outermost arrays of papers; else the outermost objects themselves."""
    import ijson  # noqa: PLC0415
    from ijson.common import ObjectBuilder  # type: ignore[import-untyped]  # noqa: PLC0415

    events = ijson.parse(_Utf8(stream), use_float=True, multiple_values=True)
    outermost = ObjectBuilder()
    found = False
    for prefix, event, value in events:
        if event == "start_array" and (not prefix or _holds_papers(prefix)):
            found = True
            yield from _elements(events)
            if prefix:
                outermost.event("null", None)
            continue
        if not prefix and event not in ("map_key", "end_map"):
            outermost, found = ObjectBuilder(), False
        outermost.event(event, value)
        if not prefix and event not in ("start_map", "map_key") and not found:
            yield outermost.value


def _holds_papers(prefix: str) -> bool:
    """Whether the path to an array says that papers are in it: ``data``, ``message.items``."""
    keys = prefix.split(".")
    return len(keys) <= 2 and _CONTAINERS.fullmatch(normal_key(keys[-1])) is not None


def _elements(events: Iterator[tuple[str, str, Any]]) -> Iterator[Any]:
    """The elements of the array that has just begun, up to its end."""
    from ijson.common import ObjectBuilder  # noqa: PLC0415

    depth = 0
    builder = ObjectBuilder()
    for _, event, value in events:
        if depth == 0 and event == "end_array":
            return
        builder.event(event, value)
        depth += (event in ("start_map", "start_array")) - (event in ("end_map", "end_array"))
        if depth == 0:
            yield builder.value
            builder = ObjectBuilder()


class _Utf8:
    """A text stream as the bytes that ijson wants."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size).replace("\ufeff", "").encode("utf-8", "replace")


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 80 else text[:79] + "…"
