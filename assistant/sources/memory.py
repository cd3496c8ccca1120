"""What a library remembers of its sources: how far each has been read, in ``sources.json``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from assistant.errors import LibraryError
from assistant.files import read_sealed, write_sealed

__all__ = ["FILE", "RememberedSource", "SourceMemory"]

FILE = "sources.json"


class RememberedSource(BaseModel):
    """How far one source has been read.

    ``mark``: from where the next run asks; none before the first run has ended. ``cursor``: the
    next page of a run that was interrupted.
    """

    model_config = ConfigDict(extra="ignore")

    mark: str | None = None
    cursor: dict[str, Any] | None = None
    papers: int = Field(0, description="records that the last run read")
    synced: str | None = Field(None, description="when a run last ended, ISO 8601 in UTC")


class _Memory(BaseModel):
    version: int = 1
    sources: dict[str, RememberedSource] = Field(default_factory=dict)


class SourceMemory:
    """The file in the library's folder; each change is written at once, whole."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()

    def all(self) -> dict[str, RememberedSource]:
        """The sources by name, in the order in which they were first synced.

        Raises:
            LibraryError: the file cannot be read.
        """
        try:
            return _Memory.model_validate_json(read_sealed(self.path)).sources
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise LibraryError(
                f"{self.path}, which remembers the sources, cannot be read.",
                "Run 'assistant doctor --repair'; what is lost is then read from its beginning.",
            ) from None

    def save(self, name: str, source: RememberedSource) -> None:
        """Remembers ``source``.

        Raises:
            LibraryError: it cannot be written.
        """
        with self._lock:
            self._write({**self.all(), name: source})

    def forget(self, name: str) -> bool:
        """Forgets it; False where it was not known. Its papers stay."""
        with self._lock:
            sources = self.all()
            known = sources.pop(name, None) is not None
            if known:
                self._write(sources)
        return known

    def _write(self, sources: dict[str, RememberedSource]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = _Memory(sources=sources).model_dump_json(indent=2)
            write_sealed(self.path, text, remembered=True)
        except OSError as error:
            raise LibraryError(
                f"{self.path} cannot be written: {error.strerror or error}."
            ) from None
