"""The papers that an answer is written from: fused from several searches, numbered, fitted.

One number a paper, best first, from 1. What goes into a prompt is the title and the abstract,
without reference marks such as [12], which a model could take for ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assistant.endpoint.ledger import count_tokens
from assistant.paper import Paper
from assistant.results import Passage
from assistant.retrieval import Ranking
from assistant.text import sentences

__all__ = ["GivenPaper", "fit", "fuse", "without_marks"]

_MARKS = re.compile(r"\s*\[\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*\]")
_SHORTEST = 60
"""Tokens below which the beginning of an abstract says too little to be given."""


def without_marks(text: str) -> str:
    """``text`` without reference marks."""
    return _MARKS.sub("", text)


@dataclass(frozen=True)
class GivenPaper:
    """A retrieved paper at its place in an index, with the fused score that chose it."""

    ranking: Ranking
    place: int
    score: float

    @cached_property
    def paper(self) -> Paper:
        """The paper itself."""
        return self.ranking.index.paper(self.place)

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences of its abstract."""
        return [self.paper.abstract[a:b] for a, b in self.ranking.index.spans(self.place)]

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """(sentences, dimension) unit vectors."""
        return self.ranking.index.sentence_vectors(self.place)

    @property
    def passage(self) -> Passage:
        """As it stands in an answer."""
        return Passage(
            paper_id=self.paper.id,
            title=self.paper.label,
            text=self.paper.abstract or self.paper.title,
            score=self.score,
            url=self.paper.link,
        )


def fuse(found: Sequence[tuple[Ranking, Sequence[int]]], most: int) -> list[GivenPaper]:
    """The best papers of several rankings in turns, each paper once, ``most`` at most.

    ``found``: each ranking with the positions in it that are relevant, best first.
    """
    given: dict[str, GivenPaper] = {}
    for turn in range(max((len(relevant) for _, relevant in found), default=0)):
        for ranking, relevant in found:
            if turn < len(relevant) and len(given) < most:
                n = relevant[turn]
                paper = GivenPaper(ranking, int(ranking.places[n]), float(ranking.scores[n]))
                given.setdefault(paper.paper.id, paper)
    return list(given.values())


def fit(papers: Sequence[GivenPaper], tokens: int) -> tuple[list[GivenPaper], list[str]]:
    """As many papers as fit, and their texts; the last one may be cut after a sentence."""
    taken: list[GivenPaper] = []
    texts: list[str] = []
    for given in papers:
        text = _cut(given.paper, tokens)
        if text is None:
            break
        tokens -= count_tokens(text)
        taken.append(given)
        texts.append(text)
    return taken, texts


def _cut(paper: Paper, tokens: int) -> str | None:
    """Title and abstract in at most so many tokens; None where too little would be left."""
    title, abstract = without_marks(paper.title), without_marks(paper.abstract)
    text = f"{title}\n{abstract}".strip()
    if count_tokens(text) <= tokens:
        return text
    end = 0
    for span in sentences(abstract):
        if count_tokens(f"{title}\n{abstract[: span.end]}") > tokens:
            break
        end = span.end
    text = f"{title}\n{abstract[:end]}".strip()
    return text if end and count_tokens(text) >= _SHORTEST else None
