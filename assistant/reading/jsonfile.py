"""JSON: an array of papers, an object that holds one somewhere, or an object of papers by id.

``{"data": […]}``, ``{"message": {"items": […]}}``, ``{"hits": {"hits": […]}}``: the array is known
by what is in it, not by its name. Read through ijson, one record in memory at a time, within
bounds: how deep values are nested, how much a record holds, how long a text is. JSON cannot be
taken up again behind a mistake in it: what comes before is kept, and one rejection says where it
is.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any, TextIO

from assistant.paper import Paper
from assistant.reading.fields import (
    field_of,
    is_title_alone,
    knows,
    normal_key,
    paper_of_object,
    unwrapped,
)
from assistant.reading.streams import one_line
from assistant.results import Rejection

__all__ = ["is_json", "read_json"]

MAX_DEPTH = 64
MAX_PARTS = 200_000
"""Names and values in one record: the largest collaborations have some ten thousand authors."""
MAX_TEXT = 1 << 24
MOST_IDLE = 300_000
"""Names and values from one paper to the next."""
_BEGINS, _ENDS = ("start_map", "start_array"), ("end_map", "end_array")
_DEEPEST_CONTAINER = 5
_MOST_KEPT = 2_000
"""Names of an object around the papers that are remembered."""

_START = re.compile(r'\s*(?:\[\s*(?:\{|\]|\[|"|null|$)|\{\s*(?:"|\}|$))')
_NOT_A_NUMBER = re.compile(r'(":\s*)(?:NaN|-?Infinity)(?=\s*[,}])')
_WRAPPERS: tuple[str, ...] = (
    "paper",
    "citingpaper",
    "citedpaper",
    "bibjson",
    "metadata",
    "data",
    "content",
)
_WRAPPERS += ("attributes", "message", "source", "document", "record", "fields", "item")
_CITED = ("references", "citations", "reference", "referencedworks", "relatedworks")

Event = tuple[str, Any]


def is_json(head: str) -> bool:
    """Whether a text begins like an array or object."""
    return _START.match(head) is not None


def read_json(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every record of the array."""
    import ijson  # type: ignore[import-untyped]  # noqa: PLC0415  only this format needs it

    number = 0
    try:
        events = _events(stream)
        for number, record in enumerate(_records(events), start=1):
            events.papers_came()
            where = f"record {number}"
            if record is _OVERSIZED:
                yield Rejection(source=source, where=where, reason="the record is too large")
            else:
                yield paper_of_object(record, source=source, where=where)
    except (ijson.JSONError, ValueError, OverflowError) as error:
        where = f"record {number + 1}"
        reason = f"not valid JSON from here on ({one_line(str(error))}); the rest was not read"
        yield Rejection(source=source, where=where, reason=reason)


class _Oversized:
    """In place of a value that holds more than a paper can."""


_OVERSIZED = _Oversized()


def _events(stream: TextIO) -> _Events:
    import ijson  # noqa: PLC0415

    return _Events(ijson.basic_parse(_Utf8(stream), use_float=True, multiple_values=True))


def _records(events: _Events) -> Iterator[Any]:
    """The records of all values in the stream, one after the other."""
    for event in events:
        kind, value = event
        if kind == "start_array":
            yield from _array(events, top=True)
        elif kind == "start_map":
            found = False
            search = _object(events, [])
            try:
                while True:
                    record = next(search)
                    found = True
                    yield record
            except StopIteration as end:
                rest = end.value
            if not found or knows(unwrapped(rest)):
                yield rest
        else:
            yield value


class _Events:
    """The parser's events, as long as they are not nested too deep, and papers are among them."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._depth = 0
        self._idle = 0

    def papers_came(self) -> None:
        """A paper was found."""
        self._idle = 0

    def __iter__(self) -> _Events:
        return self

    def __next__(self) -> Event:
        kind, value = next(self._events)
        self._depth += (kind in _BEGINS) - (kind in _ENDS)
        self._idle += 1
        if self._depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        if self._idle > MOST_IDLE:
            raise ValueError("too much in it that is no paper")
        return kind, value


def _built(events: _Events, first: Event) -> Any:
    """The value that begins with ``first``; read to its end, but not kept, if it is too large."""
    from ijson.common import ObjectBuilder  # type: ignore[import-untyped]  # noqa: PLC0415

    builder = ObjectBuilder()
    depth = parts = size = 0
    event = first
    while True:
        kind, value = event
        parts += 1
        size += len(value) if isinstance(value, str) else 8
        if parts <= MAX_PARTS and size <= MAX_TEXT:
            builder.event(kind, value)
        else:
            builder = ObjectBuilder()  # what was built is let go
        depth += (kind in _BEGINS) - (kind in _ENDS)
        if depth == 0:
            break
        event = next(events)
    return builder.value if parts <= MAX_PARTS and size <= MAX_TEXT else _OVERSIZED


def _object(events: _Events, path: list[str]) -> Generator[Any, None, dict[str, Any]]:
    """Yields the papers held in the object that has just begun; returns the rest of it."""
    rest: dict[str, Any] = {}
    fields: set[str | None] = set()
    for kind, key in events:
        if kind == "end_map":
            break
        first = next(events)
        inside = [*path, str(key)]
        kept: Any = first[1]
        nested = first[0] in _BEGINS
        searched = nested and len(path) < _DEEPEST_CONTAINER and not _is_part(key, fields)
        if searched and first[0] == "start_array":
            kept = yield from _array(events)
        elif searched and first[0] == "start_map":
            kept = yield from _object(events, inside)
            if _is_named_record(key, kept):
                yield kept if "id" in kept or str(key).isalpha() else {**kept, "id": key}
                kept = None
        elif nested:
            kept = _built(events, first)
        if len(rest) < _MOST_KEPT and kept is not _OVERSIZED:
            rest[key] = kept
            fields |= {field_of(key)} if kept is not None else set()
    return rest


def _is_part(key: str, fields: set[str | None]) -> bool:
    """Whether the value of a name is part of a paper, after a paper's ``fields`` came before it."""
    if field_of(key) in ("authors", "venue", "tags", "abstract", "title"):
        return True
    return "title" in fields and (
        bool(fields & {"abstract", "authors"})
        or fields >= {"doi", "source_id"}
        or normal_key(key) in _CITED
    )


def _is_named_record(key: str, value: Any) -> bool:
    """Whether an object under a name is a paper of its own, not a part of the one around it."""
    if not isinstance(value, dict) or normal_key(key) in _WRAPPERS or field_of(key):
        return False
    return _is_record(value) and not is_title_alone(value)


def _is_record(value: Any) -> bool:
    """Whether an object has a title or an abstract under a name that only papers use."""
    return isinstance(value, Mapping) and knows(unwrapped(value))


def _array(events: _Events, *, top: bool = False) -> Generator[Any, None, Any]:
    """Yields the elements of the array that has just begun, if they are papers.

    Returns None then, else the elements (those that are kept).
    """
    rest: list[Any] = []
    papers = False
    for event in events:
        if event[0] == "end_array":
            break
        if event[0] == "start_array" and not papers and not rest:
            inner = yield from _array(events, top=top)
            rest += [inner] if inner is not None else []
            continue
        element = _built(events, event)
        papers = papers or _is_record(element) or element is _OVERSIZED
        if papers:
            yield from rest if top else ()
            rest = []
            yield element
        elif len(rest) < _MOST_KEPT:
            rest.append(element)
    if papers:
        return None
    if top:
        for element in rest:
            yield from _held(element)
        return None
    return rest


def _held(element: Any, depth: int = 0) -> Iterator[Any]:
    """The papers inside one element of an array, such as a page of a service's answer."""
    found = False
    if isinstance(element, Mapping) and depth < _DEEPEST_CONTAINER:
        for value in element.values():
            inner = value if isinstance(value, list) else []
            if inner and any(map(_is_record, inner)):
                found = True
                yield from inner
            elif isinstance(value, Mapping) and not found:
                deeper = [record for record in _held(value, depth + 1) if _is_record(record)]
                found = bool(deeper)
                yield from deeper
    if not found and depth == 0:
        yield element


class _Utf8:
    """A text stream as the bytes that ijson wants."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._unquoted = 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        last = chunk.rfind('"')
        self._unquoted = self._unquoted + len(chunk) if last < 0 else len(chunk) - last
        if self._unquoted > MAX_TEXT and chunk.strip():
            raise ValueError("a text in it is longer than any paper")
        if "NaN" in chunk or "Infinity" in chunk:  # as Python writes what is missing
            chunk = _NOT_A_NUMBER.sub(r"\1null", chunk)
        return chunk.replace("\ufeff", "").encode("utf-8", "replace")
