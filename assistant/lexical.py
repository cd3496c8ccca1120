"""BM25: which papers hold the words of a question, from arrays that are mapped from disk.

The score of a paper for a question is the sum over the question's terms (repeated ones as
often as they are repeated) of

    idf · tf / (tf + k1 · (1 - b + b · length / mean length)),
    idf = ln(1 + (N - n + 0.5) / (n + 0.5))

with tf the term's count in the paper, n the number of papers that hold it, N of all papers:
the Lucene form. The counts are kept, not the scores, so that the next index is made from this
one without cutting any text into words again. Terms are kept as 64-bit hashes in sorted order:
there is no vocabulary to load before the first question, and two of a million terms share a
hash with a probability of about 3 in 10⁸.

    terms.npy              (terms,) uint64, sorted; term_starts.npy: (terms + 1,)
    posting_places.npy     (postings,) uint32, the papers that hold a term, ascending
    posting_counts.npy     (postings,) uint16, how often
    lengths.npy            (papers,) uint32, terms of a paper, repetitions included
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lexicon", "LexiconBuilder"]

Floats = NDArray[np.float32]
_MOST = 65_535
_NOT_MAPPED = 256
"""Bytes: an array without rows has a header only, and cannot be mapped."""


@lru_cache(maxsize=200_000)
def _hash(term: str) -> int:
    digest = hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class Lexicon:
    """The terms of an index, mapped from ``folder``. Safe in any thread."""

    def __init__(self, folder: Path, k1: float, b: float) -> None:
        self.hashes: NDArray[np.uint64] = loaded(folder / "terms.npy")
        self.starts: NDArray[np.int64] = loaded(folder / "term_starts.npy")
        self.places: NDArray[np.uint32] = mapped(folder / "posting_places.npy")
        self.counts: NDArray[np.uint16] = mapped(folder / "posting_counts.npy")
        self.lengths: NDArray[np.uint32] = loaded(folder / "lengths.npy")
        if len(self.starts) != len(self.hashes) + 1 or not (
            int(self.starts[-1]) == len(self.places) == len(self.counts)
        ):
            raise ValueError(f"the arrays of {folder} do not fit together")
        mean = max(1.0, float(self.lengths.mean())) if len(self.lengths) else 1.0
        self._norms: Floats = (k1 * (1 - b + b * self.lengths / mean)).astype(np.float32)

    def scores(self, terms: Iterable[str]) -> Floats:
        """(papers,) BM25 scores for a question's terms."""
        scores = np.zeros(len(self.lengths), dtype=np.float32)
        for term, repeated in Counter(terms).items():
            postings = self._postings(term)
            if postings is None:
                continue
            places = self.places[postings]
            counts = self.counts[postings].astype(np.float32)
            weight = np.float32(repeated * self.idf(term))
            scores[places] += weight * counts / (counts + self._norms[places])
        return scores

    def document_frequency(self, term: str) -> int:
        """Papers that hold the term."""
        postings = self._postings(term)
        return 0 if postings is None else postings.stop - postings.start

    def idf(self, term: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5))."""
        n, total = self.document_frequency(term), len(self.lengths)
        return float(np.log1p((total - n + 0.5) / (n + 0.5)))

    def _postings(self, term: str) -> slice | None:
        wanted = np.uint64(_hash(term))
        at = int(np.searchsorted(self.hashes, wanted))
        if at == len(self.hashes) or self.hashes[at] != wanted:
            return None
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


class LexiconBuilder:
    """Collects the terms of new papers, and joins them with those kept of an older index."""

    def __init__(self) -> None:
        # arrays, not lists: a million papers have a hundred million postings
        self._hashes = array("Q")
        self._places = array("I")
        self._counts = array("H")
        self._lengths = array("I")
        self._length_places = array("I")

    def add(self, place: int, terms: Sequence[str]) -> None:
        """The terms of the paper at ``place`` of the new index."""
        counted = Counter(map(_hash, terms))
        self._hashes.extend(counted.keys())
        self._counts.extend(min(count, _MOST) for count in counted.values())
        self._places.extend([place] * len(counted))
        self._lengths.append(len(terms))
        self._length_places.append(place)

    def save(
        self,
        folder: Path,
        papers: int,
        old: Lexicon | None = None,
        new_places: NDArray[np.int64] | None = None,
    ) -> None:
        """Writes the arrays.

        Args:
            folder: of the new index.
            papers: number of papers of the new index.
            old: the lexicon of the index that papers were kept from.
            new_places: (papers of the old index,) ascending, -1 for those not kept.
        """
        lengths = np.zeros(papers, dtype=np.uint32)
        lengths[_ints(self._length_places, np.int64)] = _ints(self._lengths, np.uint32)
        new_terms, of_term = np.unique(_ints(self._hashes, np.uint64), return_inverse=True)
        places, counts = _ints(self._places, np.int64), _ints(self._counts, np.uint16)
        # postings as one number, which orders them by term, then place; those kept are in order
        span = np.int64(max(1, papers))
        if old is None or new_places is None:
            terms, keys = new_terms, of_term * span + places
            order = np.argsort(keys)
            keys, counts = keys[order], counts[order]
        else:
            kept = np.flatnonzero(new_places >= 0)
            lengths[new_places[kept]] = old.lengths[kept]
            terms = np.union1d(old.hashes, new_terms)
            keys = np.repeat(np.searchsorted(terms, old.hashes), np.diff(old.starts)) * span
            old_places = new_places[old.places]
            held = old_places >= 0
            keys = keys[held] + old_places[held]
            added = np.searchsorted(terms, new_terms)[of_term] * span + places
            order = np.argsort(added)
            slots = np.searchsorted(keys, added[order])
            keys = np.insert(keys, slots, added[order])
            counts = np.insert(old.counts[held], slots, counts[order])
        of_term, places = np.divmod(keys, span)
        per_term = np.bincount(of_term, minlength=len(terms))
        used = per_term > 0
        starts = np.concatenate([[0], np.cumsum(per_term[used])])
        np.save(folder / "terms.npy", terms[used])
        np.save(folder / "term_starts.npy", starts.astype(np.int64))
        np.save(folder / "posting_places.npy", places.astype(np.uint32))
        np.save(folder / "posting_counts.npy", counts)
        np.save(folder / "lengths.npy", lengths)


def _ints(values: array[int], dtype: type[np.integer[Any]]) -> NDArray[Any]:
    return np.array(values, dtype=dtype)


def loaded(path: Path) -> NDArray[Any]:
    """The array of ``path``.

    Raises:
        OSError, ValueError: it is missing, or is not a whole array.
    """
    try:
        whole: NDArray[Any] = np.load(path, allow_pickle=False)
    except EOFError:
        raise ValueError(f"{path} is empty") from None
    return whole


def mapped(path: Path) -> NDArray[Any]:
    """The array of ``path``, mapped; loaded where there is nothing to map. Raises as `loaded`."""
    if path.stat().st_size <= _NOT_MAPPED:
        return loaded(path)
    array_: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array_
