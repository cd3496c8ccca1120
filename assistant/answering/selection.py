"""Which sentences answer: a score for every sentence of the retrieved papers.

A logistic model joins similarity to the question, idf-weighted overlap, the paper's own
evidence and retrieval score, numbers when the question wants one, and where in its abstract a
sentence stands (findings come late, background early). Fitted by ``python -m eval.fit`` on
questions whose wanted facts are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.answering.evidence import NUMBER
from assistant.answering.question import Question
from assistant.answering.weights import SELECTION
from assistant.paper import Paper
from assistant.retrieval import Ranking
from assistant.text import terms

__all__ = ["Candidate", "candidates", "sentence_features"]

_BACKGROUND = re.compile(
    r"(However|While|Recent(ly)?|Despite|Although|Existing|Traditional(ly)?|Current|Prior|Previous)\b"
)
_BOILERPLATE = re.compile(
    r"https?://\S+\W*$|^\W*(project page|our code|the code|keywords|source code)\b|^Code\b"
    r"|\b(code|implementation|models?|data(sets?)?|checkpoints|weights) (and \w+ )?"
    r"(is|are|will be|has been|have been) (made |publicly |freely |openly )*"
    r"(available|released|open-?sourced|published)"
    r"|\brelease (the|our|all|its) (\w+ ){0,2}code\b",
    re.IGNORECASE,
)
_CONTRIBUTION = re.compile(
    r"\b(we|this (paper|work|study)|i) (\w+ly )?(propose|present|introduce|develop|design|describe"
    r"|show|prove|find|study|investigate|demonstrate|discover|establish|offer)",
    re.IGNORECASE,
)
_CONTRIBUTION_BONUS = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence of a retrieved paper; ``rank`` is the paper's, from 0."""

    rank: int
    paper: Paper
    position: int
    text: str
    vector: NDArray[np.float32]
    score: float
    directness: float
    """How directly it speaks to the question: similarity and overlap, nothing else."""


def candidates(question: Question, ranking: Ranking, evidence: list[float]) -> list[Candidate]:
    """All sentences of the papers that ``evidence`` (log-odds, by rank) was given for, scored."""
    found: list[Candidate] = []
    for rank, log_odds in enumerate(evidence):
        place = int(ranking.places[rank])
        paper = ranking.index.paper(place)
        spans = ranking.index.spans(place)
        vectors = ranking.index.sentence_vectors(place)
        for position, (start, end) in enumerate(spans):
            text = paper.abstract[start:end]
            if _BOILERPLATE.search(text):
                continue
            features = sentence_features(
                question,
                text,
                cosine=float(vectors[position] @ question.vector),
                paper_score=float(ranking.scores[rank]),
                evidence=log_odds,
                position=position / max(1, len(spans) - 1),
            )
            found.append(
                Candidate(
                    rank,
                    paper,
                    position,
                    text,
                    vectors[position],
                    SELECTION.log_odds(features),
                    _directness(features, text),
                )
            )
    return found


def _directness(features: dict[str, float], text: str) -> float:
    """Similarity and overlap with the weights of `SELECTION`; what is new before what was."""
    weights = SELECTION.weights
    new = _CONTRIBUTION.search(text) is not None
    old = features["background"] or (features["position"] == 0 and not new)
    return (
        weights["cosine"] * features["cosine"]
        + weights["coverage"] * features["coverage"]
        + weights["background"] * old
        + weights["wanted_number"] * features["wanted_number"]
        + _CONTRIBUTION_BONUS * new
    )


def sentence_features(
    question: Question,
    text: str,
    *,
    cosine: float,
    paper_score: float,
    evidence: float,
    position: float,
) -> dict[str, float]:
    """What speaks for one sentence being the answer, by name."""
    numbered = NUMBER.search(text) is not None
    return {
        "cosine": cosine,
        "coverage": question.coverage(set(terms(text))),
        "paper_score": paper_score,
        "evidence": evidence,
        "number": float(numbered),
        "wanted_number": float(numbered and question.wants_number),
        "position": position,
        "background": float(_BACKGROUND.match(text) is not None),
    }
