"""Who is asking: the libraries that all share, and what each visitor chose for themselves.

A visitor's choices, their key among them, live in their session on the server and nowhere
else; an assistant of their own is derived from the shared one, over the same library.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from assistant.assistant import Assistant
from assistant.endpoint import Cancellation
from assistant.librarymap import MapMaker
from assistant.review.model import Review, ReviewCandidate
from assistant.samples import make_sample, sample_folder, sample_is_made
from assistant.settings import Settings
from assistant.ui.turns import LibraryName

__all__ = ["Choices", "Desk", "Shelf", "Visitor"]


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
        self._notify = notify
        self._lock = threading.Lock()
        self._open: dict[LibraryName, Assistant] = {}

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
        """Closes what is open."""
        with self._lock:
            for assistant in self._open.values():
                assistant.close()
            self._open.clear()


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
class Desk:
    """The review that a visitor is at: what was asked, the papers found, what was written."""

    topic: str = ""
    library: LibraryName = "own"
    candidates: list[ReviewCandidate] = field(default_factory=list)
    review: Review | None = None
    cancellation: Cancellation | None = None


class Visitor:
    """One visitor's session. Never shared, never copied, never written down."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.library: LibraryName = "sample" if shelf.own_is_sample else "own"
        self.choices = Choices()
        self.cancellation: Cancellation | None = None
        self.desk = Desk()
        self._derived: dict[LibraryName, Assistant] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Visitor:
        return self

    def __repr__(self) -> str:
        return f"Visitor({self.library})"

    def choose(self, choices: Choices) -> None:
        """Takes other choices; what was derived for the former is closed."""
        self.close()
        self.choices = choices

    def settings(self, library: LibraryName | None = None) -> Settings:
        """The settings as this visitor has them."""
        settings = self.shelf.assistant(library or self.library).settings
        chosen, update = self.choices, dict[str, Any]()
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

    def close(self) -> None:
        """Stops what runs for this visitor, and forgets their connections."""
        for running in (self.cancellation, self.desk.cancellation):
            if running is not None:
                running.set()
        for assistant in self._derived.values():
            assistant.close()
        self._derived.clear()
