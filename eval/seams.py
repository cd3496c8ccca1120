"""The one door by which the evaluation goes into the program; all else that it uses is public."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

from assistant import Assistant
from assistant.filters import Filters
from assistant.retrieved import Retrieval


class Finder(Protocol):
    """What the evaluation asks of a retriever."""

    def find(
        self, question: str, k: int | None = None, filters: Filters | None = None
    ) -> Retrieval:
        """The ``k`` best papers."""
        ...


@contextmanager
def retrieving_by(assistant: Assistant, retriever: Finder) -> Iterator[None]:
    """Inside, the assistant answers with ``retriever`` in place of its own.

    A retriever that is given when an assistant is made is taken for a stranger's, whose nodes
    carry no scores; this one finds as the assistant's own does.
    """
    before = assistant.retriever
    assistant._opened_retriever = cast(Any, retriever)
    try:
        yield
    finally:
        assistant._opened_retriever = before
