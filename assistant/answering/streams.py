"""The extractive way from a question to an answer, as the events that all front ends show."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assistant.results import (
    Answer,
    CitationEvent,
    DoneEvent,
    Event,
    Message,
    Sentence,
    StatusEvent,
    TextEvent,
    VerdictEvent,
)
from assistant.settings import AnswerSettings

if TYPE_CHECKING:
    from assistant.answering.evidence import PassageReader
    from assistant.retrieval import PaperRetriever

__all__ = ["extractive_events"]


def extractive_events(
    question: str,
    turns: Sequence[Message],
    *,
    papers: int,
    notes: Sequence[str],
    retriever: PaperRetriever,
    reader: PassageReader,
    settings: AnswerSettings,
) -> Iterator[Event]:
    """The events of answering ``question`` with sentences of the abstracts.

    ``papers``: how many the library holds. ``notes``: what was done to the question, for the
    reader.
    """
    from assistant.answering.extractive import answer  # noqa: PLC0415
    from assistant.conversation import small_talk, standalone  # noqa: PLC0415

    started = time.perf_counter()
    reply = small_talk(question, papers)
    if reply is not None:
        yield TextEvent(text=reply)
        yield DoneEvent(answer=_said(question, reply))
        return
    asked = standalone(question, turns)
    yield StatusEvent(text=f"searching {papers:,} papers")
    ranking = retriever.rank(asked)
    retrieved = time.perf_counter()
    yield StatusEvent(text=f"reading {len(ranking)} papers")
    result = answer(question, asked, ranking, reader, settings)
    ended = time.perf_counter()
    result.notes = [*notes, *result.notes]
    result.timings_ms.retrieve = (retrieved - started) * 1000
    result.timings_ms.answer = (ended - retrieved) * 1000
    result.timings_ms.total = (ended - started) * 1000
    yield TextEvent(text=result.answer)
    for citation in result.citations:
        yield CitationEvent(citation=citation)
    for i, sentence in enumerate(result.sentences):
        yield VerdictEvent(index=i, sentence=sentence)
    yield DoneEvent(answer=result)


def _said(question: str, reply: str) -> Answer:
    """What needs no papers, as an answer."""
    return Answer(
        question=question,
        standalone_question=question,
        answer=reply,
        answered=True,
        status="answered",
        confidence=1.0,
        sentences=[Sentence(text=reply)],
    )
