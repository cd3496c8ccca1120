"""Confidence: does the library answer this question, and which papers are worth reading?

The confidence is the calibrated probability that some retrieved paper answers the question,
from the best evidence among the first papers. What evidence is worth differs from library to
library, so it is seen relative to what the library gives to questions of other fields
(`calibration`). Two thresholds make the status of it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from assistant.answering.calibration import Calibration, Calibrations
from assistant.answering.evidence import PassageReader, PassageText, Reading
from assistant.answering.forms import Asking, Form, evidence_text
from assistant.answering.question import Question
from assistant.answering.selection import Candidate, candidates
from assistant.embedding import WordEmbedder
from assistant.filters import Filters
from assistant.fitted import load
from assistant.results import Status
from assistant.retrieval import PaperRetriever
from assistant.retrieved import Retrieval, RetrievedPaper, Statistics
from assistant.settings import AnswerSettings
from assistant.text import terms

__all__ = [
    "Assessment", "Judge", "assess", "confidence_features", "trust_features", "trusted",
]  # fmt: skip

_NEAR, _LIKE = 0.05, 0.5
"""How far above other fields' questions, and how much of its words, make a paper near to one."""
_DEEP = 60
"""Papers found for a list; of these the first are read."""


@dataclass(frozen=True)
class Assessment:
    """What the retrieved papers are worth for a question.

    ``question`` is what has to be found in an abstract; ``asked`` the whole question, which
    sentences are chosen for. ``evidence``: log-odds that the paper answers, by rank.
    ``relevant``: ranks (from 0) of the papers that pass, best evidence first; empty when
    nothing here answers. ``is_near``: whether the papers found are of the question's field.
    """

    question: Question
    asked: Question
    confidence: float
    status: Status
    retrieval: Retrieval
    readings: list[Reading]
    relevant: list[int]
    is_near: bool = True
    seen: tuple[str, ...] = ()
    """Quotations that the reader has seen: their sentences are no candidates."""
    needs: frozenset[str] = frozenset()
    """Stems that a paper must hold whose sentences are candidates."""

    @property
    def evidence(self) -> list[float]:
        """Log-odds that each paper that was read answers, by rank."""
        return [reading.log_odds for reading in self.readings]

    @property
    def statistics(self) -> Statistics:
        """What the library knows of its words."""
        return self.retrieval.statistics

    @cached_property
    def candidates(self) -> list[Candidate]:
        """The sentences of the papers that were read, best first."""
        found = candidates(self.asked, self.retrieval, self.readings)
        fits = {p.paper.id for p in self.retrieval if not self.needs or self.needs <= _held(p)}
        fresh = [
            c
            for c in found
            if c.paper.paper.id in fits and not any(c.text in quote for quote in self.seen)
        ]
        return sorted(fresh, key=lambda candidate: -candidate.score)


class Judge:
    """Searches and judges; knows what the evidence is worth in the library that is asked."""

    def __init__(
        self, reader: PassageReader, settings: AnswerSettings, calibrations: Calibrations
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._calibrations = calibrations

    def assess(
        self,
        text: str,
        asked: Asking,
        retriever: PaperRetriever,
        filters: Filters | None = None,
        *,
        said: str = "",
        without: Collection[str] = (),
    ) -> Assessment:
        """Searches ``text`` and judges what is found.

        Args:
            said: what of ``text`` was asked in this turn; sentences are chosen for it, since
                those that match the context have been shown.
            without: quotations that were shown before; their papers are left out.
        """
        search = asked.topic if asked.form in {"list", "definition"} else text
        found = retriever.find(search, _DEEP if asked.form == "list" else 20, filters)
        if without:
            kept = tuple(p for p in found if not _was_shown(p, without))
            found = Retrieval(found.question, found.vector, kept, found.statistics)
        calibration = self._calibrations.of(retriever)
        found_for = assess(found, text, self._reader, self._settings, calibration)
        if not said or said == text:
            return found_for
        vector = self._reader.embedder.embed_query(said) + found.vector
        vector /= np.linalg.norm(vector)
        own = Question.read(said, vector, found.statistics, self._reader.embedder)
        readings = [
            replace(reading, answers=answers)
            for reading, answers in zip(
                found_for.readings,
                self._reader.answers(
                    said, [PassageText.of(p) for p in found[: len(found_for.readings)]]
                ),
                strict=True,
            )
        ]
        return replace(found_for, asked=own, readings=readings)

    def status(self, confidence: float) -> Status:
        """What a question is called that is answered with ``confidence``."""
        return _status(confidence, self._settings)


def assess(
    retrieval: Retrieval,
    text: str,
    reader: PassageReader,
    settings: AnswerSettings,
    calibration: Calibration | None = None,
) -> Assessment:
    """Judges the papers of ``retrieval`` for the (standalone) question ``text``."""
    calibration = calibration or Calibration()
    wanted = evidence_text(text) or text
    asked = Question.read(text, retrieval.vector, retrieval.statistics, reader.embedder)
    question = asked
    if wanted != text:
        vector = reader.embedder.embed_query(wanted)
        question = Question.read(wanted, vector, retrieval.statistics, reader.embedder, text)
    readings = reader.read(question, retrieval[: settings.read_papers])
    best = max((paper.best_cosine for paper in retrieval), default=0.0)
    above = best - calibration.near_from
    chances = [_chance(reading, question, above, reader) for reading in readings]
    best_of = max(range(len(readings)), key=lambda n: readings[n].log_odds, default=None)
    confidence = chances[best_of] if best_of is not None and question.terms else 0.0
    status = _status(confidence, settings)
    by_evidence = sorted(range(len(readings)), key=lambda n: -_preference(readings[n], n))
    bar = min(settings.closest_from, confidence)
    relevant = [n for n in by_evidence if chances[n] >= bar] if status != "absent" else []
    return Assessment(
        question,
        asked,
        round(confidence, 4),
        status,
        retrieval,
        readings,
        relevant,
        above >= _NEAR and max((r.features["soft_coverage"] for r in readings), default=0) >= _LIKE,
    )


def _status(confidence: float, settings: AnswerSettings) -> Status:
    if confidence >= settings.answered_from:
        return "answered"
    return "closest" if confidence >= settings.closest_from else "absent"


def _held(found: RetrievedPaper) -> frozenset[str]:
    """The stems of a paper."""
    return frozenset(terms(f"{found.paper.title} {found.paper.abstract}"))


def _was_shown(paper: RetrievedPaper, quotes: Collection[str]) -> bool:
    """Whether one of ``quotes``, sentences or titles, is of ``paper``."""
    found = paper.paper
    return any(quote in found.abstract or found.label.startswith(quote) for quote in quotes)


def _preference(reading: Reading, rank: int) -> float:
    """Order of the papers in an answer: evidence, and half a unit of log-odds a rank.

    Measured: the gold paper comes first for 94% of the answerable questions, for 92% by
    retrieval alone.
    """
    return reading.log_odds - 0.5 * rank


def _chance(reading: Reading, question: Question, above: float, reader: PassageReader) -> float:
    """Probability that a library whose best evidence this is answers (Platt's scaling).

    ``above``: how far the nearest paper's cosine is above what other fields' questions get.
    """
    contextual = isinstance(reader.embedder, WordEmbedder)
    model = load("confidence" if contextual else "confidence-lexical")
    return _logistic(model.log_odds(confidence_features(reading, question.short, above)))


def confidence_features(reading: Reading, short: float, above: float) -> dict[str, float]:
    """What speaks for a library answering whose best evidence is ``reading``, by name."""
    return {
        "evidence": reading.log_odds,
        "short": short,
        "short_evidence": short * reading.log_odds,
        "above": above,
        **{name: reading.features[name] for name in ("has_focus", "lacks_focus", "matched")},
    }


def trusted(confidence: float, form: Form) -> float:
    """How often an answer is good that the library gives with ``confidence`` in ``form``.

    A good one cites a right paper and states a right fact; that the library holds an answer is
    not enough.
    """
    return round(_logistic(load("trust").log_odds(trust_features(confidence, form))), 4)


def trust_features(confidence: float, form: str) -> dict[str, float]:
    """What speaks for an answer being good, by name."""
    sure = min(max(confidence, 1e-6), 1 - 1e-6)
    forms = ("list", "definition", "explanation", "comparison")
    return {"answerable": math.log(sure / (1 - sure))} | {f: float(f == form) for f in forms}


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-float(np.clip(value, -30, 30))))
