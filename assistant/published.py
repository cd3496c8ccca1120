"""Published indexes: how a search index gets from the process that makes it to all readers.

Each index lies in a folder of its own, and the file ``current`` names the newest. A reader
needs no lock: it opens what ``current`` names, notices a newer one by its name, and tries again
where the folder was taken away while it was being opened. What it has opened stays readable.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from assistant.files import write_atomically
from assistant.index import IndexBuilder, IndexMeta, SearchIndex

__all__ = ["PublishedIndexes"]

_TRIES = 20


class PublishedIndexes:
    """The indexes in ``folder``, of which at most one is current. Safe in any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._current = folder / "current"
        self._loaded: SearchIndex | None = None
        self._loading = threading.Lock()

    def newest(self) -> SearchIndex | None:
        """The current index, opened once; None where there is none, or it is damaged."""
        tried = ""
        with self._loading:
            for _ in range(_TRIES):
                try:
                    name = self._current.read_text("ascii").strip()
                except (OSError, ValueError):
                    return None
                folder = self._folder / name
                if self._loaded is not None and self._loaded.folder == folder:
                    return self._loaded
                if name == tried:  # not replaced in the meantime, so damaged
                    return None
                try:
                    self._loaded = SearchIndex(folder)
                except (OSError, ValueError):
                    tried = name
                    continue
                return self._loaded
        return None

    def publish(
        self,
        meta: IndexMeta,
        fill: Callable[[IndexBuilder], None],
        old: SearchIndex | None = None,
    ) -> SearchIndex:
        """Makes an index, makes it the current one, and removes all others.

        Only the holder of the library's lock may do this. Readers are not kept waiting.

        Args:
            meta: of the index; its counts are filled in.
            fill: puts the papers into the builder.
            old: the index that ``fill`` keeps papers of.
        """
        self._folder.mkdir(exist_ok=True)
        self._remove_others(self._named())
        made = Path(tempfile.mkdtemp(prefix=f"{meta.generation}-", dir=self._folder))
        try:
            with IndexBuilder(made, meta, old) as builder:
                fill(builder)
                builder.finish()
            index = SearchIndex(made)
            write_atomically(self._current, made.name + "\n")
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        with self._loading:
            self._loaded = index
        self._remove_others(made.name)
        return index

    def _named(self) -> str:
        try:
            return self._current.read_text("ascii").strip()
        except (OSError, ValueError):
            return ""

    def _remove_others(self, keep: str) -> None:
        """Removes all indexes but one: older ones, and what killed writers left unfinished."""
        for other in self._folder.iterdir():
            if other.is_dir() and other.name != keep:
                shutil.rmtree(other, ignore_errors=True)
