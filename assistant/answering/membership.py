"""Which of the papers found are on a topic: for lists and counts, not for single answers.

A paper is on the topic if it holds the topic's words, the rare ones before the common ones, and
lies near it as a whole; one that only mentions a word in passing is not. Papers call a thing by
other words, too: those that stand first for the topic tell which (pseudo-relevance feedback), by
their vectors and by their terms. ``python -m eval.membership`` fits the model.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.answering.cues import phrase
from assistant.answering.question import Question
from assistant.embedding import Embedder
from assistant.fitted import load
from assistant.retrieved import Retrieval, RetrievedPaper
from assistant.text import STOP_WORDS, terms

__all__ = ["FROM", "MOST_MAYBE", "Members", "alternatives", "membership_features", "on_topic"]

Floats = NDArray[np.float64]

_LETTER = re.compile(r"\b[B-HJ-Z]\b")
FROM, _PERHAPS = -1.0, -2.5
"""Log-odds from which a paper is on the topic, and from which it may be."""
MOST_MAYBE = 4
"""Papers that may be on the topic, of which a list tells."""
_TAIL = re.compile(
    r" (?:in|of|for|with|without|on|at|by|under|from|during|after|against|among|between) .+$"
)
_HEAD = re.compile(r"^.+ (?:in|of|for|with|without|on|at|by|under|from|during|after|against) ")
_ENOUGH, _LACKING = 3, 0.5
"""Where so many papers hold all of the topic's words, those that lack one of more than this
weight are on something wider, or may be."""
_PHRASED, _NAMED_BY = -3.5, 8
"""Log-odds from which a paper is taken in that holds the topic word for word, where at most so
many of those found do."""
_FIRST, _HOLDS = 3, 0.5
"""Papers that stand first, by which the others are judged, of those that hold so much of the
topic: one that holds it alone is judged by none but itself."""
_POOL = 60
"""Papers found among which means and frequencies are taken, however many are judged."""
_TITLED = 0.3
"""What it is worth, in standard deviations of the search, that a title or a text holds the topic,
for who stands first."""


@dataclass(frozen=True, slots=True)
class Members:
    """``sure``: the papers on a topic, best first; ``perhaps``: those that may be."""

    sure: list[RetrievedPaper]
    perhaps: list[RetrievedPaper]


def on_topic(topic: str, found: Retrieval, embedder: Embedder) -> Members:
    """Those of ``found``, which was searched for it, that are on ``topic``."""
    question = Question.read(topic, found.vector, found.statistics, embedder)
    model = load("membership")
    named = phrase(topic)
    told = {p.paper.id for p in found if named.search(p.paper.text)}
    rare = len(question.terms) > 1 and len(told) <= _NAMED_BY
    judged: list[tuple[RetrievedPaper, float, float]] = []
    for paper, features in zip(found, membership_features(question, list(found)), strict=True):
        odds = model.log_odds(features)
        titled = features["title_coverage"] == 1.0  # nothing stands out where all are of one topic
        if titled or (rare and paper.paper.id in told and odds >= _PHRASED):
            odds = max(odds, FROM)
        judged.append((paper, odds, features["lack"]))
    sure = [one for one in judged if one[1] >= FROM]
    if _LETTER.search(topic):  # stems know no "D" of "vitamin D"
        lettered = [one for one in sure if one[0].paper.id in told]
        if lettered:
            judged, sure = [one for one in judged if one[0].paper.id in told], lettered
    if sum(lack == 0 for *_, lack in sure) >= _ENOUGH:
        sure = [one for one in sure if one[2] <= _LACKING]
    taken = {paper.paper.id for paper, *_ in sure}
    near = [one for one in judged if one[1] >= _PERHAPS and one[0].paper.id not in taken]
    near.sort(key=lambda one: -one[1])
    return Members([paper for paper, *_ in sure], [paper for paper, *_ in near[:MOST_MAYBE]])


def membership_features(
    question: Question, found: Sequence[RetrievedPaper]
) -> list[dict[str, float]]:
    """What speaks for each of ``found`` being on the topic, by name; they are judged together."""
    if not found:
        return []
    best = max(paper.cosine for paper in found)
    top = max(paper.standing for paper in found)
    titles = [set(terms(paper.paper.title)) for paper in found]
    texts = [Counter(terms(paper.paper.abstract)) for paper in found]
    weights = question.idf
    features: list[dict[str, float]] = []
    for paper, title, counts in zip(found, titles, texts, strict=True):
        bag = title | set(counts)
        often = sum(w for t, w in weights.items() if counts[t] + 2 * (t in title) > 1)
        features.append(
            {
                "coverage": question.coverage(bag),
                "title_coverage": question.coverage(title),
                "often": often / question.total_idf,
                "lack": max((w for t, w in weights.items() if t not in bag), default=0.0)
                / max(weights.values(), default=1.0),
                "cosine_share": paper.cosine / max(best, 1e-3),
                "standing_share": paper.standing / max(top, 1e-3),
            }
        )
    standing = np.array([paper.standing for paper in found])
    held = np.array([f["title_coverage"] + f["coverage"] for f in features])
    order = [int(n) for n in np.argsort(-(standing + _TITLED * held), kind="stable")]
    first = [n for n in order if features[n]["coverage"] >= _HOLDS][:_FIRST] or order[:1]
    near = _beside(np.stack([paper.mean for paper in found]).astype(np.float64), first)
    bags = [counts + Counter(title) for title, counts in zip(titles, texts, strict=True)]
    alike = _beside(_weighed(bags), first)
    middle, spread = float(near[:_POOL].mean()), float(near[:_POOL].std()) or 1.0
    most = max(float(alike[:_POOL].max()), 1e-6)
    for one, cosine, shared in zip(features, near, alike, strict=True):
        one["near_first"] = float(cosine)
        one["near_first_standing"] = (float(cosine) - middle) / spread
        one["alike_first"] = float(shared)
        one["alike_first_share"] = float(shared) / most
    return features


def _beside(vectors: Floats, first: Sequence[int]) -> Floats:
    """(rows,) cosine of each row of ``vectors`` to the mean of the ``first``, itself left out."""
    found = np.zeros(len(vectors))
    for n, vector in enumerate(vectors):
        mean = vectors[[m for m in first if m != n] or [n]].mean(axis=0)
        length = float(np.linalg.norm(mean) * np.linalg.norm(vector))
        found[n] = float(mean @ vector) / length if length else 0.0
    return found


def _weighed(bags: Sequence[Counter[str]]) -> Floats:
    """(bags, terms) tf-idf, (1 + ln tf) · ln((N + 1) / (df + 1)), unit rows; N and df are of the
    first of ``bags``.
    """
    places: dict[str, int] = {}
    for bag in bags:
        for term in bag:
            places.setdefault(term, len(places))
    table = np.zeros((len(bags), max(1, len(places))))
    for row, bag in zip(table, bags, strict=True):
        for term, times in bag.items():
            row[places[term]] = 1 + math.log(times)
    pool = table[:_POOL]
    table *= np.log((len(pool) + 1) / ((pool > 0).sum(axis=0) + 1))
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    return np.asarray(table / np.maximum(lengths, 1e-9))


def alternatives(topic: str) -> list[str]:
    """The topics that "A or B" names, each whole ("salt in tea", "sugar in tea"); none where only
    one is named, as in "with or without salt".
    """
    found = [t.strip() for t in re.split(r",? or (?:(?:any )?other )?|, ", topic)]
    told = [t.casefold().split() for t in found]
    if len(found) < 2 or " or " not in topic or not all(terms(t) for t in found):
        return []
    if any(STOP_WORDS & {one[0], one[-1]} for one in told):
        return []
    if shared := _TAIL.search(found[-1]):
        found = [t if _TAIL.search(t) else f"{t}{shared.group()}" for t in found]
    elif head := _HEAD.match(found[0]):
        found = [found[0], *(t if _TAIL.search(t) else f"{head.group()}{t}" for t in found[1:])]
    return found
