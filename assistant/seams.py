"""Seams: any LlamaIndex embedding model, retriever or language model in the place of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import Embedder, WordEmbedder
from assistant.errors import ConfigurationError
from assistant.filters import Filters
from assistant.paper import Paper
from assistant.retrieved import Retrieval, RetrievedPaper, Statistics
from assistant.text import sentences, terms

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore

__all__ = ["GivenEmbedder", "GivenRetriever", "as_embedder"]

Floats = NDArray[np.float32]


def as_embedder(given: Any) -> Embedder:
    """``given`` as an `Embedder`: it is one already, or a LlamaIndex embedding model.

    Raises:
        ConfigurationError: it is neither.
    """
    if isinstance(given, Embedder):
        return given
    if hasattr(given, "get_text_embedding_batch") and hasattr(given, "get_query_embedding"):
        return GivenEmbedder(given)
    raise ConfigurationError(
        f"A {type(given).__name__} is no embedding model.",
        "Give a LlamaIndex BaseEmbedding, or an object with the methods of "
        "assistant.embedding.Embedder.",
    )


class GivenEmbedder:
    """A LlamaIndex embedding model as an `Embedder`; its class and name are its fingerprint."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._dimension = 0

    @property
    def name(self) -> str:
        """Name for people."""
        return str(getattr(self._model, "model_name", "") or type(self._model).__name__)

    @property
    def dimension(self) -> int:
        """Length of a vector; the first time it is read, a word is embedded."""
        if not self._dimension:
            self._dimension = len(self._model.get_query_embedding("dimension"))
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Equal where class, name and dimension are."""
        return f"{type(self._model).__name__}:{self.name}:{self.dimension}"

    def embed(self, texts: Sequence[str], progress: Any = None) -> Floats:
        """(len(texts), dimension) unit rows."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        rows = np.array(self._model.get_text_embedding_batch(list(texts)), np.float32)
        if progress is not None:
            progress(len(texts))
        return _unit(rows)

    def embed_query(self, text: str) -> Floats:
        """(dimension,) unit vector."""
        vector: Floats = _unit(np.array([self._model.get_query_embedding(text)], np.float32))[0]
        return vector

    def count_tokens(self, text: str) -> int:
        """About so many tokens: the model's own tokenizer is not known."""
        return len(text) // 4 + 1


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


class GivenRetriever:
    """A LlamaIndex retriever in the place of `PaperRetriever`: its nodes become papers.

    A node is a paper: its text the abstract, ``title``, ``paper_id``, ``authors``, ``year``,
    ``venue``, ``url``, ``doi`` of its metadata the rest. Nodes with the same title are one paper.
    """

    def __init__(
        self,
        retriever: BaseRetriever,
        embedder: Embedder,
        top_k: int,
        filters: Filters | None = None,
    ) -> None:
        self._retriever, self._embedder, self._top_k = retriever, embedder, top_k
        self._filters = filters

    def filtered(self, filters: Filters | None, k: int | None = None) -> GivenRetriever:
        """The same retriever over the papers that fit ``filters``, of which it returns ``k``."""
        return GivenRetriever(self._retriever, self._embedder, k or self._top_k, filters)

    def find(
        self, question: str, k: int | None = None, filters: Filters | None = None
    ) -> Retrieval:
        """The papers of the nodes that it returns, best first, at most ``k``."""
        filters = filters or self._filters
        nodes = self._retriever.retrieve(question)
        papers: dict[str, tuple[Paper, float]] = {}
        for node in nodes:
            paper = _paper(node)
            held = papers.get(paper.id)
            if held is None:
                papers[paper.id] = (paper, float(node.score or 0.0))
            elif paper.abstract and paper.abstract not in held[0].abstract:
                whole = f"{held[0].abstract} {paper.abstract}".strip()
                papers[paper.id] = (held[0].model_copy(update={"abstract": whole}), held[1])
        vector = self._embedder.embed_query(question)
        found = [(p, s) for p, s in papers.values() if not filters or filters.fits(p)]
        statistics = _OfNodes([paper for paper, _ in found])
        retrieved = [self._retrieved(p, s, vector) for p, s in found[: k or self._top_k]]
        return Retrieval(question, vector, tuple(retrieved), statistics)

    def read(self, ids: Sequence[str], vector: Floats) -> list[RetrievedPaper]:
        """Nothing: a retriever cannot be asked for papers by name."""
        del ids, vector
        return []

    def _retrieved(self, paper: Paper, score: float, vector: Floats) -> RetrievedPaper:
        spans = tuple(sentences(paper.abstract))
        texts = [paper.abstract[start:end] for start, end in spans]
        mean = self._embedder.embed([f"{paper.label}. {paper.abstract}"])[0]
        cosine = float(mean @ vector)
        return RetrievedPaper(
            paper=paper,
            score=max(0.0, min(1.0, score)),
            cosine=cosine,
            best_cosine=cosine,
            bm25=0.0,
            standing=cosine * 10,
            all_spans=spans,
            mean=mean,
            read_vectors=lambda: self._embedder.embed(texts),
            reader=self._embedder if isinstance(self._embedder, WordEmbedder) else None,
        )


def _paper(node: NodeWithScore) -> Paper:
    known = node.node.metadata
    authors = known.get("authors") or ()
    if isinstance(authors, str):
        authors = tuple(part.strip() for part in authors.split(",") if part.strip())
    year = str(known.get("year") or "")
    return Paper(
        title=str(known.get("title") or ""),
        abstract=node.node.get_content(),
        authors=tuple(authors),
        year=int(year) if year.isdigit() else None,
        venue=known.get("venue"),
        url=known.get("url") or None,
        doi=known.get("doi"),
        key=known.get("paper_id"),
    )


class _OfNodes(Statistics):
    """Counts of the words of the papers that were returned: there are no others to be known."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._bags = [{*terms(p.title), *terms(p.abstract)} for p in papers]

    @property
    def papers_held(self) -> int:
        return len(self._bags)

    def document_frequency(self, term: str) -> int:
        return sum(term in bag for bag in self._bags)
