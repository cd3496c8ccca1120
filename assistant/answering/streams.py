"""The extractive way from a question to an answer, as the events that all front ends show."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assistant.filters import Filters
from assistant.results import (
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

__all__ = ["extractive_events"]


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
    result = answerer.answer(question, turns, filters)
    result.notes = [*notes, *result.notes]
    result.timings_ms.total = (time.perf_counter() - started) * 1000
    result.timings_ms.answer = result.timings_ms.total - result.timings_ms.retrieve
    yield TextEvent(text=result.answer)
    for citation in result.citations:
        yield CitationEvent(citation=citation)
    for i, sentence in enumerate(result.sentences):
        yield VerdictEvent(index=i, sentence=sentence)
    yield DoneEvent(answer=result)
