"""The screenings of a library: each a file in its folder, open to all who may open the library."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from assistant.errors import LibraryError, ScreeningNotFound, SourceError
from assistant.files import forget
from assistant.filters import Filters
from assistant.review.screening import Criteria, Screening
from assistant.review.session import ScreeningSession

__all__ = ["Listed", "Screenings"]

_OPEN = 4
"""Sessions that are kept open, with their models."""
_NAME, _LONGEST = re.compile(r"[\w-]+"), 80
"""Of a screening: its signs, and its bytes."""


class Listed(BaseModel):
    """A screening in the list of all."""

    name: str
    topic: str
    papers: int
    decided: int
    included: int
    changed: float


class Screenings:
    """Starts, opens, lists and deletes screenings; for several threads.

    Args:
        folder: of the library.
        version: of the library, another with every change of its papers.
        opened: a session on a file, as `Assistant.screen` opens it.
    """

    def __init__(
        self,
        folder: Path,
        version: Callable[[], str],
        opened: Callable[[Screening, Path], ScreeningSession],
    ) -> None:
        self._folder = folder / "screenings"
        self._version = version
        self._opened = opened
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, tuple[str, ScreeningSession]] = OrderedDict()

    def all(self) -> list[Listed]:
        """What there is, that which was changed last first; one that is damaged is left out."""
        found = []
        for file in self._folder.glob("*.json"):
            try:
                kept = Screening.load(file)
            except SourceError:
                continue
            final = kept.final()
            found.append(
                Listed(
                    name=file.stem,
                    topic=kept.topic,
                    papers=len(kept.papers),
                    decided=len(final),
                    included=sum(v == "include" for v in final.values()),
                    changed=file.stat().st_mtime,
                )
            )
        return sorted(found, key=lambda one: -one.changed)

    def start(
        self, topic: str, criteria: Criteria, filters: Filters | None = None, most: int = 0
    ) -> str:
        """Starts one; gives its name.

        Args:
            filters: only papers that fit them.
            most: papers at the most, the nearest to the topic first; 0: all.

        Raises:
            QuestionError: the topic holds no word that tells it.
            LibraryNotFound: no paper fits.
            LibraryError: it cannot be written.
        """
        kept = Screening(
            topic=" ".join(topic.split()), criteria=criteria, filters=filters or Filters(),
            most=most, created=time.time(),
        )  # fmt: skip
        with self._lock:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LibraryError(
                    f"The library's folder cannot be written ({error.strerror}).",
                    "Mend the folder's permissions.",
                ) from None
            name = self._free_name(kept.topic)
            session = self._opened(kept, self._folder / f"{name}.json")
            session.keep()
            self._remember(name, session)
        return name

    def session(self, name: str) -> ScreeningSession:
        """The one of this name, to go on with.

        Raises:
            ScreeningNotFound: there is none.
            SourceError: its file is damaged.
        """
        file = self._file(name)
        with self._lock:
            version, session = self._sessions.get(name, ("", None))
            if session is None or version != self._version():
                session = self._opened(Screening.load(file), file)
                if session.arrived:
                    session.keep()
            self._remember(name, session)
            return session

    def delete(self, name: str) -> None:
        """Deletes it, with the decisions of all reviewers.

        Raises:
            ScreeningNotFound: there is none.
        """
        file = self._file(name)
        with self._lock:
            self._sessions.pop(name, None)
            forget(file)
            file.unlink(missing_ok=True)
            file.with_name(f".{file.name}.lock").unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        file = self._folder / f"{name}.json"
        if not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST or not file.exists():
            raise ScreeningNotFound(
                "This screening is not here.", "It may have been deleted, or be another library's."
            )
        return file

    def _free_name(self, topic: str) -> str:
        plain = re.sub(r"[^\w]+", "-", topic.casefold()).strip("-_")
        plain = plain.encode()[:60].decode(errors="ignore").rstrip("-") or "screening"
        names = (f"{plain}-{n}" if n > 1 else plain for n in range(1, 10_000))
        return next(n for n in names if not (self._folder / f"{n}.json").exists())

    def _remember(self, name: str, session: ScreeningSession) -> None:
        self._sessions[name] = (self._version(), session)
        self._sessions.move_to_end(name)
        while len(self._sessions) > _OPEN:
            self._sessions.popitem(last=False)
