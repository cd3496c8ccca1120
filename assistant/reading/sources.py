"""Files, folders and standard input as one stream of papers.

`SourceReader` promises that a source which cannot be read does not cost those that can: among
several it becomes a `Rejection` with ``where="file"``; alone it raises `SourceError`. Nothing is
opened before its turn, and little but the record at hand is kept. A file that yields more
rejections than papers is taken for something else: nothing of it comes out, unless it is forced.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading.formats import detect, extension, has_known_extension, known_formats
from assistant.reading.streams import open_text
from assistant.reading.workbook import is_workbook, sheet_as_csv
from assistant.results import Rejection

__all__ = ["SourceReader", "read", "shown_name"]

STDIN = "standard input"
JUDGED_RECORDS = 1_000
"""Results of a file that are held back until it is known whether papers outnumber rejections."""
JUDGED_CHARACTERS = 1 << 24
MOST_REJECTIONS = 1_000
"""Rejections of one file that are told one by one."""


def read(
    sources: str | Path | Iterable[str | Path],
    *,
    stdin: IO[bytes] | None = None,
    force: bool = False,
) -> Iterator[Paper | Rejection]:
    """The papers of all sources, and what of them could not be taken; see `SourceReader`."""
    return iter(SourceReader(sources, stdin=stdin, force=force))


def shown_name(path: str | Path) -> str:
    """A file's name as it can be shown and stored, whatever bytes it is made of."""
    name = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\0" else "\ufffd" for c in name)


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
        sources: files, folders (with all folders in them; hidden files, files whose extension is
            unknown, and what is no file are left out, and `notes` says so), ``-`` for standard
            input; each may be gzip.
        stdin: what ``-`` reads; the process's own standard input when not given.
        force: take the papers also of a file of which most could not be read.

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
        force: bool = False,
    ) -> None:
        given = [sources] if isinstance(sources, str | Path) else list(sources)
        self._stdin = stdin
        self._force = force
        self.notes: list[str] = []
        self._files = [file for source in given for file in self._files_of(source)]
        sizes = [0 if file.problem else file.size for file in self._files]
        self.total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Paper | Rejection]:
        """Papers and rejections in the order of the sources.

        Raises:
            SourceError: no source could be read at all.

        """
        problems: list[SourceError] = []
        for file in self._files:
            begun = False
            try:
                for result in _without_garbage(self._read(file), file.name, force=self._force):
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
                count: Callable[[int], None] = self._count
                if is_workbook(opened, file.name):
                    opened = stack.enter_context(sheet_as_csv(opened, file.name))
                    self._count(file.size or 0)  # what is read from here on is larger
                    count = lambda _: None  # noqa: E731
                text = open_text(opened, file.name, count)
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

    def _files_of(self, source: str | Path) -> Iterator[_File]:
        """The files that a source stands for: itself, or those in the folder that it is."""
        if str(source) == "-":
            yield _File(STDIN)
            return
        path, name = Path(source), shown_name(source)
        try:
            if path.is_dir():
                yield from self._files_in(path)
            elif path.is_file():
                yield _File(name, path, path.stat().st_size)
            elif path.exists():
                yield _File(name, path)  # a pipe: how much will come is not known
            else:
                yield _File(name, problem=_missing(name, path))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            yield _File(name, problem=SourceError(f"{name} cannot be read: {reason}."))

    def _files_in(self, folder: Path) -> Iterator[_File]:
        """The files of a folder and those below, in the order of their names.

        Links to folders are not followed: they may lead back here, or to the whole disk.
        """
        problems: list[OSError] = []
        skipped: Counter[str] = Counter()
        found = False
        for place, folders, names in os.walk(folder, onerror=problems.append):
            links = [name for name in folders if Path(place, name).is_symlink()]
            skipped["links to folders"] += len(links)
            skipped["hidden"] += sum(name.startswith(".") for name in folders)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(place, name)
                if kind := _unread_kind(name, path):
                    skipped[kind] += 1
                    continue
                found = True
                yield _File(shown_name(path), path, path.stat().st_size)
        if any(skipped.values()):
            self.notes.append(_skipped(folder, skipped))
        for unread in problems:
            where = shown_name(unread.filename)
            problem = SourceError(f"{where} cannot be read: {unread.strerror}.")
            yield _File(where, problem=problem)
        if not found and not problems:
            what = f"The folder {shown_name(folder)} holds no file of papers."
            problem = SourceError(what, f"Known are {known_formats()}.")
            yield _File(shown_name(folder), problem=problem)


def _unread_kind(name: str, path: Path) -> str | None:
    """Why a file in a folder is not opened; None if it is."""
    if name.startswith("."):
        return "hidden"
    if not has_known_extension(name):
        return shown_name(extension(name))[:12] or "without extension"
    try:
        mode = path.stat().st_mode
    except OSError:
        return "links that lead nowhere"
    return None if stat.S_ISREG(mode) else "pipes and devices"


def _skipped(folder: Path, skipped: Counter[str]) -> str:
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in skipped.most_common(8) if n)
    more = len([n for n in skipped.values() if n]) - 8
    rest = f" and {more} more kinds" if more > 0 else ""
    return f"Skipped in {shown_name(folder)}: {kinds}{rest}."


def _without_garbage(
    results: Iterator[Paper | Rejection], name: str, *, force: bool
) -> Iterator[Paper | Rejection]:
    """The results of one file; only rejections if most of its records cannot be read.

    What is judged are its first `JUDGED_RECORDS` results, held back so long; later on, reading
    stops where the rejections outnumber the papers.
    """
    counts = _Counts(name)
    held: list[Paper | Rejection] = []
    for result in islice(results, None if force else JUDGED_RECORDS):
        counts.add(result)
        if force:
            yield from counts.shown(result)
            continue
        held.append(result)
        if counts.characters > JUDGED_CHARACTERS:
            break
    if counts.mostly_rejected and not force:
        yield from counts.refused(held)
        return
    for result in held:
        yield result
    for result in results:
        counts.add(result)
        yield from counts.shown(result)
        if counts.mostly_rejected and counts.rejected > MOST_REJECTIONS and not force:
            yield counts.stopped()
            return
    yield from counts.untold()


class _Counts:
    """How many records of a file were papers, and how many were not."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._reasons: Counter[str] = Counter()
        self.papers = self.rejected = self.characters = 0

    def add(self, result: Paper | Rejection) -> None:
        """Counts one result."""
        if isinstance(result, Rejection):
            self.rejected += 1
        else:
            self.papers += 1
            self.characters += len(result.title) + len(result.abstract)

    @property
    def mostly_rejected(self) -> bool:
        """Whether the file is rather something else."""
        return self.rejected > self.papers

    def shown(self, result: Paper | Rejection) -> Iterator[Paper | Rejection]:
        """The result, unless it is one rejection too many; these are counted by reason."""
        if isinstance(result, Rejection) and self.rejected > MOST_REJECTIONS:
            self._reasons[_kind_of_reason(result.reason)] += 1
        else:
            yield result

    def untold(self) -> Iterator[Rejection]:
        """One rejection for all that were one too many."""
        if self._reasons:
            kinds = ", ".join(f"{n:,} times: {kind}" for kind, n in self._reasons.most_common(3))
            reason = f"{self._reasons.total():,} more records were rejected ({kinds})"
            yield Rejection(source=self._name, where="file", reason=reason)

    def refused(self, held: list[Paper | Rejection]) -> Iterator[Rejection]:
        """The rejections of a file that is not taken, and that it is not."""
        if self.papers:
            reason = (
                f"{self.rejected:,} of {self.papers + self.rejected:,} records cannot be read, "
                "so nothing of it was taken in; --force takes the others"
            )
            yield Rejection(source=self._name, where="file", reason=reason)
        yield from [result for result in held if isinstance(result, Rejection)]

    def stopped(self) -> Rejection:
        """That reading was given up."""
        reason = f"more was rejected ({self.rejected:,}) than read; the rest was not read"
        return Rejection(source=self._name, where="file", reason=reason)


def _kind_of_reason(reason: str) -> str:
    """A reason without what is particular to one record."""
    return reason.partition("(")[0].strip()[:80]


def _together(problems: list[SourceError]) -> SourceError:
    """One error for all sources."""
    if len(problems) == 1:
        return problems[0]
    return SourceError(
        f"None of the {len(problems)} sources could be read; the first: {problems[0].what}",
        problems[0].do,
    )


def _missing(name: str, path: Path) -> SourceError:
    if name.lower().startswith(("http://", "https://")):
        return SourceError(f"{name} is a web address.", "Save it as a file and give that.")
    if path.is_symlink():
        return SourceError(f"{name} is a link that leads nowhere.", "Check the path.")
    return SourceError(f"There is no file or folder {name}.", "Check the path.")
