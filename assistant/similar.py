"""Papers like a paper of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.library import Library
from assistant.results import SearchResult

if TYPE_CHECKING:
    from assistant.retrieval import PaperRetriever

__all__ = ["similar"]


def similar(library: Library, retriever: PaperRetriever, name: str, k: int) -> list[SearchResult]:
    """The ``k`` papers that a search for the title and abstract of ``name`` finds beside it.

    Raises:
        PaperNotFound: no paper of the library is called so.
    """
    paper = library.paper(name)
    text = f"{paper.title}. {paper.abstract}" if paper.title else paper.abstract
    found = retriever.find(text, k + 1)
    others = [one for one in found if one.paper.id != paper.id][:k]
    results = []
    for rank, one in enumerate(others, 1):
        best = one.best_sentence(found.vector)
        results.append(
            SearchResult(
                rank=rank,
                paper_id=one.paper.id,
                title=one.paper.label,
                score=round(one.score, 4),
                passage=one.paper.title if best is None else one.sentences[best],
            )
        )
    return results
