"""Who is asking: the libraries that all share, and what each visitor chose for themselves.

A visitor is a browser, told by a cookie that says nothing. Their choices, their key among them,
live in the server's memory until it ends, and nowhere else; an assistant of their own is derived
from the shared one, over the same library.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr
from starlette.requests import Request

from assistant.assistant import Assistant
from assistant.conversations import ConversationStore
from assistant.endpoint import Cancellation
from assistant.errors import LibraryError
from assistant.librarymap import MapMaker
from assistant.review.model import Review, ReviewCandidate
from assistant.samples import make_sample, sample_folder, sample_is_made
from assistant.settings import Settings
from assistant.ui.shelves import Rows
from assistant.ui.turns import Failure, LibraryName
from assistant.ui.uploads import Uploads

__all__ = ["COOKIE", "Choices", "ReviewInWork", "Shelf", "Visitor"]

COOKIE = "assistant_browser"
_FORGOTTEN_AFTER = 12 * 3600
_MOST_VISITORS = 1000

log = logging.getLogger("assistant.ui")


class Shelf:
    """The libraries of one process, each with the one assistant that is open over it.

    Args:
        settings: of the process.
        trusted: whether whoever visits is the person who started it (loopback): only then may
            a visitor name an endpoint of their own, which the server would call.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        trusted: bool = True,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self.trusted = trusted
        self.own_is_sample = settings.library.expanduser() == sample_folder(settings)
        self.maps = MapMaker(settings.cache.expanduser() / "maps")
        self.rows = Rows()
        self._notify = notify
        self._lock = threading.Lock()
        self._open: dict[LibraryName, Assistant] = {}
        self._visitors: dict[str, Visitor] = {}
        self._store: ConversationStore | None = None
        self.at_end: list[Callable[[], None]] = []

    @property
    def store(self) -> ConversationStore:
        """Conversations and reviews, in the folder of the library; in memory where it is not
        writable, which `kept` tells.
        """
        folder = self.assistant("own").library.path
        with self._lock:
            if self._store is None:
                try:
                    self._store = ConversationStore(folder)
                except LibraryError as error:
                    log.warning("%s", error)
                    self._store = ConversationStore(None)
            return self._store

    @property
    def kept(self) -> bool:
        """Whether conversations outlive the process."""
        return self.store.folder is not None

    def visitor(self, request: Request | None) -> Visitor:
        """Whose request this is; a visitor that is forgotten at once where it cannot be told."""
        name = request.cookies.get(COOKIE, "") if request is not None else ""
        if request is None or not 20 <= len(name) <= 80:
            return Visitor(self)
        now, owner = time.monotonic(), self.owner(request)
        name = f"{name} {owner}"  # who logs in after another in one browser is somebody else
        with self._lock:
            self._forget(now)
            here = self._visitors.pop(name, None) or Visitor(self)
            self._visitors[name] = here  # the one seen last stands last
            here.seen, here.owner = now, owner
            return here

    def owner(self, request: Request) -> str:
        """Whose conversations a request may see: the login's, else the browser's.

        On loopback there is one person, whichever browser they use.
        """
        if self.trusted:
            return "local"
        login = request.scope.get("login")
        return f"login:{login}" if login else f"browser:{request.cookies.get(COOKIE, '')}"

    @staticmethod
    def new_cookie() -> str:
        """A name for a browser that has none."""
        return secrets.token_urlsafe(24)

    def _forget(self, now: float) -> None:
        while len(self._visitors) > _MOST_VISITORS or (
            self._visitors and now - next(iter(self._visitors.values())).seen > _FORGOTTEN_AFTER
        ):
            self._visitors.pop(next(iter(self._visitors))).close()

    def assistant(self, library: LibraryName) -> Assistant:
        """The shared assistant; the sample library is made at its first use.

        Raises:
            LibraryError: the sample library cannot be made.
        """
        if self.own_is_sample:
            library = "sample"
        with self._lock:
            if library not in self._open:
                settings = self.settings
                if library == "sample":
                    settings = settings.model_copy(update={"library": sample_folder(settings)})
                made = Assistant(settings, notify=self._notify)
                if library == "sample" and not sample_is_made(made):
                    make_sample(made)
                self._open[library] = made
            return self._open[library]

    def close(self) -> None:
        """Ends what is in work, and closes what is open."""
        for end in self.at_end:
            end()
        with self._lock:
            for visitor in self._visitors.values():
                visitor.close()
            self._visitors.clear()
            for assistant in self._open.values():
                assistant.close()
            self._open.clear()
            if self._store is not None:
                self._store.close()
                self._store = None


class Choices(BaseModel):
    """What a visitor set for themselves; None: as the process has it."""

    model_config = ConfigDict(frozen=True)

    llm: str | None = None
    base_url: str | None = None
    api_key: SecretStr | None = None
    effort: Literal["quick", "normal", "deep"] | None = None
    top_k: int | None = None
    language: str | None = None
    extractive: bool = False


@dataclass
class ReviewInWork:
    """The review that a visitor is at: what was asked, the papers found, what was written."""

    topic: str = ""
    library: LibraryName = "own"
    candidates: list[ReviewCandidate] = field(default_factory=list)
    unticked: set[str] = field(default_factory=set)
    review: Review | None = None
    review_id: str = ""
    card: str = ""
    writing: Any = None
    cancellation: Cancellation | None = None


class Visitor:
    """One visitor. Never shared, never copied; what they choose is never written down."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.owner = "local" if shelf.trusted else "nobody"
        self.seen = time.monotonic()
        self.library: LibraryName = "sample" if shelf.own_is_sample else "own"
        self.choices = Choices()
        self.review = ReviewInWork()
        self.uploads = Uploads(
            lambda: shelf.assistant("own"),
            self.failure,
            most=shelf.settings.server.max_files,
            closed=shelf.own_is_sample,
        )
        self._derived: dict[LibraryName, Assistant] = {}

    def __repr__(self) -> str:
        return f"Visitor({self.library})"

    def choose(self, choices: Choices) -> None:
        """Takes other choices; what is in work goes on with the former."""
        self._derived = {}  # not closed: an answer may be in work with one
        self.choices = choices

    def settings(
        self, library: LibraryName | None = None, *, choices: Choices | None = None
    ) -> Settings:
        """The settings as this visitor has them, or would have them with ``choices``."""
        settings = self.shelf.assistant(library or self.library).settings
        chosen, update = choices or self.choices, dict[str, Any]()
        if chosen.extractive:
            update["llm"] = None
        elif chosen.llm:
            update["llm"], update["llm_small"] = chosen.llm, None
        if chosen.base_url and self.shelf.trusted:
            # the key of the process belongs to the endpoint of the process
            update["openai_base_url"], update["openai_api_key"] = chosen.base_url, chosen.api_key
        elif chosen.api_key:
            update["openai_api_key"] = chosen.api_key
        if chosen.effort or chosen.language:
            wanted = {"effort": chosen.effort, "language": chosen.language}
            update["generation"] = settings.generation.model_copy(
                update={name: value for name, value in wanted.items() if value}
            )
        if chosen.top_k:
            update["retrieval"] = settings.retrieval.model_copy(update={"top_k": chosen.top_k})
        return settings.model_copy(update=update) if update else settings

    @property
    def has_answers_written(self) -> bool:
        """Whether a language model answers."""
        return bool(self.choices.llm or self.shelf.settings.llm) and not self.choices.extractive

    def assistant(self, library: LibraryName | None = None) -> Assistant:
        """The assistant that answers this visitor.

        Raises:
            AssistantError: the library or the embedding model cannot be opened.
        """
        library = library or self.library
        shared = self.shelf.assistant(library)
        if self.choices == Choices():
            return shared
        if library not in self._derived:
            self._derived[library] = shared.derived(self.settings(library))
        return self._derived[library]

    def failure(self, error: Exception) -> Failure:
        """What this visitor is told of ``error``."""
        return Failure.of(error, here=self.shelf.trusted)

    def close(self) -> None:
        """Stops what runs for this visitor, and forgets their connections."""
        if self.review.cancellation is not None:
            self.review.cancellation.set()
        for assistant in self._derived.values():
            assistant.close()
        self._derived.clear()
