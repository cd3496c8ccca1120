"""The papers that an answer is written from: fused from several searches, numbered, fitted.

One number a paper, best first, from 1. What goes into a prompt is the paper as it is stored:
its title, who wrote it, when and where, and its abstract letter for letter, less what speaks to
its reader (`assistant.addressing`).
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.addressing import told
from assistant.endpoint.ledger import count_tokens
from assistant.paper import Paper
from assistant.retrieved import RetrievedPaper

__all__ = ["about", "fit", "fuse", "prompt_text"]

_SHORTEST = 60
"""Tokens below which the beginning of an abstract says too little to be given."""
_AUTHORS = 6


def about(paper: Paper) -> str:
    """Who wrote a paper, when, and where it appeared; empty where nothing is known."""
    authors = ", ".join(paper.authors[:_AUTHORS])
    if len(paper.authors) > _AUTHORS:
        authors += " et al."
    return "; ".join(p for p in (authors, str(paper.year or ""), paper.venue or "") if p)


def prompt_text(found: RetrievedPaper, abstract: str | None = None) -> str:
    """A paper as a prompt gets it; ``abstract`` stands in for the whole one."""
    paper = found.paper
    lines = (paper.title, about(paper), found.told if abstract is None else abstract)
    return "\n".join(line for line in lines if line).strip()


def fuse(found: Sequence[Sequence[RetrievedPaper]], most: int) -> list[RetrievedPaper]:
    """The best papers of several searches in turns, each paper once, ``most`` at most."""
    given: dict[str, RetrievedPaper] = {}
    for turn in range(max((len(papers) for papers in found), default=0)):
        for papers in found:
            if turn < len(papers) and len(given) < most:
                given.setdefault(papers[turn].paper.id, papers[turn])
    return list(given.values())


def fit(papers: Sequence[RetrievedPaper], tokens: int) -> tuple[list[RetrievedPaper], list[str]]:
    """As many papers as fit, best first, and their texts; the last may be cut after a sentence."""
    fitted: list[RetrievedPaper] = []
    texts: list[str] = []
    for found in papers:
        text = prompt_text(found)
        if count_tokens(text) > tokens:
            cut = _cut(found, tokens)
            if cut is not None:
                fitted.append(found)
                texts.append(cut)
            break
        tokens -= count_tokens(text)
        fitted.append(found)
        texts.append(text)
    return fitted, texts


def _cut(found: RetrievedPaper, tokens: int) -> str | None:
    """A paper in at most so many tokens; None where too little would be left."""
    text = None
    for n, span in enumerate(found.spans, 1):
        longer = prompt_text(found, told(found.paper.abstract[: span.end], found.read_out[:n]))
        if count_tokens(longer) > tokens:
            break
        text = longer
    return text if text is not None and count_tokens(text) >= _SHORTEST else None
