"""Taste: how well papers fit what somebody liked, and by which words.

Two linear support vector machines, one over tf-idf and one over the papers' vectors, tell the
liked papers from the rest of the library; beside them stands the cosine to the mean of the liked
papers' vectors. The three are standardised over the papers that are ranked, and added. Measured,
and how it was chosen: ``python -m eval.digest``, eval/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.text import terms

__all__ = ["Fit", "Read", "rank_by_likes", "standardised"]

Floats = NDArray[np.float32]

_DISLIKE_WEIGHT = 3.0
"""A paper that was disliked counts so many times one that was merely not liked."""
_SOFTNESS = 0.1
"""The machines' C: five likes are few, and a wide margin carries over to what is new."""
_WORDS_SHOWN = 3


@dataclass(frozen=True)
class Read:
    """Papers as they are compared: title and abstract of each, and (papers, dimension) unit
    vectors.
    """

    texts: Sequence[str]
    vectors: Floats

    def __add__(self, other: Read) -> Read:
        return Read([*self.texts, *other.texts], np.concatenate([self.vectors, other.vectors]))


@dataclass(frozen=True)
class Fit:
    """One paper's fit: higher is better.

    ``words`` speak for it, the strongest first; each is in two of the liked papers, or in the one.
    """

    score: float
    words: tuple[str, ...] = ()


def standardised(values: Floats) -> Floats:
    """With mean 0 and deviation 1; all 0 where they do not differ."""
    spread = float(values.std())
    centred = values - values.mean()
    scaled: Floats = (centred / spread if spread > 1e-9 else centred * 0).astype(np.float32)
    return scaled


def rank_by_likes(
    new: Read, liked: Read, *, disliked: Read | None = None, others: Read | None = None
) -> list[Fit]:
    """How well each of the ``new`` papers fits those that were ``liked``, one at least.

    Args:
        new: the papers to rank.
        liked: those that were liked.
        disliked: those that were disliked.
        others: a sample of the rest, which are neither.
    """
    centroid = liked.vectors.mean(axis=0)
    cosines = new.vectors @ (centroid / max(float(np.linalg.norm(centroid)), 1e-6))
    none = Read((), liked.vectors[:0])
    known = liked + (disliked or none) + (others or none)
    if len(known.texts) == len(liked.texts):
        known = liked + new
    weights = np.ones(len(known.texts))
    if disliked:
        first = len(liked.texts)
        weights[first : first + len(disliked.texts)] = _DISLIKE_WEIGHT
    machine = _machine(known.vectors, len(liked.texts), weights)
    meant = machine.decision_function(new.vectors).astype(np.float32)
    said, shown = _by_words(new.texts, known.texts, len(liked.texts), weights)
    scores = standardised(cosines) + standardised(meant) + standardised(said)
    return [Fit(float(s), w) for s, w in zip(scores, shown, strict=True)]


def _machine(features: Any, liked: int, weights: NDArray[np.float64]) -> Any:
    """Fitted to tell the first ``liked`` of the rows from the others."""
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    machine = LinearSVC(C=_SOFTNESS, class_weight="balanced", random_state=0)
    return machine.fit(features, np.arange(len(weights)) < liked, sample_weight=weights)


def _by_words(
    texts: Sequence[str], known: Sequence[str], liked: int, weights: NDArray[np.float64]
) -> tuple[Floats, list[tuple[str, ...]]]:
    """The margin of each text, and the words that speak for it."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    vectorizer = TfidfVectorizer(
        sublinear_tf=True, ngram_range=(1, 2), stop_words="english", strip_accents="unicode"
    )
    try:
        counted = vectorizer.fit_transform(known)
    except ValueError:  # not a word in them
        return np.zeros(len(texts), np.float32), [()] * len(texts)
    machine = _machine(counted, liked, weights)
    candidates = vectorizer.transform(texts)
    margins = machine.decision_function(candidates).astype(np.float32)
    names = vectorizer.get_feature_names_out()
    in_liked = np.asarray((counted[:liked] > 0).sum(axis=0)).ravel() >= min(2, liked)
    shown = []
    for text, row in zip(texts, candidates.multiply(machine.coef_).tocsr(), strict=True):
        order = row.indices[np.argsort(-row.data)]
        strong = {int(i) for i, value in zip(row.indices, row.data, strict=True) if value > 0}
        said = (names[i] for i in order if int(i) in strong and in_liked[i])
        # two words with "of the" between them are a feature, but no words of the text
        shown.append(_apart(w for w in said if " " not in w or w in text.lower()))
    return margins, shown


def _apart(words: Iterable[str]) -> tuple[str, ...]:
    """The first few that say something and do not repeat one another, as "pruned" does "prune"."""
    kept: list[str] = []
    stems: set[str] = set()
    for word in words:
        parts = set(terms(word))
        if not parts or parts & stems or not any(p.isalpha() and len(p) > 3 for p in parts):
            continue
        kept.append(str(word))
        stems |= parts
        if len(kept) == _WORDS_SHOWN:
            break
    return tuple(kept)
