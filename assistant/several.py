"""One question over several libraries: each proposes papers, all are ranked together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle
from numpy.typing import NDArray

from assistant.filters import Filters
from assistant.retrieval import PaperRetriever, as_node, normalised
from assistant.retrieved import Retrieval, RetrievedPaper, Statistics
from assistant.settings import RetrievalSettings

__all__ = ["SeveralRetriever"]


class SeveralRetriever(BaseRetriever):
    """The retrievers of several libraries as one: `Assistant(retriever=SeveralRetriever(…))`.

    Scores of one library say nothing beside those of another, so the papers that each proposes
    are normalised and fused anew, all together. A paper that several hold is found once.
    """

    def __init__(self, retrievers: Sequence[PaperRetriever], settings: RetrievalSettings) -> None:
        super().__init__()
        self._retrievers, self._settings = list(retrievers), settings

    def filtered(self, filters: Filters | None, k: int | None = None) -> SeveralRetriever:
        """The same retriever over the papers that fit ``filters``, of which it returns ``k``."""
        settings = self._settings.model_copy(update={"top_k": k} if k else {})
        return SeveralRetriever([r.filtered(filters, k) for r in self._retrievers], settings)

    def find(
        self, question: str, k: int | None = None, filters: Filters | None = None
    ) -> Retrieval:
        """The ``k`` best papers of all libraries, best first."""
        wanted = k or self._settings.top_k
        each = [retriever.find(question, wanted, filters) for retriever in self._retrievers]
        papers = list({p.paper.id: p for found in each for p in found}.values())
        cosines = np.array([p.cosine for p in papers], np.float32)
        dense = normalised(cosines, float(cosines.min(initial=1.0)))
        lexical = normalised(np.array([p.bm25 for p in papers], np.float32), 0.0)
        share = self._settings.dense_weight
        fused = [
            replace(p, score=float(share * d + (1 - share) * b))
            for p, d, b in zip(papers, dense, lexical, strict=True)
        ]
        fused.sort(key=lambda p: -p.score)
        return Retrieval(
            question, each[0].vector, tuple(fused[:wanted]), _Summed([f.statistics for f in each])
        )

    def read(self, ids: Sequence[str], vector: NDArray[np.float32]) -> list[RetrievedPaper]:
        """The papers with these ids, from the first library that holds each."""
        found: dict[str, RetrievedPaper] = {}
        for retriever in self._retrievers:
            for paper in retriever.read([i for i in ids if i not in found], vector):
                found[paper.paper.id] = paper
        return [found[i] for i in ids if i in found]

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_node(paper) for paper in self.find(query_bundle.query_str)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class _Summed(Statistics):
    """The counts of several libraries, added up."""

    def __init__(self, parts: Sequence[Statistics]) -> None:
        self._parts = parts

    @property
    def papers_held(self) -> int:
        return sum(part.papers_held for part in self._parts)

    def document_frequency(self, term: str) -> int:
        return sum(part.document_frequency(term) for part in self._parts)
