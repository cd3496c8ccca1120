"""RetrievedPaper: the one form of a paper that was found, made once, used by all that follows.

Answers, reviews, tables, the page and the evaluation take these; nobody else asks the store for
a sentence or a vector of a paper that has been retrieved already.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, overload

import numpy as np
from numpy.typing import NDArray

from assistant.addressing import KEPT_BACK, doubts, heard, told
from assistant.embedding.base import WordEmbedder
from assistant.paper import Paper
from assistant.results import Passage
from assistant.text import Span

__all__ = ["FEW", "Retrieval", "RetrievedPaper", "Statistics"]

FEW = 20
"""Papers of a library below which no `RetrievedPaper.standing` tells anything."""

Floats = NDArray[np.float32]


class Statistics(Protocol):
    """What a library knows of its words: how many papers, and how many of them hold a stem."""

    @property
    def papers_held(self) -> int:
        """Number of papers."""
        ...

    def document_frequency(self, term: str) -> int:
        """Papers that hold the stem (as `assistant.text.terms` makes it)."""
        ...

    def idf(self, term: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)), N papers, n of them with the stem: Lucene's form."""
        n = self.document_frequency(term)
        return math.log1p((self.papers_held - n + 0.5) / (n + 0.5))


@dataclass(frozen=True, eq=False)
class RetrievedPaper:
    """One paper for one question.

    ``score``: fused, in [0, 1]. ``cosine``: half the best chunk's, half the mean's;
    ``best_cosine``: the best chunk's; ``standing``: by how many standard deviations that is
    above the cosines of the library's chunks. ``bm25``: 0 where no word is shared.
    ``all_spans``: the sentences of the abstract. ``mean``: (dimension,) unit mean of the chunks.
    ``reader``: the embedding model, where it is the program's own, which tells more.
    """

    paper: Paper
    score: float
    cosine: float
    best_cosine: float
    bm25: float
    standing: float
    all_spans: tuple[Span, ...]
    mean: Floats
    read_vectors: Callable[[], Floats]
    reader: WordEmbedder | None = None

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The sentences of the abstract; empty spans for those that speak to their reader."""
        vectors = (lambda: self._all_vectors) if self.reader else None
        return heard(self.paper.abstract, self.all_spans, vectors)

    @cached_property
    def _all_vectors(self) -> Floats:
        return self.read_vectors()

    @cached_property
    def vectors(self) -> Floats:
        """(sentences, dimension) unit vectors of the sentences, zero for those left out; read
        when first wanted.
        """
        silent = [n for n, span in enumerate(self.spans) if span.start == span.end]
        vectors = self._all_vectors
        if silent:
            vectors = vectors.copy()
            vectors[silent] = 0
        return vectors

    def nearness(self, vector: Floats) -> list[float]:
        """(sentences,) how near each is to ``vector`` and to the paper itself: mean cosine."""
        return [float(cosine) for cosine in self.vectors @ (0.5 * (vector + self.mean))]

    @property
    def told(self) -> str:
        """The abstract as a language model gets it: without what it does not get to read."""
        return told(self.paper.abstract, self.read_out)

    @property
    def read_out(self) -> tuple[str, ...]:
        """The sentences that a language model gets to read, the others empty: what is trusted, but
        all where words alone doubt them.
        """
        return self.trusted if self.reader else self.sentences

    @cached_property
    def trusted(self) -> tuple[str, ...]:
        """The sentences; empty those that may speak to their reader, too: they prove nothing."""
        odds = (
            doubts(self.sentences, self.vectors, self.reader.read)
            if self.reader
            else doubts(self.sentences, None)
        )
        return tuple(
            "" if doubt > KEPT_BACK else text
            for text, doubt in zip(self.sentences, odds, strict=True)
        )

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The sentences of the abstract, letter for letter; empty where one is left out."""
        return tuple(self.paper.abstract[start:end] for start, end in self.spans)

    def best_sentence(self, vector: Floats) -> int | None:
        """Place of the sentence nearest to ``vector``; None where there is no abstract."""
        return int(np.argmax(self.vectors @ vector)) if self.spans else None

    def best_passage(self, vector: Floats) -> str:
        """The sentence nearest to ``vector``; the title where there is no abstract."""
        place = self.best_sentence(vector)
        return (self.sentences[place] if place is not None else "") or self.paper.label

    @property
    def passage(self) -> Passage:
        """As it stands in an answer."""
        return Passage(
            paper_id=self.paper.id,
            title=self.paper.label,
            text=self.paper.abstract or self.paper.title,
            score=round(self.score, 4),
            url=self.paper.link,
        )


@dataclass(frozen=True, eq=False)
class Retrieval(Sequence[RetrievedPaper]):
    """The papers found for ``question``, best first; ``vector`` is its unit vector."""

    question: str
    vector: Floats
    papers: tuple[RetrievedPaper, ...]
    statistics: Statistics

    def __len__(self) -> int:
        return len(self.papers)

    @overload
    def __getitem__(self, n: int) -> RetrievedPaper: ...
    @overload
    def __getitem__(self, n: slice) -> tuple[RetrievedPaper, ...]: ...
    def __getitem__(self, n: int | slice) -> RetrievedPaper | tuple[RetrievedPaper, ...]:
        return self.papers[n]

    def __iter__(self) -> Iterator[RetrievedPaper]:
        return iter(self.papers)
