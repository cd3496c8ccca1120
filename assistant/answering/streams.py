"""The extractive way from a question to an answer, as the events that all front ends show."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from assistant.filters import Filters
from assistant.results import (
    Answer,
    CitationEvent,
    DoneEvent,
    Event,
    Message,
    StatusEvent,
    TextEvent,
    VerdictEvent,
)

if TYPE_CHECKING:
    from assistant.answering.extractive import ExtractiveAnswerer
    from assistant.retrieval import PaperRetriever
    from assistant.retrieved import Retrieval

__all__ = ["events_of", "extractive_events"]


class _Timed:
    """A retriever that adds up how long it takes."""

    def __init__(self, retriever: PaperRetriever) -> None:
        self._retriever = retriever
        self.seconds = 0.0

    def find(self, *arguments: Any, **named: Any) -> Retrieval:
        started = time.perf_counter()
        try:
            return self._retriever.find(*arguments, **named)
        finally:
            self.seconds += time.perf_counter() - started

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retriever, name)


def extractive_events(
    question: str,
    turns: Sequence[Message],
    *,
    papers: int,
    notes: Sequence[str],
    answerer: ExtractiveAnswerer,
    filters: Filters | None = None,
) -> Iterator[Event]:
    """The events of answering ``question`` with sentences of the abstracts.

    ``papers``: how many the library holds. ``notes``: what was done to the question, for the
    reader.
    """
    started = time.perf_counter()
    yield StatusEvent(text=f"searching {papers:,} papers")
    timed = _Timed(answerer.retriever)
    result = answerer.over(cast("PaperRetriever", timed), answerer.most).answer(
        question, turns, filters
    )
    result.timings_ms.retrieve = timed.seconds * 1000
    result.notes = [*notes, *result.notes]
    result.timings_ms.total = (time.perf_counter() - started) * 1000
    result.timings_ms.answer = result.timings_ms.total - result.timings_ms.retrieve
    yield from events_of(result)


def events_of(result: Answer) -> Iterator[Event]:
    """The events that show an answer which is whole."""
    yield TextEvent(text=result.answer)
    for citation in result.citations:
        yield CitationEvent(citation=citation)
    for i, sentence in enumerate(result.sentences):
        yield VerdictEvent(index=i, sentence=sentence)
    yield DoneEvent(answer=result)
