"""Finding papers in a list by words that they hold: no ranking, no index."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.paper import Paper

__all__ = ["holds"]


def holds(paper: Paper, words: Sequence[str]) -> bool:
    """Whether each of the (casefolded) words occurs somewhere in the record."""
    parts = (paper.title, paper.abstract, *paper.authors, paper.venue, paper.year, paper.id)
    text = " ".join(str(part) for part in parts if part).casefold()
    return all(word in text for word in words)
