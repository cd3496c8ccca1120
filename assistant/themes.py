"""Themes: papers brought together by their meaning, named by what most of them write.

Papers are clustered by their vectors, in the embedding's own space. A theme's name is a phrase
that more than half of its papers hold and that the others hold seldom; papers without such a
name are gathered under "Other". Used by reviews and by the map of a library.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.text import STOP_WORDS, terms

__all__ = [
    "OTHER",
    "Theme",
    "cluster",
    "grouped",
    "named",
    "phrase",
    "phrases_of",
    "projected",
    "runs_of",
]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

OTHER = "Other"
_SEED = 0
_EXACT = 5000
"""Papers up to which k-means looks at all of them at once."""
_READ = 200
"""Papers of a theme that are read for its name."""
_MAJORITY = 0.5
_COMMON = 1.1
"""Idf of a stem that a third of a library's papers hold."""
_WORD = re.compile(r"[^\W_][\w’'-]*[^\W_]|[^\W_]|[.,;:!?()]")
_LONGEST = 3
_NO_NOUN = re.compile(
    r"(?:ed|ous|ive|ary|able|ible|ly|ful|less|est|\w{4}al)$|\bother$", re.IGNORECASE
)
"""How words end that name nothing when they stand last."""


@dataclass
class Theme:
    """``members``: places of its papers, most central first; ``terms``: what it could be called."""

    name: str
    members: list[int]
    terms: list[str]


def grouped(
    vectors: Floats,
    titles: Sequence[str],
    texts: Sequence[str],
    avoid: str = "",
    idf: Callable[[str], float] = lambda _: _COMMON,
    most: int = 8,
) -> list[Theme]:
    """The themes of some papers, in the number that stands apart best and can be named.

    Args as of `cluster` and `named`.
    """
    n = len(vectors)
    if n < 6:
        return named(np.zeros(n, np.int64), vectors, titles, texts, avoid, idf)
    from sklearn.metrics import silhouette_score  # noqa: PLC0415

    phrases = [phrases_of(title, text) for title, text in zip(titles, texts, strict=True)]
    centred = _centred(vectors)
    best: tuple[float, list[Theme]] | None = None
    for count in range(2, max(2, min(most, n // 3)) + 1):
        labels = cluster(vectors, count)
        themes = named(labels, vectors, titles, texts, avoid, idf, phrases)
        inside = sum(len(theme.members) for theme in themes if theme.terms)
        score = float(silhouette_score(centred, labels)) + inside / n + 0.01 * count
        if best is None or score > best[0]:
            best = (score, themes)
    return best[1] if best else []


def cluster(vectors: Floats, count: int) -> Labels:
    """(papers,) the theme of each, the largest first.

    Args:
        vectors: (papers, dimension), unit.
        count: of themes.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans  # noqa: PLC0415

    count = max(1, min(count, len(vectors)))
    make = KMeans if len(vectors) <= _EXACT else MiniBatchKMeans
    found = make(count, n_init=4, random_state=_SEED).fit_predict(_centred(vectors))
    order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    return np.asarray(np.argsort(order)[found], np.int64)


def _centred(vectors: Floats) -> Floats:
    """Without what all share: that does not tell them apart."""
    centred = vectors - vectors.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(norms, 1e-6), np.float32)


def named(
    labels: Labels,
    vectors: Floats,
    titles: Sequence[str],
    texts: Sequence[str],
    avoid: str = "",
    idf: Callable[[str], float] = lambda _: _COMMON,
    phrases: Sequence[dict[tuple[str, ...], str]] | None = None,
) -> list[Theme]:
    """The themes with their names; those without one are joined under `OTHER`, at the end.

    Args:
        avoid: words that name no theme, since all papers are about them: the topic.
        idf: of a stem in the library; what a third of its papers hold names no theme.
        phrases: `phrases_of` each paper, where they are known.
    """
    count = int(labels.max(initial=-1)) + 1
    read = [np.flatnonzero(labels == n)[:_READ] for n in range(count)]
    bodies = {int(p): set(terms(texts[p])) for places in read for p in places}
    held = {
        int(p): phrases[p] if phrases else phrases_of(titles[p], texts[p])
        for places in read
        for p in places
    }
    forms: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for known in held.values():
        for key, form in known.items():
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


def runs_of(text: str) -> Iterator[list[str]]:
    """The words between two stop words or signs, as they are written."""
    run: list[str] = []
    for word in [*_WORD.findall(text), "."]:
        low = word.casefold()
        if low not in STOP_WORDS and len(low) > 1 and not low.isdigit():
            run.append(word)
        elif run:
            yield run
            run = []


def phrase(words: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The stems of a phrase and how it is written; none where it names nothing."""
    key = tuple(t for w in words for t in terms(w))
    if not key or len(set(key)) < len(key) or _NO_NOUN.search(words[-1]):
        return (), ""
    return key, " ".join(w if re.search(r"[A-Z\d]", w[1:]) else w.casefold() for w in words)


def phrases_of(title: str, text: str) -> dict[tuple[str, ...], str]:
    """Stems of each phrase of up to three words → how it is written here."""
    found: dict[tuple[str, ...], str] = {}
    for run in runs_of(f"{title}. {text}"):
        for start in range(len(run)):
            for end in range(start + 1, min(len(run), start + _LONGEST) + 1):
                key, form = phrase(run[start:end])
                if key:
                    found.setdefault(key, form)
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
