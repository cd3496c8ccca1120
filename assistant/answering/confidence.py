"""Confidence: does the library answer this question, and which papers are worth reading?

The confidence is the calibrated probability that some retrieved paper answers the question,
from the best evidence among the first papers. Two thresholds make the status of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from assistant.answering.evidence import PassageReader
from assistant.answering.question import Question
from assistant.answering.weights import CALIBRATION, LEXICAL_CALIBRATION
from assistant.embedding import WordEmbedder
from assistant.results import Status
from assistant.retrieval import Ranking
from assistant.settings import AnswerSettings

__all__ = ["Assessment", "assess"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the retrieved papers are worth for a question.

    ``evidence``: log-odds that the paper answers, by rank. ``relevant``: ranks (from 0) of the
    papers that pass, best evidence first; empty when nothing here answers.
    """

    question: Question
    confidence: float
    status: Status
    evidence: list[float]
    relevant: list[int]


def assess(
    ranking: Ranking, asked: str, reader: PassageReader, settings: AnswerSettings
) -> Assessment:
    """Judges the papers of ``ranking`` for the (standalone) question ``asked``."""
    question = Question.read(asked, ranking.vector, ranking.index, reader.embedder)
    evidence = reader.evidence(question, ranking, settings.read_papers)
    chances = [_chance(log_odds, reader) for log_odds in evidence]
    confidence = max(chances, default=0.0)
    if not question.terms:
        confidence = 0.0
    status: Status = "absent"
    if confidence >= settings.answered_from:
        status = "answered"
    elif confidence >= settings.closest_from:
        status = "closest"
    by_evidence = sorted(range(len(evidence)), key=lambda n: -_preference(evidence[n], n))
    bar = min(settings.closest_from, confidence)
    relevant = [n for n in by_evidence if chances[n] >= bar] if status != "absent" else []
    return Assessment(question, round(confidence, 4), status, evidence, relevant)


def _preference(log_odds: float, rank: int) -> float:
    """Order of the papers in an answer: evidence, and half a unit of log-odds a rank.

    Measured: the gold paper comes first for 94% of the answerable questions, for 92% by
    retrieval alone.
    """
    return log_odds - 0.5 * rank


def _chance(log_odds: float, reader: PassageReader) -> float:
    """Probability that a library whose best evidence this is answers (Platt's scaling)."""
    contextual = isinstance(reader.embedder, WordEmbedder)
    slope, shift = CALIBRATION if contextual else LEXICAL_CALIBRATION
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, slope * log_odds + shift))))
