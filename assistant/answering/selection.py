"""Which sentences answer: a score for every sentence of the retrieved papers.

A conditional logistic model (of the sentences found for a question, which one?) joins
similarity to the question, how much of what the title leaves open a sentence matches, the
paper's own evidence and retrieval score, what the cross-encoder says, numbers and units when
the question wants one. Where in its abstract a sentence stands, and at what rank its paper, does
not carry over from one field to another, and is left out. Fitted by ``python -m eval.fit`` on
questions whose wanted facts are known, beside what the form of the question is worth in
`layouts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.addressing import address_odds
from assistant.answering.evidence import NUMBER, Reading
from assistant.answering.question import Question
from assistant.attribution import answers_nothing
from assistant.fitted import load
from assistant.retrieved import RetrievedPaper
from assistant.text import STOP_WORDS, terms, words

__all__ = ["Candidate", "candidates", "sentence_features"]

_ASKED = 0.7
_ORDERS = 1.75
"""Log-odds of being an order to the reader, below 0, from which a sentence is held back."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The sentence at ``position`` of a retrieved paper; ``rank`` is the paper's, from 0."""

    rank: int
    paper: RetrievedPaper
    position: int
    score: float

    @property
    def text(self) -> str:
        """The sentence, letter for letter."""
        return self.paper.sentences[self.position]


def candidates(
    question: Question, papers: Sequence[RetrievedPaper], readings: Sequence[Reading]
) -> list[Candidate]:
    """All sentences of ``papers`` that may be shown, scored."""
    found: list[Candidate] = []
    contextual = any(reading.answers.any() for reading in readings)
    model = load("selection" if contextual else "selection-lexical")
    best = max((reading.log_odds for reading in readings), default=0.0)
    for rank, (paper, reading) in enumerate(zip(papers, readings, strict=False)):
        for position, text in enumerate(paper.sentences):
            if answers_nothing(text) or _asks(question.text, text):
                continue
            features = sentence_features(question, paper, reading, position)
            features["rel_evidence"] = reading.log_odds - best
            order = max(0.0, address_odds(text) + _ORDERS)  # what may be one comes after the rest
            found.append(Candidate(rank, paper, position, model.log_odds(features) - order))
    return found


def _asks(question: str, text: str) -> bool:
    """Whether ``text`` asks ``question`` itself, or tells that it is asked."""
    asked = words(question)
    if len(asked) < 3 or asked[0] not in STOP_WORDS:  # a topic: what holds it may be on it
        return False
    wanted, held = set(terms(question)), set(terms(text))
    return f" {asked[0]} {asked[1]} " in f" {' '.join(words(text))} " and (
        bool(wanted) and len(wanted & held) >= _ASKED * len(wanted)
    )


def sentence_features(
    question: Question, paper: RetrievedPaper, reading: Reading, position: int
) -> dict[str, float]:
    """What speaks for the sentence at ``position`` of ``paper`` being the answer, by name."""
    text = paper.sentences[position]
    numbered = NUMBER.search(text) is not None
    return {
        "cosine": float(paper.vectors[position] @ question.vector),
        "hit": float(reading.hit[position]),
        "soft_new": float(reading.added[position]),
        "inside": float(reading.inside[position]),
        "unit": float(question.gives(text)),
        "answers": float(reading.answers[position]),
        "paper_score": paper.score,
        "wanted_number": float(numbered and question.wants_number),
        "counted": float(question.counts(text)),
    }
