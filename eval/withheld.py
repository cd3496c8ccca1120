"""A library without some of its papers: as if they had never been there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from assistant.filters import Filters
from assistant.retrieved import Retrieval, RetrievedPaper, Statistics
from assistant.text import terms
from eval.seams import Finder

DEPTH = 200
"""Papers that are looked at: enough that the best of the others, and their scale, are known."""


class Withholding:
    """A retriever that never finds the papers with the ids in ``hidden``.

    The scores of the others are fused again, because their normalisation looked at the hidden
    papers, and the words of the hidden papers are taken out of the library's statistics.
    """

    def __init__(self, retriever: Finder, hidden: frozenset[str], dense_weight: float) -> None:
        self._retriever, self._hidden, self._dense_weight = retriever, hidden, dense_weight

    def find(
        self, question: str, k: int | None = None, filters: Filters | None = None
    ) -> Retrieval:
        """The ``k`` best papers that are not hidden."""
        found = self._retriever.find(question, DEPTH + len(self._hidden) + (k or 0), filters)
        hidden = [paper for paper in found if paper.paper.id in self._hidden]
        kept = [paper for paper in found if paper.paper.id not in self._hidden]
        low = _lowest(list(found), self._dense_weight)
        best = fused_anew(kept, self._dense_weight, low)[: k or 8]
        return replace(found, papers=tuple(best), statistics=_Fewer(found.statistics, hidden))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retriever, name)


def _lowest(papers: Sequence[RetrievedPaper], weight: float) -> float:
    """The cosine that counts as 0 in the scores of ``papers``: that of the library's farthest.

    Solved from the paper whose dense share of the score is the smallest.
    """
    highest = max((p.cosine for p in papers), default=0.0)
    best = max((p.bm25 for p in papers), default=0.0)
    low = min((p.cosine for p in papers), default=0.0)
    if weight <= 0 or not papers:
        return low
    lexical = {p.paper.id: p.bm25 / best if best > 0 else 0.0 for p in papers}
    share, far = min(
        (((p.score - (1 - weight) * lexical[p.paper.id]) / weight, p) for p in papers),
        key=lambda found: found[0],
    )
    return min(low, (far.cosine - share * highest) / (1 - share)) if share < 1 else low


def fused_anew(papers: Sequence[RetrievedPaper], weight: float, low: float) -> list[RetrievedPaper]:
    """``papers``, best first, scored as a library scores whose best they are."""
    width = max((p.cosine for p in papers), default=low) - low
    highest = max((p.bm25 for p in papers), default=0.0)
    scored = [
        replace(
            paper,
            score=weight * ((paper.cosine - low) / width if width > 0 else 0.0)
            + (1 - weight) * (paper.bm25 / highest if highest > 0 else 0.0),
        )
        for paper in papers
    ]
    return sorted(scored, key=lambda paper: -paper.score)


class _Fewer:
    """The statistics of a library less the words of some of its papers."""

    def __init__(self, whole: Statistics, hidden: Sequence[RetrievedPaper]) -> None:
        self._whole = whole
        self._stems = [set(terms(f"{p.paper.title} {p.paper.abstract}")) for p in hidden]

    @property
    def papers_held(self) -> int:
        return self._whole.papers_held - len(self._stems)

    def document_frequency(self, term: str) -> int:
        hidden = sum(term in stems for stems in self._stems)
        return max(0, self._whole.document_frequency(term) - hidden)

    def idf(self, term: str) -> float:
        """As it is in the whole library: a handful of papers do not change it."""
        return self._whole.idf(term)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)
