"""Searching for a review: several queries of a topic, and which papers are about it.

A paper's relevance is the estimated chance that it is about the topic: a logistic model of its
cosine to the topic, of how much of the topic's words stand in its title and in its abstract, and
of its BM25 score for the words that the surest papers share (RM3). It was fitted on the topics
of ``eval/topics``; left out one topic at a time, it ranks with a mean average precision of 0.89
and finds 86% of the relevant papers at the threshold.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.index import SearchIndex
from assistant.paper import Paper
from assistant.retrieval import PaperRetriever
from assistant.review.model import LeftOut, SearchStep
from assistant.text import terms

__all__ = ["RELEVANT", "Found", "UsedPaper", "acronyms", "find"]

Floats = NDArray[np.float32]

RELEVANT = 0.2
"""Relevance from which a paper is about the topic."""
SURE = 0.35
"""Relevance from which its words widen the search."""
LEAST_SURE = 0.3
"""A library whose best paper is below holds nothing on the topic."""
_FEEDBACK_PAPERS = 8
_FEEDBACK_TERMS = 20
_LOOKED_AT = 100
"""Papers that each query brings, at least."""
_LISTED = 40
"""Papers left out that are named."""
_INTERCEPT = -6.305
_COSINE, _COVERAGE, _TITLE, _FEEDBACK = 3.243, 3.636, 2.173, 2.586
_FIRST_INTERCEPT = -6.516
_FIRST_COSINE, _FIRST_COVERAGE, _FIRST_TITLE = 3.724, 4.439, 2.780
_ACRONYM = re.compile(r"\b[A-Za-z]*[A-Z][A-Za-z]*[A-Z]s?\b")
_PART = 0.9
"""What a part of the topic counts beside the whole."""
_AND = re.compile(r"\s*(?:[,;/]|\band\b|\bor\b|\bversus\b|\bvs\.?(?=\s))\s*", re.IGNORECASE)


@dataclass
class UsedPaper:
    """A paper that the review is written from.

    ``vector``: (dimension,) unit, the mean of its chunks. ``sentences`` and ``vectors``
    (sentences, dimension) are those of its abstract.
    """

    place: int
    paper: Paper
    relevance: float
    sentences: list[str]
    vectors: Floats
    vector: Floats
    by_hand: bool = False


@dataclass
class Found:
    """What a search brought: papers by relevance, the steps, and what was left out."""

    papers: list[UsedPaper]
    steps: list[SearchStep]
    left_out: list[LeftOut]
    looked_at: int
    relevant: int
    topic_vector: Floats
    nearest: list[str] = field(default_factory=list)
    expansion: list[str] = field(default_factory=list)


class _Judge:
    """How far papers are about a topic."""

    def __init__(self, index: SearchIndex, topic: str) -> None:
        self.index = index
        self._terms = set(terms(topic))
        self._weight = sum(index.idf(t) for t in self._terms) or 1.0
        self._acronyms = acronyms(topic)
        self._bags: dict[int, tuple[Paper, list[str], list[str]]] = {}

    def bag(self, place: int) -> tuple[Paper, list[str], list[str]]:
        """The paper with the terms of its title and of its abstract."""
        if place not in self._bags:
            paper = self.index.paper(place)
            self._bags[place] = (paper, terms(paper.title), terms(paper.abstract))
        return self._bags[place]

    def relevance(self, place: int, cosine: float, feedback: float | None = None) -> float:
        """The chance in [0, 1]; ``feedback`` in [0, 1] is the paper's score for the expansion."""
        paper, title, abstract = self.bag(place)
        covered = self._share({*title, *abstract}, f"{paper.title} {paper.abstract}")
        titled = self._share(set(title), paper.title)
        if feedback is None:
            odds = (
                _FIRST_INTERCEPT
                + _FIRST_COSINE * cosine
                + _FIRST_COVERAGE * covered
                + _FIRST_TITLE * titled
            )
        else:
            odds = (
                _INTERCEPT
                + _COSINE * cosine
                + _COVERAGE * covered
                + _TITLE * titled
                + _FEEDBACK * feedback
            )
        return 1.0 / (1.0 + math.exp(-odds))

    def _share(self, held: set[str], text: str) -> float:
        """The part of the topic, by idf, that a text names; an acronym stands for its words."""
        if self._acronyms:
            named = {a.lower().rstrip("s") for a in _ACRONYM.findall(text)}
            held = held.union(*(w for a, w in self._acronyms.items() if a in named))
        return sum(self.index.idf(t) for t in self._terms & held) / self._weight


def acronyms(topic: str) -> dict[str, set[str]]:
    """Acronyms that the topic may go by ("moe", "ptq"), with the stems that each stands for."""
    words = [w for w in re.split(r"[^\w]+", topic) if w]
    found: dict[str, set[str]] = {}
    for start in range(len(words)):
        for end in range(start + 2, min(len(words), start + 6) + 1):
            run = words[start:end]
            if not terms(run[0]) or not terms(run[-1]):
                continue
            for letters in (run, [w for w in run if terms(w)]):
                acronym = "".join(w[0] for w in letters).lower()
                if len(acronym) >= 3:
                    found[acronym] = set(terms(" ".join(run)))
    return found


def find(
    topic: str,
    retriever: PaperRetriever,
    *,
    wanted: int,
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
) -> Found:
    """The papers for a review of ``topic``, most relevant first.

    Args:
        wanted: papers to use at most (those of ``include`` come first, and always).
        include, exclude: places in the index.
    """
    first = retriever.rank(topic, max(_LOOKED_AT, 3 * wanted))
    index, vector = first.index, first.vector
    judge = _Judge(index, topic)
    cosines = {int(p): float(c) for p, c in zip(first.places, first.cosines, strict=True)}
    chances = {place: judge.relevance(place, cosine) for place, cosine in cosines.items()}
    seen = {p for p, chance in chances.items() if chance >= RELEVANT}
    steps = [SearchStep(query=topic, why="the topic itself", found=len(cosines), new=len(seen))]
    sure = sorted((p for p in chances if chances[p] >= SURE), key=lambda p: -chances[p])
    expansion = _expansion(judge, index, sure[:_FEEDBACK_PAPERS], chances)
    queries = [(part, "a part of the topic") for part in _parts(topic)]
    if expansion:
        queries.append((" ".join([topic, *expansion]), "with the words of the surest papers"))
    for query, why in queries:
        ranking = retriever.rank(query, max(_LOOKED_AT, 3 * wanted))
        for place in map(int, ranking.places):
            if place not in cosines:
                cosines[place] = _cosine(index, place, vector)
                chances[place] = judge.relevance(place, cosines[place])
        new = {p for p, chance in chances.items() if chance >= RELEVANT} - seen
        seen |= new
        steps.append(SearchStep(query=query, why=why, found=len(ranking), new=len(new)))
    if expansion:
        scores = index.bm25(expansion)
        highest = float(scores.max(initial=0.0)) or 1.0
        for place, cosine in cosines.items():
            chances[place] = judge.relevance(place, cosine, float(scores[place]) / highest)
    for part in _parts(topic):
        of, of_part = _Judge(index, part), retriever.rank(part, max(_LOOKED_AT, 3 * wanted))
        for place, cosine in zip(map(int, of_part.places), of_part.cosines, strict=True):
            chance = _PART * of.relevance(place, float(cosine))
            chances[place] = max(chances.get(place, 0.0), chance)
    found = Found([], steps, [], len(chances), 0, vector, expansion=expansion)
    by_hand = list(dict.fromkeys(include))
    _choose(found, judge, chances, wanted=wanted, by_hand=by_hand, dropped=set(exclude))
    return found


def _choose(
    found: Found,
    judge: _Judge,
    chances: dict[int, float],
    *,
    wanted: int,
    by_hand: list[int],
    dropped: set[int],
) -> None:
    """Draws the line, and says of every paper beyond it why it is there."""
    index = judge.index
    order = sorted(chances, key=lambda p: (-chances[p], p))
    relevant = [p for p in order if chances[p] >= RELEVANT]
    if not relevant or chances[relevant[0]] < LEAST_SURE:
        relevant = []
    used = by_hand[:]
    for place in order:
        if place in used:
            continue
        if place in dropped:
            why = "dropped by hand"
        elif place not in relevant:
            why = "too little about the topic"
        elif len(used) >= wanted:
            why = f"beyond the {wanted} papers that were asked for"
        elif not index.spans(place):
            why = "no abstract"
        else:
            used.append(place)
            continue
        if len(found.left_out) < _LISTED:
            title, chance = judge.bag(place)[0].label, round(chances[place], 3)
            found.left_out.append(
                LeftOut(paper_id=judge.bag(place)[0].id, title=title, relevance=chance, why=why)
            )
    found.papers = [
        used_paper(index, p, chances.get(p, 0.0), by_hand=p in by_hand)
        for p in sorted(used, key=lambda p: (-chances.get(p, 0.0), p))
    ]
    found.relevant = len(relevant)
    found.nearest = [judge.bag(p)[0].label for p in order[:3]]


def used_paper(
    index: SearchIndex, place: int, relevance: float, *, by_hand: bool = False
) -> UsedPaper:
    """The paper at ``place`` with what a review needs of it."""
    paper = index.paper(place)
    mean = index.chunk_vectors(place).mean(axis=0)
    return UsedPaper(
        place,
        paper,
        round(relevance, 4),
        [paper.abstract[start:end] for start, end in index.spans(place)],
        index.sentence_vectors(place),
        np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), dtype=np.float32),
        by_hand,
    )


def _cosine(index: SearchIndex, place: int, vector: Floats) -> float:
    """As retrieval scores a paper: half its best chunk, half the mean of its chunks."""
    rows = index.chunk_vectors(place)
    mean = rows.mean(axis=0)
    norm = max(float(np.linalg.norm(mean)), 1e-6)
    return 0.5 * float((rows @ vector).max()) + 0.5 * float(mean @ vector) / norm


def _parts(topic: str) -> list[str]:
    """What a topic joins by "and" or commas, in two content words at least; [] if nothing."""
    parts = [part.strip() for part in _AND.split(topic) if terms(part)]
    return [part for part in parts[:6] if len(set(terms(part))) > 1] if len(parts) > 1 else []


def _expansion(
    judge: _Judge, index: SearchIndex, places: Sequence[int], chances: dict[int, float]
) -> list[str]:
    """The stems that the surest papers share and the library does not (RM3)."""
    weights: Counter[str] = Counter()
    for place in places:
        _, title, abstract = judge.bag(place)
        bag = title * 2 + abstract
        for term, count in Counter(bag).items():
            weights[term] += chances[place] * count / max(1, len(bag))  # type: ignore[assignment]
    ranked = sorted(weights, key=lambda t: (-weights[t] * index.idf(t), t))
    return ranked[:_FEEDBACK_TERMS]
