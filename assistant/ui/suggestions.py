"""What may be asked: questions that the library surely holds an answer to."""

from __future__ import annotations

from assistant.assistant import Assistant
from assistant.results import Answer

__all__ = ["follow_ups", "questions_about"]

_SHOWN_TITLE = 110
"""Characters of a title that is short enough to be asked about."""
_MOST = 3


def questions_about(assistant: Assistant) -> list[str]:
    """Three questions about papers from the beginning, the middle and the end of the library."""
    many = len(assistant.library)
    places = {0, many // 2, many - 1}
    papers = [paper for n, paper in enumerate(assistant.library.papers()) if n in places]
    return [_about(paper.title) for paper in papers if 0 < len(paper.title) <= _SHOWN_TITLE]


def follow_ups(assistant: Assistant, answer: Answer) -> list[str]:
    """Questions that lead on from ``answer``: about papers that were near it and not used.

    Each has been tried: its paper is what the library finds for it first.
    """
    cited = {citation.paper_id for citation in answer.citations}
    near = [
        p for p in answer.passages if p.paper_id not in cited and 0 < len(p.title) <= _SHOWN_TITLE
    ]
    found: list[str] = []
    for passage in near[:_MOST]:
        question = _about(passage.title)
        best = assistant.search(question, 1)
        if best and best[0].paper_id == passage.paper_id:
            found.append(question)
    return found


def _about(title: str) -> str:
    return f"What does “{title.rstrip('.')}” find?"
