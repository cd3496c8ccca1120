"""Taste: how well papers fit what somebody liked, and by which words.

A linear support vector machine over tf-idf tells the liked papers from the rest of the library;
beside it stands the cosine to the mean of the liked papers' vectors. Both are standardised over
the papers that are ranked, and added. Measured: ``python -m eval.digest``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.text import terms

__all__ = ["Fit", "rank_by_likes", "standardised"]

Floats = NDArray[np.float32]

_DISLIKE_WEIGHT = 3.0
"""A paper that was disliked counts so many times one that was merely not liked."""
_WORDS_SHOWN = 3


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
    texts: Sequence[str],
    vectors: Floats,
    liked: Sequence[str],
    liked_vectors: Floats,
    *,
    disliked: Sequence[str] = (),
    others: Sequence[str] = (),
) -> list[Fit]:
    """How well each of ``texts`` fits ``liked``.

    Args:
        texts: title and abstract of the papers to rank.
        vectors: (texts, dimension) their unit vectors.
        liked: texts of the papers that were liked, at least one.
        liked_vectors: (liked, dimension) their unit vectors.
        disliked: texts of those that were disliked.
        others: a sample of the rest, which are neither.
    """
    centroid = liked_vectors.mean(axis=0)
    cosines = vectors @ (centroid / max(float(np.linalg.norm(centroid)), 1e-6))
    margins, shown = _margins(texts, liked, disliked, others)
    scores = standardised(cosines) + standardised(margins)
    return [Fit(float(s), w) for s, w in zip(scores, shown, strict=True)]


def _margins(
    texts: Sequence[str], liked: Sequence[str], disliked: Sequence[str], others: Sequence[str]
) -> tuple[Floats, list[tuple[str, ...]]]:
    """Of the machine for each text, and the words that speak for it."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    against = [*disliked, *others] or list(texts)
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, ngram_range=(1, 2), stop_words="english", strip_accents="unicode"
    )
    try:
        known = vectorizer.fit_transform([*liked, *against])
    except ValueError:  # not a word in them
        return np.zeros(len(texts), np.float32), [()] * len(texts)
    labels = np.array([1] * len(liked) + [0] * len(against))
    weights = np.ones(len(labels))
    weights[len(liked) : len(liked) + len(disliked)] = _DISLIKE_WEIGHT
    machine = LinearSVC(class_weight="balanced", random_state=0)
    machine.fit(known, labels, sample_weight=weights)
    candidates = vectorizer.transform(texts)
    margins = machine.decision_function(candidates).astype(np.float32)
    names = vectorizer.get_feature_names_out()
    in_liked = np.asarray((known[: len(liked)] > 0).sum(axis=0)).ravel() >= min(2, len(liked))
    shown = []
    for row in candidates.multiply(machine.coef_).tocsr():
        order = row.indices[np.argsort(-row.data)]
        strong = {int(i) for i, value in zip(row.indices, row.data, strict=True) if value > 0}
        shown.append(_apart(names[i] for i in order if int(i) in strong and in_liked[i]))
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
