"""Reads the papers that a topic brings together with it, as an answer reads them with a question.

How likely an abstract answers (`assistant.answering.evidence`) tells whether it is about a topic
where words alone do not, and which of its sentences speaks to a topic that is a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assistant.answering.evidence import PassageReader
from assistant.answering.forms import asking, asks, evidence_text
from assistant.answering.question import Question
from assistant.answering.selection import Candidate as Sentence
from assistant.answering.selection import candidates
from assistant.attribution import quoted
from assistant.embedding import WordEmbedder
from assistant.retrieved import RetrievedPaper, Statistics
from assistant.text import terms

__all__ = ["Told", "is_question", "told"]

_ANSWERS = -1.5
"""Log-odds, by the cross-encoder, from which a sentence is shown as what a paper says."""
_HELD = 0.6
"""Share of the topic's words that it must hold where no cross-encoder reads it."""


class Told(NamedTuple):
    """What an abstract holds of a topic: log-odds that it answers it; of a question also the
    sentence that does, and its score among those of the other papers.
    """

    log_odds: float = 0.0
    place: int | None = None
    score: float = 0.0


def is_question(topic: str) -> bool:
    """Whether a topic asks something, and does not only name it."""
    return asks(topic) and asking(topic).form in {"yes_no", "explanation", "fact", "limits"}


def told(
    topic: str, papers: Sequence[RetrievedPaper], statistics: Statistics, reader: PassageReader
) -> list[Told]:
    """What each of ``papers`` holds of ``topic``; log-odds are 0 without a `WordEmbedder`."""
    wanted = evidence_text(topic) or topic
    vector = reader.embedder.embed_query(wanted)
    question = Question.read(wanted, vector, statistics, reader.embedder, topic)
    readings = reader.read(question, papers)
    contextual = isinstance(reader.embedder, WordEmbedder)
    odds = [reading.log_odds if contextual else 0.0 for reading in readings]
    if not is_question(topic):
        return [Told(value) for value in odds]

    def answers(one: Sentence) -> bool:
        if contextual:
            return bool(readings[one.rank].answers[one.position] >= _ANSWERS)
        return question.coverage(set(terms(f"{one.paper.paper.title} {one.text}"))) >= _HELD

    best: dict[int, Sentence] = {}
    for one in sorted(candidates(question, papers, readings), key=lambda c: -c.score):
        if answers(one) and quoted(one.paper.sentences, one.position):
            best.setdefault(one.rank, one)
    return [
        Told(value, best[n].position, best[n].score) if n in best else Told(value)
        for n, value in enumerate(odds)
    ]
