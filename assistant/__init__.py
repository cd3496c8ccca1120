"""A question-answering assistant over a library of research-paper abstracts.

Every sentence of an answer cites papers by title, with the sentence of the abstract that
supports it; what the library does not hold, it says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.errors import (
        AssistantError,
        ConfigurationError,
        EndpointError,
        LibraryError,
        LibraryNotFound,
        QuestionError,
        SourceError,
    )
    from assistant.filters import Filters
    from assistant.paper import Paper
    from assistant.results import (
        Answer,
        Citation,
        CitationEvent,
        DoneEvent,
        ErrorEvent,
        IngestReport,
        Message,
        SearchResult,
        Sentence,
        StatusEvent,
        TextEvent,
        VerdictEvent,
    )
    from assistant.review.model import Review
    from assistant.settings import Settings

__all__ = [
    "Answer",
    "Assistant",
    "AssistantError",
    "Citation",
    "CitationEvent",
    "ConfigurationError",
    "DoneEvent",
    "EndpointError",
    "ErrorEvent",
    "Filters",
    "IngestReport",
    "LibraryError",
    "LibraryNotFound",
    "Message",
    "Paper",
    "QuestionError",
    "Review",
    "SearchResult",
    "Sentence",
    "Settings",
    "SourceError",
    "StatusEvent",
    "TextEvent",
    "VerdictEvent",
]

_HOMES = {
    "Answer": "results",
    "Assistant": "assistant",
    "AssistantError": "errors",
    "Citation": "results",
    "CitationEvent": "results",
    "ConfigurationError": "errors",
    "DoneEvent": "results",
    "EndpointError": "errors",
    "ErrorEvent": "results",
    "Filters": "filters",
    "IngestReport": "results",
    "LibraryError": "errors",
    "LibraryNotFound": "errors",
    "Message": "results",
    "Paper": "paper",
    "QuestionError": "errors",
    "Review": "review.model",
    "SearchResult": "results",
    "Sentence": "results",
    "Settings": "settings",
    "SourceError": "errors",
    "StatusEvent": "results",
    "TextEvent": "results",
    "VerdictEvent": "results",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that ``assistant --help`` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
