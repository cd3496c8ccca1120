"""From the bytes of a file or pipe to text: unzipped, counted, decoded.

`open_text` promises that reading the text never raises a decoding error and never loads more than
a buffer: gzip is noticed by its first bytes, a truncated archive ends where it breaks (`damage`
says so), and bytes that do not fit the encoding are read as Windows-1252, which is what stray bytes
in abstracts nearly always are.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TextIO

from assistant.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["HEAD_BYTES", "OpenText", "decoded_head", "numbered_lines", "one_line", "open_text"]

HEAD_BYTES = 1 << 16
LONGEST_LINE = 1 << 23  # characters; no record is longer, and a file without line ends must not fit

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KNOWN_BINARIES = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an old or a protected Office file (.xls, .doc)"),
    (b"SQLite format 3", "a database"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_STRAY = re.compile("[\udc80-\udcff]+")
_LATIN = re.compile(r"cp125[02478]|iso8859_(?:[1-49]|1[03-6])|latin_1|cp(?:437|85\d)|hp_roman8")
# Code pages of mainframes: any text fits them, so that they are only ever found by mistake.
_IMPOSSIBLE = ["cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140", "utf_7"]


@dataclass
class OpenText:
    """An open source: its text from the first character, and what was noticed on the way."""

    stream: TextIO
    head: str
    note: str | None
    _bytes: _Bytes

    @property
    def damage(self) -> str | None:
        """Why the text ends early, known once it has been read to its end."""
        return self._bytes.damage


def open_text(file: IO[bytes], name: str, count: Callable[[int], None]) -> OpenText:
    """The text of an open binary file.

    Args:
        file: open for reading; need not be seekable.
        name: how messages call it.
        count: is told the number of bytes of each read from ``file``.

    Raises:
        SourceError: it is empty, is no text, or is in an encoding that cannot be recognised.

    """
    source = _Bytes(_Counted(file, count))
    if not source.head.strip():
        if source.damage:
            raise SourceError(f"{name} cannot be unpacked: {source.damage}.", "Fetch it again.")
        raise SourceError(f"{name} is empty.")
    encoding, note = _encoding(source.head, name)
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    stream = _MendedText(io.BufferedReader(source, _CHUNK), encoding=encoding, errors=errors)
    head = _STRAY.sub(_as_windows_1252, _cut_decoded(source.head, encoding))
    if not head.strip("\ufeff\ufffd \t\r\n"):
        raise SourceError(f"{name} is empty.")
    return OpenText(stream, head.removeprefix("\ufeff"), note, source)


def decoded_head(head: bytes | str, name: str) -> str:
    """The first bytes of a source as text; raises SourceError when they are none."""
    if isinstance(head, str):
        return head.removeprefix("\ufeff")
    return _cut_decoded(head, _encoding(head, name)[0]).removeprefix("\ufeff")


def one_line(text: str, longest: int = 80) -> str:
    """A message of a library, short enough to be part of a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def numbered_lines(stream: TextIO) -> Iterator[tuple[int, str | None]]:
    """Lines with their numbers from 1; None for one that is too long to be held."""
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) < LONGEST_LINE or line.endswith("\n"):
            yield number, line
            continue
        while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith("\n"):
            pass
        yield number, None


class _Counted(io.RawIOBase):
    """A binary file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], count: Callable[[int], None]) -> None:
        self._file = file
        self._count = count

    def readable(self) -> bool:
        return True

    def _take(self, size: int) -> bytes:
        chunk = self._file.read1(size) if hasattr(self._file, "read1") else self._file.read(size)
        if isinstance(chunk, str):  # standard input replaced by a text stream
            chunk = chunk.encode("utf-8", "surrogateescape")
        self._count(len(chunk))
        return chunk

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        chunk = self._take(len(room) // 4 or 1)  # a character has four bytes at most
        room[: len(chunk)] = chunk
        return len(chunk)


class _Bytes(io.RawIOBase):
    """Bytes of a source, unpacked where it is gzip; its head can be looked at beforehand."""

    def __init__(self, counted: _Counted) -> None:
        self.damage: str | None = None
        buffered = io.BufferedReader(counted, _CHUNK)
        start = buffered.peek(len(_GZIP))
        self._read1 = (
            gzip.GzipFile(fileobj=buffered).read1 if start[:2] == _GZIP else buffered.read1
        )
        pieces = []
        missing = HEAD_BYTES
        while missing and (piece := self._pull(missing)):
            pieces.append(piece)
            missing -= len(piece)
        self.head = b"".join(pieces)
        self._ahead = self.head

    def _pull(self, size: int) -> bytes:
        if self.damage:
            return b""
        try:
            return self._read1(size)
        except EOFError:
            self.damage = "the compressed data end too early"
        except (gzip.BadGzipFile, zlib.error):
            self.damage = "the compressed data are damaged"
        return b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        if self._ahead:
            chunk, self._ahead = self._ahead[: len(room)], self._ahead[len(room) :]
        else:
            chunk = self._pull(len(room))
        room[: len(chunk)] = chunk
        return len(chunk)


class _MendedText(io.TextIOWrapper):
    """Text whose undecodable bytes are read as Windows-1252."""

    def read(self, size: int | None = -1, /) -> str:
        return _mended(super().read(size))

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        return _mended(super().readline(size))

    def __next__(self) -> str:  # type: ignore[override]
        if line := self.readline():
            return line
        raise StopIteration


def _mended(text: str) -> str:
    return text if text.isascii() else _STRAY.sub(_as_windows_1252, text)


def _as_windows_1252(match: re.Match[str]) -> str:
    return match.group().encode("ascii", "surrogateescape").decode("cp1252", "replace")


def _encoding(head: bytes, name: str) -> tuple[str, str | None]:
    """The encoding of a text that begins so, and a sentence if it is not a Unicode one."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, None
    for mark, what in _KNOWN_BINARIES:
        if head.startswith(mark):
            raise SourceError(
                f"{name} is {what}, not a text.", "Export titles and abstracts as text."
            )
    if b"\0" in head:
        return _unmarked_utf16(head, name), None
    if len(_CONTROL.findall(head)) > len(head) // 50:
        raise _binary(name)
    if _mostly_utf8(head):
        return "utf-8", None
    legacy = _legacy(head)
    if legacy is None:
        raise SourceError(f"The encoding of {name} cannot be recognised.", "Save it as UTF-8.")
    return legacy, f"{name} is not in UTF-8; it was read as {legacy}."


def _binary(name: str) -> SourceError:
    return SourceError(
        f"{name} is a binary file, not a text.", "Export titles and abstracts as text."
    )


def _unmarked_utf16(head: bytes, name: str) -> str:
    """UTF-16 without a mark: every other byte of Latin text is zero, the others never."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 4 and not even:
        return "utf-16-le"
    if even > len(head) // 4 and not odd:
        return "utf-16-be"
    raise _binary(name)


def _mostly_utf8(head: bytes) -> bool:
    """UTF-8, perhaps with a few bytes damaged or pasted in from elsewhere."""
    text = _cut_decoded(head, "utf-8")
    stray = len(re.findall("[\udc80-\udcff]", text))
    return stray == 0 or sum(not c.isascii() for c in text) - stray > 2 * stray


def _legacy(head: bytes) -> str | None:
    """The single-byte or Asian encoding that a text is probably in."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  heavy, and rarely needed

    best = from_bytes(head, cp_exclusion=_IMPOSSIBLE).best()
    guess: str | None = best.encoding if best else None
    # The Latin code pages differ in a few letters and the guess between them is a coin's toss.
    return "cp1252" if guess and _LATIN.fullmatch(guess) else guess


def _cut_decoded(head: bytes, encoding: str) -> str:
    """``head`` decoded, without the character that its end may have cut in two."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return codecs.getincrementaldecoder(encoding)(errors).decode(head)
