"""The folder of a library: what lies where, who may write, and what a full disk is called.

    <library>/
      library.json             which collection is in use, and what filled it
      chroma/                  the truth: one Chroma collection per embedding model
      <collection>.sqlite      the local database, derived from the collection
      graphs.json              what Chroma's graph of vectors was when it was written
      kept                     names of the small files that were written once and are to be there
      lock                     held by the one process that writes
      chroma.lock              held by whoever asks Chroma (shared) or writes a batch (alone)

Of a library that is on a server, the folder holds the local database and the lock of those who
write from here.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel

from assistant.errors import LibraryError, LibraryLocked
from assistant.files import read_sealed, write_sealed

__all__ = ["LibraryFolder", "LibraryInfo"]

_GRACE = 0.3
"""Seconds that a lock may be held before anybody is told: a reader holds it for a blink."""
_SCARCE = 50_000_000
"""Bytes; with less room on the disk, an error of the storage says how much there is."""


class LibraryInfo(BaseModel):
    """``library.json``: which collection is in use, and what filled it, in words."""

    format: int = 2
    collection: str
    fingerprint: str
    embedding: str
    chunk_tokens: int
    dimension: int = 0

    def __str__(self) -> str:
        return f"{self.embedding}, chunks of {self.chunk_tokens} tokens"


class LibraryFolder:
    """The files of the library at ``path``; it need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._info = path / "library.json"
        self.writers = FileLock(path / "lock")  # one for each thread, held again by its holder

    def database(self, collection: str) -> Path:
        """The local database of a collection."""
        return self.path / f"{collection}.sqlite"

    def info(self) -> LibraryInfo | None:
        """What the library was filled with; None where that is not (or no longer) written down.

        Raises:
            LibraryError: it cannot be read.
        """
        try:
            return LibraryInfo.model_validate_json(read_sealed(self._info))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None  # a damaged one is made again from what is beside it
        except OSError as error:
            raise LibraryError(
                f"The library at {self.path} cannot be read: {_reason(error)}.",
                "Check the folder's permissions, or point --library to another one.",
            ) from None

    def save_info(self, info: LibraryInfo) -> None:
        """Writes ``library.json``."""
        write_sealed(self._info, info.model_dump_json(indent=2))

    @contextmanager
    def locked(self, seconds: float, notify: Callable[[str], None] | None = None) -> Iterator[None]:
        """Holds the writer's lock; the folder is made if need be.

        Args:
            seconds: to wait while another holds it.
            notify: told when the wait begins.

        Raises:
            LibraryLocked: another held it all the time.
            LibraryError: the folder or the lock cannot be made.
        """
        lock = self.writers
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=min(_GRACE, seconds))
            except Timeout:
                if seconds <= _GRACE:
                    raise
                if notify is not None:
                    notify(
                        f"another process is writing to {self.path}; waiting up to {seconds:.0f} s…"
                    )
                lock.acquire(timeout=seconds)
        except Timeout:
            raise LibraryLocked(
                f"Another process has been writing to {self.path} for more than "
                f"{seconds:.0f} seconds.",
                "Try again when it is done, or set ASSISTANT_LOCK__TIMEOUT to wait longer.",
            ) from None
        except OSError as error:
            raise LibraryError(
                f"The library at {self.path} cannot be written: {_reason(error)}.",
                "Check the folder's permissions, or point --library to another one.",
            ) from None
        try:
            if lock.lock_counter == 1:
                self._sweep()
            yield
        finally:
            lock.release()

    def _sweep(self) -> None:
        """Removes what killed writers left half-written; only the lock's holder may."""
        for part in self.path.glob("*.part*"):
            with suppress(OSError):
                part.unlink()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the disk and the database raise into one clear sentence."""
        try:
            yield
        except Exception as error:
            if not _is_storage_error(error):
                raise
            why = f"{_reason(error)}{_room(self.path)}"
            raise LibraryError(
                f"The library at {self.path} could not be used: {why}.",
                "What was stored before is kept; make room or mend the folder, and run it again.",
            ) from error


def _room(library: Path) -> str:
    """What is scarce: room beside the library, or for the temporary files of the databases."""
    for folder in (library, Path(os.environ.get("TMPDIR") or "/tmp")):  # noqa: S108
        with suppress(OSError):
            free = shutil.disk_usage(folder).free
            if free < _SCARCE:
                return f" ({free / 1e6:.1f} MB are free on the disk of {folder})"
    return ""


def _is_storage_error(error: Exception) -> bool:
    """Whether the disk or a database raised ``error``.

    Chroma is not imported for it: what has not been imported has raised nothing.
    """
    chroma = sys.modules.get("chromadb.errors")
    kinds = (OSError, sqlite3.Error, *([chroma.ChromaError] if chroma is not None else []))
    return isinstance(error, kinds)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].rstrip(".")
