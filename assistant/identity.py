"""Which papers are the same paper.

A DOI or an arXiv id decides. Without one the normalised title does, with two exceptions that
real collections need (one holds nine different papers called "Cystic fibrosis"): records that
one source tells apart by ids of its own, and records of one run with clearly different
abstracts, are different papers. A repeat with the same text is never a second paper.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from assistant.index import SearchIndex
from assistant.paper import Paper
from assistant.text import words

__all__ = ["Decision", "KnownPapers"]

SAME_ABSTRACT = 0.5
"""Jaccard similarity of the abstracts' words from which two records of a run are one paper."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a record is; ``paper`` is what the library should hold under its id."""

    verdict: Literal["new", "changed", "unchanged", "duplicate"]
    paper: Paper


@dataclass(slots=True)
class _Known:
    """What is remembered of one paper: enough to compare, little enough for a million."""

    id: str
    text_hash: str
    doi: str | None
    arxiv_id: str | None
    source: tuple[str | None, str | None]
    place: int | None
    """In the index; None for a paper of this run."""
    words: frozenset[int] | None = None
    seen: bool = False


class KnownPapers:
    """The papers of a library and of this run, to place each new record among them."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._by_name: dict[str, _Known] = {}
        self._by_title: defaultdict[str, list[_Known]] = defaultdict(list)
        for place, paper in enumerate(index.papers()):
            self._remember(paper, place)

    def place(self, record: Paper) -> Decision:
        """Decides what ``record`` is, and remembers it."""
        known = self._match(record)
        if known is None:
            paper = record
            if record.id in self._by_name:  # same title, another paper
                key = f"{record.id}:{hashlib.sha256(record.abstract.encode()).hexdigest()[:8]}"
                paper = record.model_copy(update={"key": key})
            self._remember(paper, None)
            return Decision("new", paper)
        if known.seen or known.place is None:
            return Decision("duplicate", record)
        known.seen = True
        old = self._index.paper(known.place)
        merged = old.merged(record)
        if _content(merged) == _content(old):
            return Decision("unchanged", old)
        known.text_hash, known.words = merged.text_hash, _word_set(merged)
        return Decision("changed", merged)

    def _remember(self, paper: Paper, place: int | None) -> None:
        known = _Known(
            paper.id,
            paper.text_hash,
            paper.doi,
            paper.arxiv_id,
            (paper.source, paper.source_id),
            place,
            _word_set(paper) if place is None else None,
            seen=place is None,
        )
        for name in _names(paper):
            self._by_name.setdefault(name, known)
        self._by_title[paper.title_key].append(known)

    def _match(self, record: Paper) -> _Known | None:
        for name in _names(record):
            if not name.startswith("title:") and name in self._by_name:
                return self._by_name[name]
        if not record.title_key:
            return None
        namesakes = [k for k in self._by_title[record.title_key] if not _conflict(k, record)]
        same_text = [k for k in namesakes if k.text_hash == record.text_hash]
        if same_text:
            return same_text[0]
        apart = [k for k in namesakes if not _told_apart(k, record)]
        own = [k for k in apart if k.source == (record.source, record.source_id)]
        fresh = [k for k in own or apart if not k.seen]
        if fresh:
            return max(fresh, key=lambda k: self._overlap(k, record))
        repeats = [k for k in apart if self._overlap(k, record) >= SAME_ABSTRACT]
        return repeats[0] if repeats else None

    def _overlap(self, known: _Known, record: Paper) -> float:
        """Jaccard similarity of the words of the two abstracts."""
        if known.words is None and known.place is not None:
            known.words = _word_set(self._index.paper(known.place))
        ours, theirs = known.words or frozenset(), _word_set(record)
        return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


def _names(paper: Paper) -> list[str]:
    """All names under which a paper is known, its id first."""
    names = [paper.id]
    if paper.doi:
        names.append(f"doi:{paper.doi}")
    if paper.arxiv_id:
        names.append(f"arxiv:{paper.arxiv_id}")
    return names


def _conflict(known: _Known, record: Paper) -> bool:
    """Whether a DOI or an arXiv id says that they are different papers."""
    pairs = ((known.doi, record.doi), (known.arxiv_id, record.arxiv_id))
    return any(a and b and a != b for a, b in pairs)


def _told_apart(known: _Known, record: Paper) -> bool:
    """Whether one source gives the two records ids of its own that differ."""
    source, source_id = known.source
    return bool(
        source == record.source
        and source_id
        and record.source_id
        and source_id != record.source_id
    )


def _word_set(paper: Paper) -> frozenset[int]:
    return frozenset(map(hash, words(paper.abstract)))


def _content(paper: Paper) -> dict[str, object]:
    """What makes a paper another one for a reader: everything but where it was read."""
    return paper.model_dump(exclude={"id", "key", "source", "source_id", "original"})
