"""BibTeX: entries are cut out of the stream one by one and parsed one by one.

So a file of any size is read in the memory of its longest entry, and a broken entry (a brace or a
comma missing) loses only itself. ``@string`` definitions are kept for the entries after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from assistant.paper import Paper
from assistant.reading.fields import normal_key, paper_from
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

if TYPE_CHECKING:
    from bibtexparser.library import Library

__all__ = ["is_bibtex", "read_bibtex"]

_LONGEST_ENTRY = 1 << 22  # characters
_GIVEN_UP = 1 << 25
"""Size of an entry behind which its end is not looked for any more."""
_LONGEST_VALUE = 1 << 20  # with the strings that it names
_STRINGS = 1 << 23  # characters of all that ``@string`` defines
_START = re.compile(r"@\s*(\w+)\s*([{(])")
_ENTRY_LINE = re.compile(
    r"@\s*\w+\s*[{(]\s*[^,={}()\"]{0,200}(?:,|=|$)|\s*@\s*\w+\s*[{(]\s*[^\s,={}()\"]*\s*(?:,|=|$)"
)
_KINDS = (
    "article|artwork|audio|book|booklet|collection|conference|dataset|electronic|image"
    "|in(?:book|collection|proceedings|reference)|manual|mastersthesis|misc|mv(?:book|collection)"
    "|online|patent|periodical|phdthesis|proceedings|reference|report|software|standard"
    "|techreport|thesis|unpublished|video|webpage|www"
)
_SNIFF = re.compile(
    rf"^\s*@\s*(?:(?:string|comment|preamble)\s*[{{(]|(?:{_KINDS})\s*[{{(][^,{{}}=]{{0,300}},)",
    re.M | re.I,
)
_BEFORE_ENTRIES = 1_500
"""Characters that may stand before the first entry, for instance what wrote the file."""
_SILENT = ("comment", "preamble")
_MARK = re.compile(r"[{})]")
_PIECE_MARK = re.compile(r'[{}"]')
_JOIN = re.compile(r"\s*#\s*")


def is_bibtex(head: str) -> bool:
    """Whether an entry begins at the start of one of the first lines."""
    text = re.sub(r"^%.*$", "", head, flags=re.MULTILINE)
    found = _SNIFF.search(text)
    return found is not None and found.start() <= _BEFORE_ENTRIES


def read_bibtex(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """A paper, or the reason why not, for every entry that is not a definition or comment."""
    strings: dict[str, str | None] = {}
    room = _STRINGS
    number = 0
    for block in _blocks(stream):
        kind = block.kind.lower()
        if kind in _SILENT:
            continue
        if kind == "string":
            for name, text in _definitions(block.text, strings).items():
                room -= len(text or "")
                strings[name] = text if room > 0 else None
            continue
        number += 1
        where = f"entry {number} (line {block.line})"
        problem = block.problem
        values: Mapping[str, str] = {}
        if not problem:
            try:
                values = _fields(block.text, strings)
            except ValueError as error:
                problem = str(error)
        if problem:
            yield Rejection(source=source, where=where, reason=problem)
        else:
            record = {"entrytype": kind, **values}
            yield paper_from(record, source=source, where=where, bibtex=True)


@dataclass
class _Entry:
    """The text of an entry while it comes in, with braces around it."""

    kind: str
    line: int
    closing: str
    pieces: list[str] = field(default_factory=list)
    depth: int = 0
    size: int = 0
    problem: str | None = None

    @property
    def text(self) -> str:
        return f"@{self.kind}{{{''.join(self.pieces)}}}"

    def add(self, text: str) -> int | None:
        """Takes ``text`` in; where the entry ends in it, or None if it goes on."""
        for mark in _MARK.finditer(text):
            if mark[0] == self.closing and self.depth == 0:
                self.pieces.append(text[: mark.start()])
                return mark.end()
            self.depth += (mark[0] == "{") - (mark[0] == "}" and self.depth > 0)
        self.size += len(text)
        if self.size <= _LONGEST_ENTRY:
            self.pieces.append(text)
        return None


def _blocks(stream: TextIO) -> Iterator[_Entry]:
    """The entries of a stream; an unfinished one ends where the next begins."""
    entry: _Entry | None = None
    for number, line in numbered_lines(stream):
        rest = line or ""
        if entry and _ENTRY_LINE.match(rest):
            entry.problem = "a brace is not closed in this entry"
            yield entry
            entry = None
        while rest:
            if entry is None:
                start = _START.search(rest)
                if start is None:
                    break
                entry = _Entry(start[1], number, "}" if start[2] == "{" else ")")
                rest = rest[start.end() :]
            end = entry.add(rest)
            if end is None:
                break
            if entry.size > _LONGEST_ENTRY:
                entry.problem = "the entry is too long for a paper"
            yield entry
            entry, rest = None, rest[end:]
        if entry and entry.size > _GIVEN_UP:
            entry.problem = "the entry is too long for a paper; the rest was not read"
            break
    if entry:
        entry.problem = entry.problem or "the file ends in the middle of this entry"
        yield entry


def _definitions(text: str, known: Mapping[str, str | None]) -> dict[str, str | None]:
    """What an ``@string`` defines; None for what is too long, nothing where it is broken."""
    found: dict[str, str | None] = {}
    for string in _parsed(text).strings:
        name = string.key.lower()
        try:
            found[name] = _value(string.key, str(string.value), known)
        except _TooLong:
            found[name] = None
        except ValueError:
            continue
    return found


class _TooLong(ValueError):
    """A value that is no paper's."""


def _parsed(text: str) -> Library:
    import logging  # noqa: PLC0415

    from bibtexparser.entrypoint import parse_string  # noqa: PLC0415  only this format needs it

    # It also logs every entry that it cannot parse; here these become rejections.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    return parse_string(text, parse_stack=[])


def _fields(text: str, strings: Mapping[str, str | None]) -> dict[str, str]:
    """The fields of one entry; raises ValueError with the reason if it is not whole."""
    library = _parsed(text)
    entries = list(library.entries)
    for failed in library.failed_blocks:  # a field given twice: the first counts
        whole = getattr(failed, "ignore_error_block", None)
        entries += [whole] if whole is not None and hasattr(whole, "fields") else []
    if not entries:
        raise ValueError("not a valid BibTeX entry")
    values: dict[str, str] = {}
    for item in entries[0].fields:
        values.setdefault(normal_key(item.key), _value(item.key, str(item.value), strings))
    prefix = values.get("archiveprefix") or values.get("eprinttype") or "arxiv"
    if prefix.strip("{} ").lower() != "arxiv":
        values.pop("eprint", None)
    key = {"id": entries[0].key} if entries[0].key else {}
    return {**{name: text for name, text in values.items() if name != "editor"}, **key}


def _value(name: str, written: str, strings: Mapping[str, str | None]) -> str:
    """A field's value: its pieces (braced, quoted, a number, a name of a string) joined."""
    pieces: list[str] = []
    position = size = 0
    while position < len(written):
        end = _piece_end(written, position)
        pieces.append(_piece(written[position:end], strings))
        size += len(pieces[-1])
        if size > _LONGEST_VALUE:
            raise _TooLong(f"the field {name} is too long for a paper")
        if end >= len(written):
            break
        join = _JOIN.match(written, end)
        if join is None:
            raise ValueError(f"a comma is missing after the field {name}")
        position = join.end()
    return "".join(pieces)


def _piece(written: str, strings: Mapping[str, str | None]) -> str:
    written = written.strip()
    if written[:1] in ("{", '"'):
        return written[1:-1]
    named = strings.get(written.lower(), written)
    if named is None:
        raise _TooLong(f"the string {written} is too long for a paper")
    return named


def _piece_end(text: str, start: int) -> int:
    """Where the piece that begins at ``start`` ends: behind its brace or mark, or at the next #."""
    opening = text[start]
    if opening not in '{"':
        end = text.find("#", start)
        return len(text) if end < 0 else len(text[:end].rstrip())
    depth = 0
    for mark in _PIECE_MARK.finditer(text, start):
        char, place = mark[0], mark.start()
        depth += (char == "{") - (char == "}")
        closed = char == "}" if opening == "{" else char == '"' and text[place - 1] != "\\"
        if closed and depth == 0 and place > start:
            return place + 1
    return len(text)
