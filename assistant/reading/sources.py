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
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading.formats import detect, extension, has_known_extension, known_formats
from assistant.reading.streams import open_text
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
    held: list[Paper | Rejection] = []
    papers = rejected = size = 0
    reasons: Counter[str] = Counter()
    judged = force
    for result in results:
        if isinstance(result, Rejection):
            rejected += 1
            if rejected > MOST_REJECTIONS:
                reasons[_kind_of_reason(result.reason)] += 1
                if judged and (force or rejected <= papers):
                    continue
        else:
            papers += 1
            size += len(result.title) + len(result.abstract)
        if not judged:
            held.append(result)
            if len(held) < JUDGED_RECORDS and size < JUDGED_CHARACTERS:
                continue
            judged = True
            if rejected > papers:
                yield from _refused(held, papers, rejected, name, more=True)
                return
            yield from held
            held = []
        elif not force and rejected > MOST_REJECTIONS and rejected > papers:
            reason = f"more was rejected ({rejected:,}) than read; the rest was not read"
            yield Rejection(source=name, where="file", reason=reason)
            return
        else:
            yield result
    if not judged and rejected > papers:
        yield from _refused(held, papers, rejected, name, more=False)
        return
    yield from held
    if reasons:
        told = ", ".join(f"{n:,} times: {reason}" for reason, n in reasons.most_common(3))
        reason = f"{sum(reasons.values()):,} more records were rejected ({told})"
        yield Rejection(source=name, where="file", reason=reason)


def _refused(
    held: list[Paper | Rejection], papers: int, rejected: int, name: str, *, more: bool
) -> Iterator[Rejection]:
    """The rejections of a file that is not taken, and that it is not."""
    if papers:
        of = f"the first {papers + rejected:,}" if more else f"{papers + rejected:,}"
        yield Rejection(
            source=name,
            where="file",
            reason=f"{rejected:,} of {of} records cannot be read, so nothing of it was taken in; "
            "--force takes the others",
        )
    yield from [result for result in held if isinstance(result, Rejection)][:MOST_REJECTIONS]


def _kind_of_reason(reason: str) -> str:
    """A reason without what is particular to one record."""
    return reason.split("(")[0].strip()[:80]


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
