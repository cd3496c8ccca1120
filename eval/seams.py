"""The one door by which the evaluation goes into the program; all else that it uses is public."""

from __future__ import annotations

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


def retrieving_by(assistant: Assistant, retriever: Finder) -> Assistant:
    """An assistant over the same library that answers with ``retriever`` in place of its own.

    A retriever that is given when an assistant is made is taken for a stranger's, whose nodes
    carry no scores; this one finds as the assistant's own does.
    """
    other = assistant.derived(assistant.settings)
    other._opened_retriever = cast(Any, retriever)
    return other
