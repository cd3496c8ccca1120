"""Retrieval: a question in, papers out, best first; dense and BM25 scores fused.

Candidates come from both sides: the papers of the nearest chunks, from Chroma through
LlamaIndex's vector store, and the best papers of the full-text index. Every candidate is then
scored by both. A paper's dense score is half the cosine of the question to its best chunk and
half its cosine to the mean of its chunks; its lexical score is

    Σ over the question's terms  idf · tf / (tf + k1 · (1 - b + b · length / mean length))

(BM25 in the Lucene form) over title and abstract. Dense scores are normalised from the lowest of
the library (of a sample of it) to the highest, BM25 from 0 to its highest, and added,
``dense_weight`` to the rest. The recipe and its defaults are measured (eval/), not guessed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from numpy.typing import NDArray

from assistant.embedding import Embedder, WordEmbedder
from assistant.filters import Filters
from assistant.hybrid import MOST_PREDICATES
from assistant.library import Library
from assistant.records import Records, Scoring, word_hash
from assistant.retrieved import Retrieval, RetrievedPaper
from assistant.settings import RetrievalSettings
from assistant.statistics import Background, LibraryStatistics, dense_scores
from assistant.text import terms

__all__ = ["PaperRetriever", "bm25", "chroma_where", "normalised"]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

_CHUNKS, _LEXICAL = 100, 200
"""Chunks asked of Chroma and papers of the full-text index for a question; more where more
papers are wanted."""


_Made = Callable[[Places, Floats, Floats, Floats, Floats], list[RetrievedPaper]]


class PaperRetriever(BaseRetriever):
    """LlamaIndex retriever over a library: one node a paper, its text title and abstract.

    Any LlamaIndex query engine takes it. A node's metadata names the paper (and what is known of
    it) and gives the scores that ranked it.

    Args:
        library: whose papers are found.
        embedder: the model that filled it.
        settings: weights and numbers.
        top_k: papers that are returned; as the settings say if not given.
        filters: which papers are asked.
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

    def filtered(self, filters: Filters | None, k: int | None = None) -> PaperRetriever:
        """The same retriever over the papers that fit ``filters``, of which it returns ``k``."""
        return PaperRetriever(
            self._library, self._embedder, self._settings, k or self._top_k, filters
        )

    def find(
        self, question: str, k: int | None = None, filters: Filters | None = None
    ) -> Retrieval:
        """The ``k`` best papers for ``question`` that fit ``filters``, best first.

        Raises:
            LibraryNotFound: there is no paper in the library.
            LibraryError: the library cannot be opened.
        """
        wanted, filters = k or self._top_k, filters or self._filters

        def search(records: Records) -> Retrieval:
            vector, question_terms = self._embedder.embed_query(question), terms(question)
            statistics = self._library.statistics_of(records)
            places = self._candidates(records, question_terms, vector, wanted, filters)
            found = self._scored(records, statistics, places, question_terms, vector)
            return Retrieval(question, vector, tuple(found(wanted)), statistics)

        return self._library.asked(search, check=True)

    def read(self, ids: Sequence[str], vector: Floats) -> list[RetrievedPaper]:
        """The papers with these ids, in that order, with their cosines to ``vector``.

        ``score`` is the cosine; ``bm25`` is 0. Unknown ids are left out.
        """
        return self._library.asked(lambda records: self._named(records, ids, vector), check=True)

    def _named(self, records: Records, ids: Sequence[str], vector: Floats) -> list[RetrievedPaper]:
        held = records.places(ids)
        places = [held[i] for i in ids if i in held]
        if not places:
            return []
        scoring = records.scoring(places)
        weight = self._settings.best_chunk_weight
        best, dense = dense_scores(scoring, vector, weight)
        background = self._library.statistics_of(records).background(vector, weight)
        made = self._made(records, scoring, background)
        order = np.arange(len(scoring.places))
        return made(order, dense, dense, best, np.zeros(len(order), np.float32))

    # ------------------------------------------------------------------ candidates

    def _candidates(
        self,
        records: Records,
        question_terms: Sequence[str],
        vector: Floats,
        wanted: int,
        filters: Filters | None,
    ) -> list[int]:
        """Places of the papers that both sides propose."""
        lexical = max(_LEXICAL, 2 * wanted)
        chunks = max(_CHUNKS, 3 * wanted)
        if wanted >= len(records):
            return [int(place) for place in records.all_places(filters)]
        store = self._library.store_of(records)
        where = chroma_where(records, filters, MOST_PREDICATES if store.hybrid else None)
        if where is _NOTHING:
            return []
        if store.hybrid:
            near = store.found(vector, self._weights(records, question_terms), lexical, where)
        else:
            near = store.nearest(vector, chunks, where)
        places = records.places(near)
        proposed = dict.fromkeys(places[i] for i in near if i in places)
        if filters or not store.hybrid:  # a server may not have been told all filters
            proposed |= dict.fromkeys(records.lexical(question_terms, lexical, filters))
        if filters:  # Chroma holds shortened values; the records decide
            fitting = set(records.all_places(filters).tolist())
            return [place for place in proposed if place in fitting]
        return list(proposed)

    def _weights(self, records: Records, question_terms: Sequence[str]) -> dict[str, float]:
        """Stem → what it adds to BM25 for each paper that holds it once more."""
        idf = self._library.statistics_of(records).idf
        return {term: idf(term) * n for term, n in Counter(question_terms).items()}

    # ------------------------------------------------------------------ scores

    def _scored(
        self,
        records: Records,
        statistics: LibraryStatistics,
        places: Sequence[int],
        question_terms: Sequence[str],
        vector: Floats,
    ) -> Callable[[int], list[RetrievedPaper]]:
        settings = self._settings
        scoring = records.scoring(sorted(places))
        best, dense = dense_scores(scoring, vector, settings.best_chunk_weight)
        lexical = bm25(scoring, statistics, question_terms, k1=settings.bm25_k1, b=settings.bm25_b)
        background = statistics.background(vector, settings.best_chunk_weight)
        low = min(background.lowest, float(dense.min(initial=1.0)))
        fused = settings.dense_weight * normalised(dense, low) + (
            1 - settings.dense_weight
        ) * normalised(lexical, 0.0)
        made = self._made(records, scoring, background)

        def first(k: int) -> list[RetrievedPaper]:
            return made(_top(fused, k), fused, dense, best, lexical)

        return first

    def _made(self, records: Records, scoring: Scoring, background: Background) -> _Made:
        """Makes `RetrievedPaper`s of rows of ``scoring``."""

        def made(
            rows: Places, scores: Floats, dense: Floats, best: Floats, lexical: Floats
        ) -> list[RetrievedPaper]:
            places = [int(scoring.places[row]) for row in rows]
            stored = records.stored(places)
            found = []
            for row, place in zip(map(int, rows), places, strict=True):
                if place not in stored:
                    continue  # removed a moment ago
                paper, spans = stored[place]
                block = scoring.vectors[scoring.chunk_starts[row] : scoring.chunk_starts[row + 1]]
                middle = block.mean(axis=0)
                found.append(
                    RetrievedPaper(
                        paper=paper,
                        score=float(scores[row]),
                        cosine=float(dense[row]),
                        best_cosine=float(best[row]),
                        bm25=float(lexical[row]),
                        standing=background.standing(float(best[row])),
                        all_spans=spans,
                        mean=middle / max(float(np.linalg.norm(middle)), 1e-6),
                        read_vectors=partial(self._library.sentence_vectors, records, place),
                        reader=self._embedder if isinstance(self._embedder, WordEmbedder) else None,
                    )
                )
            return found

        return made

    # ------------------------------------------------------------------ LlamaIndex

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_node(paper) for paper in self.find(query_bundle.query_str)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def as_node(found: RetrievedPaper) -> NodeWithScore:
    """A retrieved paper as a LlamaIndex node; a model sees its title, authors, year and venue."""
    paper = found.paper
    shown = {
        "title": paper.label,
        "authors": ", ".join(paper.authors),
        "year": str(paper.year or ""),
        "venue": paper.venue or "",
    }
    hidden = {
        "paper_id": paper.id,
        "url": paper.link or "",
        "cosine": found.cosine,
        "bm25": found.bm25,
    }
    node = TextNode(
        id_=paper.id,
        text=paper.abstract or paper.title,
        metadata={key: value for key, value in shown.items() if value} | hidden,
        excluded_llm_metadata_keys=list(hidden),
        excluded_embed_metadata_keys=list(hidden),
    )
    return NodeWithScore(node=node, score=found.score)


_NOTHING: dict[str, Any] = {"paper_id": ""}
"""A filter that no paper fits."""


def chroma_where(
    records: Records, filters: Filters | None, most: int | None = None
) -> dict[str, Any] | None:
    """``filters`` as Chroma's ``where``; None without filters.

    Parts of names ("brandt") become the whole values that hold them. Where a condition would
    make more than ``most`` predicates it is left out: what is found is compared anyway.
    """
    if not filters:
        return None
    years = {"$gte": filters.first_year, "$lte": filters.last_year}
    parts: list[dict[str, Any]] = [
        {"year": {bound: year}} for bound, year in years.items() if year is not None
    ]
    if filters.years:
        parts.append({"year": {"$in": list(filters.years)}})
    if filters.ids:
        parts.append({"paper_id": {"$in": list(filters.ids)}})
    used = len(parts)
    for column, wanted in filters.columns.items():
        values = records.values(column, wanted)
        if not values:
            return _NOTHING
        condition = _holds_any(column, values)
        used += len(condition.get("$or", [condition]))
        if most is None or used <= most:
            parts.append(condition)
    return parts[0] if len(parts) == 1 else {"$and": parts} if parts else None


def _holds_any(column: str, values: Sequence[str]) -> dict[str, Any]:
    """Chroma's condition that a value, or one of several values, is among ``values``."""
    if column in ("venue", "source"):
        return {column: {"$in": list(values)}}
    each = [{column: {"$contains": value}} for value in values]
    return each[0] if len(each) == 1 else {"$or": each}


# ---------------------------------------------------------------------- formulas


def bm25(
    scoring: Scoring,
    statistics: LibraryStatistics,
    question_terms: Sequence[str],
    *,
    k1: float,
    b: float,
) -> Floats:
    """(papers,) BM25; a term that the question repeats counts as often."""
    scores = np.zeros(len(scoring.places), np.float32)
    if not len(scores):
        return scores
    norm = k1 * (1 - b + b * scoring.lengths / max(statistics.mean_length, 1e-6))
    paper_of_word = np.repeat(np.arange(len(scores)), np.diff(scoring.word_starts))
    for term in dict.fromkeys(question_terms):
        at = np.flatnonzero(scoring.words == word_hash(term))
        papers, counts = paper_of_word[at], scoring.counts[at]
        weight = np.float32(statistics.idf(term) * question_terms.count(term))
        scores[papers] += weight * counts / (counts + norm[papers])
    return scores


def normalised(scores: Floats, low: float) -> Floats:
    """``scores`` from ``low`` to their highest as 0 to 1; zeros where all are equal."""
    width = float(scores.max(initial=low)) - low
    if width <= 0:
        return np.zeros_like(scores)
    normalised: Floats = (scores - np.float32(low)) / np.float32(width)
    return normalised


def _top(scores: Floats, k: int) -> Places:
    """Rows of the ``k`` highest scores, best first; the earlier of equals first."""
    order: Places = np.argsort(-scores, kind="stable")[:k]
    return order
