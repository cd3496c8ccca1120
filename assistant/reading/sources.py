"""Files, folders and standard input as one stream of papers.

`SourceReader` promises that a source which cannot be read does not cost those that can: among
several it becomes a `Rejection` with ``where="file"``; alone it raises `SourceError`. Nothing is
opened before its turn, and nothing but the record at hand is kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading.formats import detect, has_known_extension, known_formats
from assistant.reading.streams import open_text
from assistant.results import Rejection

__all__ = ["SourceReader", "read"]

STDIN = "standard input"


def read(
    sources: str | Path | Iterable[str | Path], *, stdin: IO[bytes] | None = None
) -> Iterator[Paper | Rejection]:
    """The papers of all sources, and what of them could not be taken; see `SourceReader`."""
    return iter(SourceReader(sources, stdin=stdin))


@dataclass(frozen=True)
class _File:
    """A file to be read, or what is wrong with it already. No path: standard input."""

    name: str
    path: Path | None = None
    size: int | None = None
    problem: SourceError | None = None


class SourceReader:
    """Reads sources and knows how far it is.

    Args:
        sources: files, folders (with all folders in them; files whose extension is unknown and
            hidden ones are left out), ``-`` for standard input; each may be gzip.
        stdin: what ``-`` reads; the process's own standard input when not given.

    Attributes:
        total_bytes: size of all files together, as they lie on the disk; None when it cannot be
            known (standard input, a pipe).
        bytes_read: how much of them has been read so far.
        notes: sentences for the person, such as that a file was not in UTF-8.

    """

    def __init__(
        self,
        sources: str | Path | Iterable[str | Path],
        *,
        stdin: IO[bytes] | None = None,
    ) -> None:
        given = [sources] if isinstance(sources, str | Path) else list(sources)
        self._stdin = stdin
        self._files = [file for source in given for file in _files_of(source)]
        sizes = [0 if file.problem else file.size for file in self._files]
        self.total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        self.bytes_read = 0
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Paper | Rejection]:
        """Papers and rejections in the order of the sources.

        Raises:
            SourceError: no source could be read at all.

        """
        problems: list[SourceError] = []
        for file in self._files:
            begun = False
            try:
                for result in self._read(file):
                    begun = True
                    yield result
            except SourceError as error:
                problems.append(error)
                if begun or len(self._files) > 1:
                    yield Rejection(source=file.name, where="file", reason=error.what)
                if begun:
                    problems.pop()
        if problems and len(problems) == len(self._files):
            raise _together(problems)

    def _read(self, file: _File) -> Iterator[Paper | Rejection]:
        """One file's results; every way of failing is a SourceError."""
        if file.problem:
            raise file.problem
        with ExitStack() as stack:
            try:
                opened = self._opened(file, stack)
                text = open_text(opened, file.name, self._count)
                if text.note:
                    self.notes.append(text.note)
                read = detect(text.head, file.name).read
                nothing = True
                for result in read(text.stream, file.name):
                    nothing = False
                    yield result
            except OSError as error:
                reason = error.strerror or str(error)
                raise SourceError(f"{file.name} cannot be read: {reason}.") from error
            if text.damage:
                reason = f"{text.damage}; what comes before was read"
                yield Rejection(source=file.name, where="file", reason=reason)
            elif nothing:
                raise SourceError(f"{file.name} holds no papers.")

    def _opened(self, file: _File, stack: ExitStack) -> IO[bytes]:
        if file.path is not None:
            return stack.enter_context(file.path.open("rb"))
        if self._stdin is not None:
            return self._stdin
        if sys.stdin is None:
            raise SourceError("There is no standard input.", "Give a file instead of -.")
        return sys.stdin.buffer

    def _count(self, size: int) -> None:
        self.bytes_read += size


def _together(problems: list[SourceError]) -> SourceError:
    """One error for all sources."""
    if len(problems) == 1:
        return problems[0]
    return SourceError(
        f"None of the {len(problems)} sources could be read; the first: {problems[0].what}",
        problems[0].do,
    )


def _files_of(source: str | Path) -> Iterator[_File]:
    """The files that a source stands for: itself, or those in the folder that it is."""
    name = str(source)
    if name == "-":
        yield _File(STDIN)
        return
    path = Path(source)
    try:
        if path.is_dir():
            yield from _files_in(path)
        elif path.is_file():
            yield _File(name, path, path.stat().st_size)
        elif path.exists():
            yield _File(name, path)  # a pipe: how much will come is not known
        else:
            yield _File(name, problem=_missing(name))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield _File(name, problem=SourceError(f"{name} cannot be read: {reason}."))


def _missing(name: str) -> SourceError:
    if name.lower().startswith(("http://", "https://")):
        return SourceError(f"{name} is a web address.", "Save it as a file and give that.")
    return SourceError(f"There is no file or folder {name}.", "Check the path.")


def _files_in(folder: Path) -> Iterator[_File]:
    """The files of a folder and those below, in the order of their names."""
    problems: list[OSError] = []
    found = False
    for place, folders, names in os.walk(folder, onerror=problems.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not has_known_extension(name):
                continue
            found = True
            path = Path(place, name)
            try:
                yield _File(str(path), path, path.stat().st_size)
            except OSError as error:
                problem = SourceError(f"{path} cannot be read: {error.strerror}.")
                yield _File(str(path), problem=problem)
    for unread in problems:
        problem = SourceError(f"{unread.filename} cannot be read: {unread.strerror}.")
        yield _File(str(unread.filename), problem=problem)
    if not found and not problems:
        what = f"The folder {folder} holds no file of papers."
        yield _File(str(folder), problem=SourceError(what, f"Known are {known_formats()}."))
