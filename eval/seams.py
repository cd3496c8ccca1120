"""The only doors by which the evaluation goes into the program; all else that it uses is public."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

from assistant import Assistant
from assistant.embedding import Embedder
from assistant.filters import Filters
from assistant.retrieved import Retrieval
from assistant.settings import Settings


class Finder(Protocol):
    """What the evaluation asks of a retriever."""

    def find(
        self, question: str, k: int | None = None, filters: Filters | None = None
    ) -> Retrieval:
        """The ``k`` best papers."""
        ...


def assistant_over(
    settings: Settings, embedder: Embedder, notify: Callable[[str], None] | None = None
) -> Assistant:
    """An assistant with an embedding model that is open already."""
    given: dict[str, Any] = {"notify": notify}
    if "embedder" in inspect.signature(Assistant).parameters:
        given["embedder"] = embedder
    assistant = Assistant(settings, **given)
    assistant._opened_embedder = embedder
    return assistant


def retriever_of(assistant: Assistant) -> Finder:
    """The retriever that the assistant answers with."""
    public = getattr(assistant, "retriever", None)
    return cast(Finder, public if public is not None else assistant._retriever())


@contextmanager
def retrieving_by(assistant: Assistant, retriever: Finder) -> Iterator[None]:
    """Inside, the assistant answers with ``retriever`` in place of its own."""
    before = retriever_of(assistant)
    assistant._opened_retriever = cast(Any, retriever)
    try:
        yield
    finally:
        assistant._opened_retriever = cast(Any, before)
