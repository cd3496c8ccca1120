"""Themes: papers brought together by their meaning, named by what most of them write.

Papers are clustered by their vectors, in the embedding's own space. A theme's name is a phrase
that more than half of its papers hold and that the others hold seldom; papers without such a
name are gathered under "Other". Used by reviews and by the map of a library.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.text import STOP_WORDS, terms

__all__ = ["OTHER", "Theme", "cluster", "named", "phrases_of", "projected"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

OTHER = "Other"
_SEED = 0
_BY_SILHOUETTE = 400
"""Papers up to which the number of themes is chosen by how well they stand apart."""
_READ = 200
"""Papers of a theme that are read for its name."""
_MAJORITY = 0.5
_COMMON = 1.1
"""Idf of a stem that a third of a library's papers hold."""
_WORD = re.compile(r"[^\W_][\w’'-]*[^\W_]|[^\W_]|[.,;:!?()]")
_LONGEST = 3


@dataclass
class Theme:
    """``members``: places of its papers, most central first; ``terms``: what it could be called."""

    name: str
    members: list[int]
    terms: list[str]


def cluster(vectors: Floats, most: int = 8, count: int | None = None) -> Labels:
    """(papers,) the theme of each, the largest first.

    Args:
        vectors: (papers, dimension), unit.
        most: themes at the most.
        count: so many, where it is known; else what the silhouette prefers.
    """
    n = len(vectors)
    if n < 6 and count is None:
        return np.zeros(n, dtype=np.int64)
    from sklearn.cluster import KMeans, MiniBatchKMeans  # noqa: PLC0415
    from sklearn.metrics import silhouette_score  # noqa: PLC0415

    centred = vectors - vectors.mean(axis=0)  # what all share does not tell them apart
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    make = KMeans if n <= 5000 else MiniBatchKMeans
    if count is None:
        counts = range(2, max(2, min(most, n // 4)) + 1) if n <= _BY_SILHOUETTE else [most]
    else:
        counts = range(max(1, min(count, n)), max(1, min(count, n)) + 1)
    best: tuple[float, Labels] | None = None
    for k in counts:
        labels = np.asarray(make(k, n_init=4, random_state=_SEED).fit_predict(centred), np.int64)
        score = 0.0
        if len(counts) > 1:
            score = float(silhouette_score(centred, labels)) + 0.01 * k
            score -= 0.1 * float((np.bincount(labels, minlength=k) < 2).mean())
        if best is None or score > best[0]:
            best = (score, labels)
    assert best is not None  # noqa: S101  there is at least one count
    sizes = np.bincount(best[1])
    return np.argsort(np.argsort(-sizes, kind="stable"))[best[1]].astype(np.int64)


def named(
    labels: Labels,
    vectors: Floats,
    titles: Sequence[str],
    texts: Sequence[str],
    avoid: str = "",
    idf: Callable[[str], float] = lambda _: _COMMON,
) -> list[Theme]:
    """The themes with their names; those without one are joined under `OTHER`, at the end.

    Args:
        avoid: words that name no theme, since all papers are about them: the topic.
        idf: of a stem in the library; what a third of its papers hold names no theme.
    """
    count = int(labels.max(initial=-1)) + 1
    read = [np.flatnonzero(labels == n)[:_READ] for n in range(count)]
    bodies = {int(p): set(terms(texts[p])) for places in read for p in places}
    held = {int(p): phrases_of(titles[p], texts[p]) for places in read for p in places}
    forms: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for phrases in held.values():
        for key, form in phrases.items():
            forms[key][form] += 1
    avoided = set(terms(avoid))
    themes: list[Theme] = []
    rest: list[int] = []
    used: set[str] = set()
    for n in range(count):
        members = [int(p) for p in np.flatnonzero(labels == n)]
        others = [held[int(p)] for m in range(count) if m != n for p in read[m]]
        inside = [held[int(p)] for p in read[n]]
        keys = _distinctive(inside, others, [titles[p] for p in read[n]], avoided, used)
        keys = [key for key in keys if max(map(idf, key)) >= _COMMON]
        # what stands in titles only, such as "letter" or "editorial", is no subject
        keys = [
            k for k in keys if 2 * sum(set(k) <= bodies[int(p)] for p in read[n]) > len(read[n])
        ]
        names = [forms[key].most_common(1)[0][0] for key in keys]
        if not names or (len(members) < 2 and count > 1):
            rest += members
            continue
        used.update(keys[0])
        centre = vectors[members].mean(axis=0)
        members.sort(key=lambda p: -float(vectors[p] @ centre))
        themes.append(Theme(_capitalised(names[0]), members, names[:6]))
    if rest:
        themes.append(Theme(OTHER if themes else "All papers", rest, []))
    return themes


def phrases_of(title: str, text: str) -> dict[tuple[str, ...], str]:
    """Stems of each phrase of up to three words → how it is written here."""
    found: dict[tuple[str, ...], str] = {}
    run: list[str] = []
    for word in [*_WORD.findall(f"{title}. {text}"), "."]:
        low = word.casefold()
        if low not in STOP_WORDS and len(low) > 1 and not low.isdigit():
            run.append(word)
            continue
        for start in range(len(run)):
            for end in range(start + 1, min(len(run), start + _LONGEST) + 1):
                words = run[start:end]
                key = tuple(t for w in words for t in terms(w))
                if key and len(set(key)) == len(key) and not words[-1].casefold().endswith("ly"):
                    shown = [w if re.search(r"[A-Z\d]", w[1:]) else w.casefold() for w in words]
                    found.setdefault(key, " ".join(shown))
        run = []
    return found


def _distinctive(
    inside: Sequence[dict[tuple[str, ...], str]],
    outside: Sequence[dict[tuple[str, ...], str]],
    titles: Sequence[str],
    avoided: set[str],
    used: set[str],
) -> list[tuple[str, ...]]:
    """Phrases that a majority inside holds and few outside do, the most telling first."""
    counts = Counter(key for phrases in inside for key in phrases)
    beyond = Counter(key for phrases in outside for key in phrases)
    titled = [set(terms(title)) for title in titles]
    scored: list[tuple[float, tuple[str, ...]]] = []
    for key, count in counts.items():
        share = count / len(inside)
        if share <= _MAJORITY or set(key) <= avoided or set(key) & used:
            continue
        contrast = share - (beyond[key] / len(outside) if outside else 0.0)
        in_titles = sum(set(key) <= t for t in titled) / len(titled)
        fresh = len(set(key) - avoided) / len(key)
        if contrast > 0.25 and in_titles > 0:
            scored.append((contrast * (0.3 + in_titles) * fresh * (1 + 0.7 * (len(key) > 1)), key))
    return [key for _, key in sorted(scored, key=lambda pair: (-pair[0], pair[1]))]


def _capitalised(name: str) -> str:
    first = name.split(" ", 1)[0]
    return name if re.search(r"[A-Z\d]", first[1:]) else name[:1].upper() + name[1:]


def projected(vectors: Floats) -> Floats:
    """(papers, 2) in [0, 1]: the plane of the two principal components."""
    n = len(vectors)
    if n < 3:
        return np.stack([np.linspace(0.3, 0.7, n), np.full(n, 0.5)], axis=1).astype(np.float32)
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    flat = left[:, :2] * sizes[:2]
    low, high = flat.min(axis=0), flat.max(axis=0)
    return np.asarray((flat - low) / np.maximum(high - low, 1e-9), dtype=np.float32)
