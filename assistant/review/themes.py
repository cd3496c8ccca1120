"""Themes: papers clustered by meaning and words, and clusters named by their own phrases.

A paper's vector is the mean of its chunks less what all papers of the review share, so that
what tells them apart decides, joined with its distinctive terms. Ward's clustering is
deterministic; the number of themes is the one with the best silhouette, with a small preference
for clusters of even size. Themes of one paper go to their nearest neighbour.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import Embedder
from assistant.review.naming import SHARED, names_for
from assistant.review.search import UsedPaper
from assistant.review.wording import clean
from assistant.text import terms

__all__ = ["Cluster", "Clustering", "cluster", "projected"]

Floats = NDArray[np.float32]

MOST = 7
_LEAST_FOR_MANY = 9
"""Papers from which there are at least three themes."""
_LEXICAL = 0.55
"""Weight of the terms beside the vectors."""


@dataclass
class Cluster:
    """Papers (places in the list that was clustered), most central first, and their name."""

    members: list[int]
    name: str = ""
    terms: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)


@dataclass
class Clustering:
    """The clusters, nearest to the topic first, the score of every number tried, (papers, n) "
    "features.
    """

    clusters: list[Cluster]
    scores: dict[int, float]
    features: Floats


def cluster(
    papers: Sequence[UsedPaper],
    embedder: Embedder,
    topic: str,
    methods: Sequence[int | None] = (),
) -> Clustering:
    """Clusters and names ``papers``; one cluster where there are too few to tell apart.

    Args:
        methods: for each paper, the place of the sentence that says what it does, if known.
    """
    if not papers:
        return Clustering([], {}, np.zeros((0, 2), np.float32))
    features = _features(papers, embedder, methods or [None] * len(papers))
    labels, scores = _labels(features)
    groups: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        groups[label].append(place)
    clusters = [Cluster(_by_centrality(members, features)) for members in groups.values()]
    # the theme nearest to the topic first
    clusters.sort(key=lambda c: (-_relevance(papers, c.members), c.members))
    for group, named in zip(
        clusters, names_for([c.members for c in clusters], papers, embedder, topic), strict=True
    ):
        group.name, group.candidates, group.terms = (
            named.name,
            named.candidates,
            named.candidates[:6],
        )
    if len(clusters) == 1:  # it is all there is
        clusters[0].name = topic[:1].upper() + topic[1:]
    return Clustering(clusters, scores, features)


def _relevance(papers: Sequence[UsedPaper], members: Sequence[int]) -> float:
    return round(float(np.mean([papers[m].relevance for m in members])), 4)


def projected(features: Floats) -> Floats:
    """(papers, 2) places on a map, each axis in [0, 1]: the two principal components."""
    if len(features) < 2:
        return np.full((len(features), 2), 0.5, np.float32)
    centred = features - features.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    flat = (left * sizes)[:, :2]
    if flat.shape[1] < 2:
        flat = np.hstack([flat, np.zeros((len(flat), 2 - flat.shape[1]), flat.dtype)])
    # the sign of a component is arbitrary: the farthest point lies on the positive side
    for axis in range(2):
        if flat[np.argmax(np.abs(flat[:, axis])), axis] < 0:
            flat[:, axis] *= -1
    low, high = flat.min(axis=0), flat.max(axis=0)
    spread: Floats = ((flat - low) / np.maximum(high - low, 1e-6)).astype(np.float32)
    return spread


# ---------------------------------------------------------------------- clusters


def _features(
    papers: Sequence[UsedPaper], embedder: Embedder, methods: Sequence[int | None]
) -> Floats:
    """(papers, n) vectors less their common part, beside weighted terms; unit rows.

    A third each: the paper, its title, and the sentence that says what it does; abstracts on one
    topic begin alike.
    """
    titles = embedder.embed([clean(p.paper.label) for p in papers])
    rows = []
    for used, title, method in zip(papers, titles, methods, strict=True):
        does = used.vector if method is None else used.vectors[method]
        rows.append(used.vector + title + does)
    dense = _unit(np.stack(rows).astype(np.float64))
    common = dense.mean(axis=0)
    dense = _unit(dense - SHARED * common)
    bags = [Counter(terms(p.paper.title) * 3 + terms(p.paper.abstract)) for p in papers]
    held = Counter(term for bag in bags for term in bag)
    most = max(2, int(0.6 * len(papers)))
    vocabulary = sorted(t for t, n in held.items() if 2 <= n <= most)
    if not vocabulary or len(papers) < 4:
        return dense.astype(np.float32)
    column = {t: i for i, t in enumerate(vocabulary)}
    lexical = np.zeros((len(papers), len(vocabulary)))
    for row, bag in enumerate(bags):
        for term, count in bag.items():
            if term in column:
                lexical[row, column[term]] = (1 + np.log(count)) * np.log(len(papers) / held[term])
    lexical = _unit(lexical)
    # as many directions as there can be themes: single words are noise
    left, sizes, _ = np.linalg.svd(lexical - lexical.mean(axis=0), full_matrices=False)
    kept = _unit((left * sizes)[:, : min(12, len(papers) - 1)])
    kept = kept * np.sign(kept[np.argmax(np.abs(kept), axis=0), range(kept.shape[1])])
    return _unit(np.hstack([dense, _LEXICAL * kept])).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


def _labels(features: Floats) -> tuple[list[int], dict[int, float]]:
    """A label a paper, and the score of every number of themes that was tried."""
    count = len(features)
    different = len(np.unique(features.round(4), axis=0))
    if count < 5 or different < 4:
        return [0] * count, {}
    from sklearn.cluster import AgglomerativeClustering  # noqa: PLC0415
    from sklearn.metrics import silhouette_score  # noqa: PLC0415

    fewest = 3 if count >= _LEAST_FOR_MANY else 2
    most = min(MOST, max(fewest, count // 3), different - 1)
    found: dict[int, tuple[float, list[int]]] = {}
    for wanted in range(fewest, most + 1):
        raw = AgglomerativeClustering(n_clusters=wanted, linkage="ward").fit_predict(features)
        labels = _without_small([int(label) for label in raw], features)
        sizes = np.array(list(Counter(labels).values()), dtype=float)
        if len(sizes) < 2:
            continue
        shares = sizes / sizes.sum()
        evenness = float(-(shares * np.log(shares)).sum() / np.log(len(sizes)))
        score = float(silhouette_score(features, labels)) + 0.1 * evenness
        # a section of fifteen papers is a list again: more themes for more papers
        score += 0.008 * len(sizes) * min(1.0, count / 30)
        found[wanted] = (score, labels)
    if not found:
        return [0] * count, {}
    best = max(found, key=lambda k: (found[k][0], -k))
    return found[best][1], {k: round(score, 4) for k, (score, _) in found.items()}


def _without_small(labels: list[int], features: Floats) -> list[int]:
    """Papers of a cluster of one (of many papers: also of two) go to the nearest middle."""
    counts = Counter(labels)
    least = 2 if len(labels) < 15 else 3
    kept = [label for label, n in counts.items() if n >= least]
    if not kept:
        return [0] * len(labels)
    middles = {k: features[[i for i, m in enumerate(labels) if m == k]].mean(axis=0) for k in kept}
    return [
        label
        if counts[label] >= least
        else max(kept, key=lambda k: (float(features[i] @ middles[k]), -k))
        for i, label in enumerate(labels)
    ]


def _by_centrality(members: list[int], features: Floats) -> list[int]:
    middle = features[members].mean(axis=0)
    return sorted(members, key=lambda m: (-round(float(features[m] @ middle), 5), m))
