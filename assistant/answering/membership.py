"""Which of the papers found are on a topic: for lists and counts, not for single answers.

A paper is on the topic if it holds the topic's words, the rare ones before the common ones, and
lies near it as a whole; one that only mentions a word in passing is not.
"""

from __future__ import annotations

import re
from collections import Counter

from assistant.answering.cues import phrase
from assistant.answering.question import Question
from assistant.fitted import load
from assistant.retrieved import Retrieval, RetrievedPaper
from assistant.text import terms

__all__ = ["membership_features", "on_topic"]

_LETTER = re.compile(r"\b[B-HJ-Z]\b")
_FROM = -0.5
"""Log-odds from which a paper is taken in. Measured on the list questions of plain-*.jsonl (a
part of which the model was fitted on): recall .80 → .83, precision .94 → .91."""
_ENOUGH, _LACKING = 3, 0.5
"""Where so many papers hold all of the topic's words, those that lack one of more than this
weight are on something wider. Measured on list questions in three fields that were not looked
at: precision .90 → .93 at recall .84 → .82."""


_PHRASED, _NAMED_BY = -3.0, 8
"""Log-odds from which a paper is taken in that holds the topic word for word, where at most so many
of those found do: of some fourteen lists in three fields, recall .78 → .83 at the same precision
(.96); of 48 others .83 → .83 (.93 → .92); of a field that was not looked at .55 → .63 (.81)."""


def on_topic(question: Question, found: Retrieval) -> list[RetrievedPaper]:
    """Those of ``found`` that are on the topic that ``question`` holds, best first."""
    model, least = load("membership"), _FROM
    named = phrase(question.text)
    told = {p.paper.id for p in found if named.search(p.paper.text)}
    if len(question.terms) > 1 and len(told) <= _NAMED_BY:
        least = _PHRASED
    best = max((paper.cosine for paper in found), default=0.0)
    top = max((paper.standing for paper in found), default=0.0)
    members: list[tuple[RetrievedPaper, float]] = []
    for paper in found:
        features = membership_features(question, paper, best, top)
        titled = features["title_coverage"] == 1.0  # nothing stands out where all are of one topic
        if titled or model.log_odds(features) >= (least if paper.paper.id in told else _FROM):
            members.append((paper, features["lack"]))
    if _LETTER.search(question.text):  # stems know no "D" of "vitamin D"
        members = [m for m in members if m[0].paper.id in told] or members
    whole = sum(lack == 0 for _, lack in members)
    most = _LACKING if whole >= _ENOUGH else 1.0
    return [paper for paper, lack in members if lack <= most]


def membership_features(
    question: Question, found: RetrievedPaper, best: float, top: float
) -> dict[str, float]:
    """What speaks for ``found`` being on the topic, by name.

    Args:
        best: the highest cosine of the papers found; top: their highest standing.
    """
    title = set(terms(found.paper.title))
    counts = Counter(terms(found.paper.abstract))
    bag = title | set(counts)
    weights = question.idf
    often = sum(w for t, w in weights.items() if counts[t] + 2 * (t in title) > 1)
    return {
        "coverage": question.coverage(bag),
        "title_coverage": question.coverage(title),
        "often": often / question.total_idf,
        "lack": max((w for t, w in weights.items() if t not in bag), default=0.0)
        / max(weights.values(), default=1.0),
        "whole": float(all(term in bag for term in question.terms)),
        "cosine": found.cosine,
        "cosine_share": found.cosine / max(best, 1e-3),
        "standing": found.standing,
        "standing_share": found.standing / max(top, 1e-3),
        "score": found.score,
    }
