"""Which papers are the same paper.

An arXiv id decides, and a DOI does where the titles or the abstracts agree (the chapters of a
book may share one). Without them the normalised title does, however it is cut into words, with
two exceptions that real collections need (one holds nine different papers called "Cystic
fibrosis"): records that one source tells apart by ids of its own, and records of one run with
clearly different abstracts, are different papers; a long title, its authors and most of the
abstract are stronger than these ids, and with journal and year than two DOIs. A preprint and its
published version are one paper. A repeat with the same text is never a second paper; what it
knows besides is added to the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.paper import Paper, PaperNames, is_preprint, normalised_title
from assistant.text import words

__all__ = ["Decision", "KnownPapers"]

WordSet = NDArray[np.uint32]

SAME_ABSTRACT = 0.5
"""Jaccard similarity of the abstracts' words from which two records of a run are one paper."""
TWIN_ABSTRACT = 0.6
"""The same, where two DOIs say that they are two, and all else that they are one."""
SAME_TITLE = 0.65
"""Share of common words from which two titles under one DOI are forms of one."""
LONG_TITLE = 5
"""Words of a title that two papers of the same authors hardly share by chance."""
_RECENT = 4_096
"""Papers of this run that are remembered whole: more than any writer holds back."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a record is; ``paper`` is what the library should hold under its id.

    "changed" may come for a paper that was "new" in the same run: the later one is to be written.
    """

    verdict: Literal["new", "changed", "unchanged", "duplicate"]
    paper: Paper


@dataclass(slots=True)
class _Known:
    """What is remembered of one paper: enough to compare, little enough for a million."""

    names: PaperNames
    words: WordSet | None = None
    seen: bool = False
    """Whether a record of this run was it."""


class KnownPapers:
    """The papers of a library and of this run, to place each new record among them.

    Args:
        names: of all papers that the library holds.
        read: gives a held paper by its id, also one that was written in this run; a LookupError
            says that it cannot (yet).
    """

    def __init__(self, names: Iterable[PaperNames], read: Callable[[str], Paper]) -> None:
        self._read = read
        self._recent: dict[str, Paper] = {}
        self._by_name: dict[str, _Known] = {}
        self._same_doi: defaultdict[str, list[_Known]] = defaultdict(list)
        self._by_title: defaultdict[str, list[_Known]] = defaultdict(list)
        for one in names:
            self._remember(_Known(one))

    def place(self, record: Paper) -> Decision:
        """Decides what ``record`` is, and remembers it."""
        names = record.names
        known = self._match(record, names)
        if known is None:
            paper = record
            if names.id in self._by_name:  # same title or DOI, another paper
                paper = record.model_copy(update={"key": self._free_id(names)})
            self._remember(_Known(paper.names, _word_set(paper), seen=True))
            self._keep(paper)
            return Decision("new", paper)
        again, known.seen = known.seen, True
        same = names.content_hash == known.names.content_hash
        held = None if same else self._held(known)
        if held is None:
            self._remember_ids(known, names)  # a third record may have only these
            return Decision("unchanged" if same and not again else "duplicate", record)
        merged = held.merged(record, fill=again)
        if merged.content_hash == held.content_hash:
            self._remember_ids(known, names)
            return Decision("duplicate" if again else "unchanged", held)
        known.names, known.words = merged.names, _word_set(merged)
        self._remember_ids(known, names)
        self._remember_ids(known, merged.names)
        self._keep(merged)
        return Decision("changed", merged)

    def _held(self, known: _Known) -> Paper | None:
        """The paper, as it stands; None where it cannot be read."""
        if (paper := self._recent.get(known.names.id)) is not None:
            return paper
        try:
            return self._read(known.names.id)
        except LookupError:
            return None

    def _keep(self, paper: Paper) -> None:
        self._recent.pop(paper.id, None)
        self._recent[paper.id] = paper
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def _free_id(self, names: PaperNames) -> str:
        """An id for another paper with the id of ``names``, made of its text."""
        wanted = f"{names.id}:{names.text_hash[:8]}"
        if wanted not in self._by_name:
            return wanted
        # the paper that was given it has changed since
        return next(i for n in count(2) if (i := f"{wanted}-{n}") not in self._by_name)

    def _remember(self, known: _Known) -> None:
        self._by_name.setdefault(known.names.id, known)
        self._remember_ids(known, known.names)
        if known.names.title_key:
            self._by_title[_squeezed(known.names.title_key)].append(known)

    def _remember_ids(self, known: _Known, names: PaperNames) -> None:
        for name in _public_ids(names):
            first = self._by_name.setdefault(name, known)
            if first is not known and name.startswith("doi:"):
                others = self._same_doi[name]
                if not any(other is known for other in others):
                    others.append(known)

    def _match(self, record: Paper, names: PaperNames) -> _Known | None:
        for name in (names.id, *_public_ids(names)):
            if name.startswith("title:") or name not in self._by_name:
                continue
            if not name.startswith("doi:"):
                return self._by_name[name]
            sharing: list[_Known] = [self._by_name[name], *self._same_doi.get(name, ())]
            same: list[_Known] = [
                known for known in sharing if self._is_same_work(known, record, names)
            ]
            if same:
                titled = [known for known in same if known.names.title_key == names.title_key]
                return (titled or same)[0]
        return self._namesake(record, names) if names.title_key else None

    def _namesake(self, record: Paper, names: PaperNames) -> _Known | None:
        """The paper that has the record's title, and is it."""
        titled = self._by_title[_squeezed(names.title_key)]
        namesakes = [k for k in titled if not _conflict(k.names, names)]
        if not namesakes:
            namesakes = [k for k in titled if self._is_twin(k, record, names)]
        same_text = [k for k in namesakes if k.names.abstract_hash == names.abstract_hash]
        if record.abstract and same_text:
            return same_text[0]
        apart = [
            k
            for k in namesakes
            if not _told_apart(k.names, names) or self._is_version(k, record, names)
        ]
        # A paper that is like it comes before one that merely has not been met in this run:
        # otherwise a repeat would take the place of the next paper with this title.
        choice = [
            (alike >= SAME_ABSTRACT, _same_origin(k.names, names), alike, k)
            for k in apart
            if (alike := self._alike(k, record)) >= SAME_ABSTRACT
            or not (k.seen or _is_other_version(k.names, names))
        ]
        best: _Known | None = max(choice, key=lambda found: found[:3])[3] if choice else None
        return best

    def _is_twin(self, known: _Known, record: Paper, names: PaperNames) -> bool:
        """Whether two DOIs name one paper: a publisher has given it another, or a typist."""
        held = self._held(known) if record.venue and record.year else None
        if held is None or not held.venue or held.year != record.year:
            return False
        same_venue = normalised_title(held.venue) == normalised_title(record.venue)
        return same_venue and self._is_version(known, record, names)

    def _is_version(self, known: _Known, record: Paper, names: PaperNames) -> bool:
        """Whether a long title, the authors and most of the abstract are those of ``known``."""
        if len(names.title_key.split()) < LONG_TITLE or not self._same_authors(known, record):
            return False
        return self._overlap(known, record) >= TWIN_ABSTRACT

    def _is_same_work(self, known: _Known, record: Paper, names: PaperNames) -> bool:
        """Whether two records with one DOI are one paper, not parts of a book."""
        ours, theirs = known.names.title_key, names.title_key
        shorter, longer = sorted((ours, theirs), key=len)
        if not shorter or ours == theirs:
            return True
        if longer.startswith(shorter) and len(shorter.split()) >= LONG_TITLE // 2:
            return True
        if _shared(set(ours.split()), set(theirs.split())) >= SAME_TITLE:
            return True
        return bool(record.abstract) and self._overlap(known, record) >= SAME_ABSTRACT

    def _alike(self, known: _Known, record: Paper) -> float:
        """How alike two papers with one title are, in [0, 1], by their abstracts or authors."""
        ours, theirs = self._words(known), _word_set(record)
        if not len(ours) or not len(theirs):
            return 0.0 if self._other_authors(known, record) else 1.0
        overlap = self._overlap(known, record)
        if overlap >= SAME_ABSTRACT or len(record.title_key.split()) < LONG_TITLE:
            return overlap
        return SAME_ABSTRACT if self._same_authors(known, record) else overlap

    def _same_authors(self, known: _Known, record: Paper) -> bool:
        held = self._held(known) if record.authors else None
        if held is None or not held.authors:
            return False
        lasts = _shared(_families(held, last=True), _families(record, last=True))
        return max(lasts, _shared(_families(held), _families(record))) >= 0.5

    def _other_authors(self, known: _Known, record: Paper) -> bool:
        """Whether both have authors, and none in common."""
        held = self._held(known) if record.authors else None
        return bool(held and held.authors and not _families(held) & _families(record))

    def _overlap(self, known: _Known, record: Paper) -> float:
        """Jaccard similarity of the words of the two abstracts."""
        ours, theirs = self._words(known), _word_set(record)
        shared = len(np.intersect1d(ours, theirs, assume_unique=True))
        return shared / max(1, len(ours) + len(theirs) - shared)

    def _words(self, known: _Known) -> WordSet:
        """Of a paper of the library they are read when they are first wanted."""
        if known.words is None:
            held = self._held(known)
            known.words = _word_set(held) if held is not None else np.empty(0, np.uint32)
        return known.words


def _squeezed(title_key: str) -> str:
    """A title as it stands where spaces and hyphens are lost, or come in: "space-usemodel"."""
    return title_key.replace(" ", "")


def _shared(ours: set[str], theirs: set[str]) -> float:
    return len(ours & theirs) / max(1, len(ours | theirs))


def _families(paper: Paper, *, last: bool = False) -> set[str]:
    """The longest part of each author's name, or the last: given names come and go as initials."""
    parts = [normalised_title(name).split() for name in paper.authors]
    return {name[-1] if last else max(reversed(name), key=len) for name in parts if name}


def _public_ids(names: PaperNames) -> list[str]:
    """The ids that any source may give to the paper."""
    ids = [f"doi:{names.doi}"] if names.doi else []
    return [*ids, f"arxiv:{names.arxiv_id}"] if names.arxiv_id else ids


def _conflict(known: PaperNames, record: PaperNames) -> bool:
    """Whether a DOI or an arXiv id says that they are different papers."""
    if known.arxiv_id and record.arxiv_id and known.arxiv_id != record.arxiv_id:
        return True
    differ = known.doi and record.doi and known.doi != record.doi
    return bool(differ) and not _is_other_version(known, record)


def _is_other_version(known: PaperNames, record: PaperNames) -> bool:
    """Whether one DOI is a preprint's and the other is not."""
    if not known.doi or not record.doi or known.doi == record.doi:
        return False
    return is_preprint(known.doi) != is_preprint(record.doi)


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
