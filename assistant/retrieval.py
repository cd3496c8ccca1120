"""Retrieval: a question in, papers out, best first; dense and BM25 scores fused.

A paper's dense score is half the cosine of the question to its best chunk and half its cosine
to the mean of its chunks; its lexical score is BM25 over title and abstract. Both are
normalised over the same papers, dense from its lowest to its highest, BM25 from 0 (no word in
common) to its highest, and added, ``dense_weight`` to the rest. The recipe
and its defaults are measured (eval/), not guessed.

Small libraries are scored exactly, every paper on both sides. In larger ones the candidates
are the best papers by BM25 and the nearest by a coarse look at all chunks (a quarter of the
bytes); every candidate is scored by both sides, as are the farthest papers, of which the
dense minimum comes, so that the cut changes neither the order nor the scores.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from numpy.typing import NDArray

from assistant.embedding import Embedder
from assistant.filters import Filters
from assistant.index import SearchIndex
from assistant.library import Library
from assistant.retrieved import Retrieval, RetrievedPaper
from assistant.settings import RetrievalSettings
from assistant.text import terms

__all__ = ["PaperRetriever", "Ranking", "rank"]

_FARTHEST = 200
"""Chunks among whose papers the one with the lowest dense score is looked for."""

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best papers for a question, and the scores that ranked them.

    All arrays have one entry a paper, best first: ``places`` in the index, fused ``scores``
    in [0, 1], ``cosines`` (dense, before normalisation), ``best_cosines`` (best chunk) and
    ``bm25`` (before normalisation). ``vector`` is the question's, (dimension,);
    ``mean_cosine`` and ``cosine_deviation`` are of its cosines to all chunks of the library.
    """

    index: SearchIndex
    question: str
    vector: Floats
    places: Places
    scores: Floats
    cosines: Floats
    best_cosines: Floats
    bm25: Floats
    mean_cosine: float
    cosine_deviation: float

    def __len__(self) -> int:
        return len(self.places)

    def standing(self, n: int) -> float:
        """By how many standard deviations the best chunk at rank ``n`` is above the library's."""
        above = float(self.best_cosines[n]) - self.mean_cosine
        return above / max(self.cosine_deviation, 1e-3)


def rank(
    index: SearchIndex,
    question: str,
    vector: Floats,
    settings: RetrievalSettings,
    k: int,
) -> Ranking:
    """The ``k`` best papers of ``index`` for ``question`` (all, if there are fewer).

    Args:
        index: of the library.
        question: as it was asked.
        vector: the question's unit vector, (dimension,).
        settings: weights, and where the candidates are cut.
        k: number of papers.
    """
    lexical = index.bm25(terms(question))
    if index.meta.chunks <= settings.exact_rows or not index.has_coarse:
        cosines = index.vectors @ vector
        places: Places = np.arange(len(index))
        best, dense = _dense_all(index, cosines, settings.best_chunk_weight)
        low = float(dense.min(initial=1.0))
    else:
        cosines = index.coarse_cosines(vector)
        nearest, farthest = _nearest_and_farthest(index, cosines, settings.candidates)
        places = np.union1d(nearest, _top(lexical, settings.candidates))
        best, dense = _dense_some(index, vector, places, settings.best_chunk_weight)
        _, of_farthest = _dense_some(index, vector, farthest, settings.best_chunk_weight)
        low = float(min(of_farthest.min(), dense.min()))
    found = lexical[places]
    fused = settings.dense_weight * _normalised(dense, low) + (
        1 - settings.dense_weight
    ) * _normalised(found, 0.0)
    order = _top(fused, k)
    return Ranking(
        index,
        question,
        vector,
        places[order],
        fused[order],
        dense[order],
        best[order],
        found[order],
        float(cosines.mean()) if len(cosines) else 0.0,
        float(cosines.std()) if len(cosines) else 1.0,
    )


def _normalised(scores: Floats, low: float) -> Floats:
    """``scores`` from ``low`` to their highest as 0 to 1; zeros where all are equal."""
    width = float(scores.max(initial=low)) - low
    if width <= 0:
        return np.zeros_like(scores)
    normalised: Floats = (scores - np.float32(low)) / np.float32(width)
    return normalised


def _top(scores: Floats, k: int) -> Places:
    """Places of the ``k`` highest scores, best first; the earlier of equals first."""
    if k < len(scores):
        part = np.argpartition(-scores, k - 1)
        part = np.flatnonzero(scores >= scores[part[k - 1]])
    else:
        part = np.arange(len(scores))
    order: Places = part[np.argsort(-scores[part], kind="stable")][:k]
    return order


def _blend(best: Floats, summed: Floats, norms: Floats, counts: Places, weight: float) -> Floats:
    mean_cosine = summed / counts / np.maximum(norms, np.float32(1e-6))
    blended: Floats = (weight * best + (1 - weight) * mean_cosine).astype(np.float32)
    return blended


def _dense_all(index: SearchIndex, cosines: Floats, weight: float) -> tuple[Floats, Floats]:
    """Best-chunk cosine and dense score of every paper, from the cosines of all chunks."""
    if not len(index):
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    starts = index.chunk_starts[:-1]
    best: Floats = np.maximum.reduceat(cosines, starts)
    summed = np.add.reduceat(cosines, starts)
    return best, _blend(best, summed, index.mean_norms, np.diff(index.chunk_starts), weight)


def _dense_some(
    index: SearchIndex, vector: Floats, places: Places, weight: float
) -> tuple[Floats, Floats]:
    """As `_dense_all`, for the papers at ``places`` only."""
    counts = np.diff(index.chunk_starts)[places]
    ends = np.cumsum(counts)
    rows = np.repeat(index.chunk_starts[places] - (ends - counts), counts) + np.arange(ends[-1])
    cosines = index.vectors[rows] @ vector
    best: Floats = np.maximum.reduceat(cosines, ends - counts)
    summed = np.add.reduceat(cosines, ends - counts)
    return best, _blend(best, summed, index.mean_norms[places], counts, weight)


def _nearest_and_farthest(
    index: SearchIndex, cosines: Floats, papers: int
) -> tuple[Places, Places]:
    """Places of about ``papers`` papers with the nearest chunks, and some with the farthest."""
    wanted = min(len(cosines), int(papers * len(cosines) / len(index)) + 1)
    nearest = index.paper_of(_top(cosines, wanted))
    farthest = index.paper_of(_top(-cosines, _FARTHEST))
    return np.unique(nearest), np.unique(farthest)


class PaperRetriever(BaseRetriever):
    """LlamaIndex retriever over a library: one node a paper, its text title and abstract.

    A node's metadata names the paper and gives its place and the scores that ranked it.
    """

    def __init__(
        self,
        library: Library,
        embedder: Embedder,
        settings: RetrievalSettings,
        top_k: int | None = None,
        filters: Filters | None = None,
    ) -> None:
        super().__init__()
        self._library = library
        self._embedder = embedder
        self._settings = settings
        self._top_k = top_k or settings.top_k
        self._filters = filters

    def rank(self, question: str, k: int | None = None) -> Ranking:
        """The ``k`` best papers (the retriever's own number if not given) with their scores."""
        index, vector = self._library.index(), self._embedder.embed_query(question)
        wanted = k or self._top_k
        if self._filters is None:
            return rank(index, question, vector, self._settings, wanted)
        found = rank(index, question, vector, self._settings, len(index))
        fits = [self._filters.fits(index.paper(int(place))) for place in found.places]
        kept = np.flatnonzero(fits)[:wanted]
        parts = ("places", "scores", "cosines", "best_cosines", "bm25")
        return replace(found, **{name: getattr(found, name)[kept] for name in parts})

    def find(
        self, question: str, k: int | None = None, filters: Filters | None = None
    ) -> Retrieval:
        """The ``k`` best papers that fit ``filters``, as `RetrievedPaper`s."""
        index = self._library.index()
        wanted = k or self._top_k
        ranking = self.rank(question, len(index) if filters else wanted)
        found = (_found(ranking, n) for n in range(len(ranking)))
        papers = [p for p in found if not filters or filters.fits(p.paper)][:wanted]
        return Retrieval(question, ranking.vector, tuple(papers), index)

    def read(self, ids: Sequence[str], vector: Floats) -> list[RetrievedPaper]:
        """The papers with these ids, in that order, with their cosines to ``vector``.

        ``score`` is the cosine; ``bm25`` is 0. Unknown ids are left out.
        """
        index = self._library.index()
        places = np.array([index.place[i] for i in ids if i in index.place], dtype=np.int64)
        if not len(places):
            return []
        best, dense = _dense_some(index, vector, places, self._settings.best_chunk_weight)
        zeros = np.zeros(len(places), np.float32)
        ranking = Ranking(index, "", vector, places, dense, dense, best, zeros, 0.0, 1.0)
        return [_found(ranking, n) for n in range(len(places))]

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return as_nodes(self.rank(query_bundle.query_str))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _found(ranking: Ranking, n: int) -> RetrievedPaper:
    index, place = ranking.index, int(ranking.places[n])
    mean = index.chunk_vectors(place).mean(axis=0)
    return RetrievedPaper(
        paper=index.paper(place),
        score=float(ranking.scores[n]),
        cosine=float(ranking.cosines[n]),
        best_cosine=float(ranking.best_cosines[n]),
        bm25=float(ranking.bm25[n]),
        standing=ranking.standing(n),
        spans=tuple(index.spans(place)),
        mean=mean / max(float(np.linalg.norm(mean)), 1e-6),
        read_vectors=lambda: index.sentence_vectors(place),
    )


def as_nodes(ranking: Ranking) -> list[NodeWithScore]:
    """``ranking`` as LlamaIndex nodes, one a paper."""
    nodes: list[NodeWithScore] = []
    for n, place in enumerate(ranking.places):
        paper = ranking.index.paper(int(place))
        node = TextNode(
            id_=paper.id,
            text=paper.abstract or paper.title,
            metadata={
                "paper_id": paper.id,
                "title": paper.label,
                "url": paper.link or "",
                "cosine": float(ranking.cosines[n]),
                "bm25": float(ranking.bm25[n]),
            },
            excluded_llm_metadata_keys=["paper_id", "url", "cosine", "bm25"],
            excluded_embed_metadata_keys=["paper_id", "url", "cosine", "bm25"],
        )
        nodes.append(NodeWithScore(node=node, score=float(ranking.scores[n])))
    return nodes
