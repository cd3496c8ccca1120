"""Which papers are the same paper.

A DOI or an arXiv id decides. Without one the normalised title does, with two exceptions that
real collections need (one holds nine different papers called "Cystic fibrosis"): records that
one source tells apart by ids of its own, and records of one run with clearly different
abstracts, are different papers. A repeat with the same text is never a second paper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.paper import Paper, PaperNames
from assistant.text import words

__all__ = ["Decision", "KnownPapers"]

WordSet = NDArray[np.uint32]

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

    names: PaperNames
    held: bool
    """In the library before this run."""
    words: WordSet | None = None
    seen: bool = False


class KnownPapers:
    """The papers of a library and of this run, to place each new record among them.

    Args:
        names: of the papers that the library holds.
        read: gives one of them by its id.
    """

    def __init__(self, names: Iterable[PaperNames], read: Callable[[str], Paper]) -> None:
        self._read = read
        self._by_name: dict[str, _Known] = {}
        self._by_title: defaultdict[str, list[_Known]] = defaultdict(list)
        for held in names:
            self._remember(_Known(held, held=True))

    def place(self, record: Paper) -> Decision:
        """Decides what ``record`` is, and remembers it."""
        names = record.names
        known = self._match(record, names)
        if known is None:
            paper = record
            if names.id in self._by_name:  # same title, another paper
                paper = record.model_copy(update={"key": self._free_id(names)})
            self._remember(_Known(paper.names, held=False, words=_word_set(paper), seen=True))
            return Decision("new", paper)
        if known.seen or not known.held:
            self._remember_ids(known, names)  # a third record may have only these
            return Decision("duplicate", record)
        known.seen = True
        if names.content_hash == known.names.content_hash:
            return Decision("unchanged", record)
        old = self._read(known.names.id)
        merged = old.merged(record)
        if merged.content_hash == known.names.content_hash:
            return Decision("unchanged", old)
        known.names, known.words = merged.names, _word_set(merged)
        self._remember_ids(known, merged.names)
        return Decision("changed", merged)

    def _free_id(self, names: PaperNames) -> str:
        """An id for another paper with the title of ``names``, made of its text."""
        wanted = f"{names.id}:{names.abstract_hash[:8]}"
        if wanted not in self._by_name:
            return wanted
        # the paper that was given it has changed since
        return next(i for n in count(2) if (i := f"{wanted}-{n}") not in self._by_name)

    def _remember(self, known: _Known) -> None:
        self._by_name.setdefault(known.names.id, known)
        self._remember_ids(known, known.names)
        if known.names.title_key:
            self._by_title[known.names.title_key].append(known)

    def _remember_ids(self, known: _Known, names: PaperNames) -> None:
        for name in _public_ids(names):
            self._by_name.setdefault(name, known)

    def _match(self, record: Paper, names: PaperNames) -> _Known | None:
        for name in (names.id, *_public_ids(names)):
            if not name.startswith("title:") and name in self._by_name:
                return self._by_name[name]
        if not names.title_key:
            return None
        namesakes = [k for k in self._by_title[names.title_key] if not _conflict(k.names, names)]
        same_text = [k for k in namesakes if k.names.abstract_hash == names.abstract_hash]
        if same_text:
            return same_text[0]
        apart = [k for k in namesakes if not _told_apart(k.names, names)]
        # A paper that is like it comes before one that merely has not been met in this run:
        # otherwise a repeat would take the place of the next paper with this title.
        choice = [
            (alike >= SAME_ABSTRACT, _same_origin(k.names, names), alike, k)
            for k in apart
            if (alike := self._overlap(k, record)) >= SAME_ABSTRACT or not k.seen
        ]
        return max(choice, key=lambda found: found[:3])[3] if choice else None

    def _overlap(self, known: _Known, record: Paper) -> float:
        """Jaccard similarity of the words of the two abstracts; 1 where the record has none."""
        ours, theirs = self._words(known), _word_set(record)
        shared = len(np.intersect1d(ours, theirs, assume_unique=True))
        return shared / (len(ours) + len(theirs) - shared) if len(theirs) else 1.0

    def _words(self, known: _Known) -> WordSet:
        """Of a paper of the index they are read when they are first wanted."""
        if known.words is None:
            held = self._read(known.names.id) if known.held else None
            known.words = _word_set(held) if held is not None else np.empty(0, np.uint32)
        return known.words


def _public_ids(names: PaperNames) -> list[str]:
    """The ids that any source may give to the paper."""
    ids = [f"doi:{names.doi}"] if names.doi else []
    return [*ids, f"arxiv:{names.arxiv_id}"] if names.arxiv_id else ids


def _conflict(known: PaperNames, record: PaperNames) -> bool:
    """Whether a DOI or an arXiv id says that they are different papers."""
    pairs = ((known.doi, record.doi), (known.arxiv_id, record.arxiv_id))
    return any(a and b and a != b for a, b in pairs)


def _told_apart(known: PaperNames, record: PaperNames) -> bool:
    """Whether one source gives the two records ids of its own that differ."""
    return _same_source(known, record) and known.source_id != record.source_id


def _same_origin(known: PaperNames, record: PaperNames) -> bool:
    """Whether one source gives the two records the same id of its own."""
    return _same_source(known, record) and known.source_id == record.source_id


def _same_source(known: PaperNames, record: PaperNames) -> bool:
    """Whether both come from one source that gives its records ids."""
    return bool(
        known.source and known.source == record.source and known.source_id and record.source_id
    )


def _word_set(paper: Paper) -> WordSet:
    """The different words of the abstract, by hash: a set of Python's would take ten times that."""
    return np.unique(
        np.array([hash(word) & 0xFFFFFFFF for word in words(paper.abstract)], np.uint32)
    )
