"""Themes: papers brought together by their meaning, named by what most of them write.

Papers are clustered by their vectors, in the embedding's own space. A theme's name is a phrase
that more than half of its papers hold and that the others hold seldom; papers without such a
name are gathered under "Other". Used by reviews and by the map of a library.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.text import STOP_WORDS, terms

__all__ = [
    "NOUN",
    "OTHER",
    "PhrasesOf",
    "Theme",
    "cluster",
    "grouped",
    "named",
    "nounness",
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
_COMMON, _RARE, _CAP = 1.1, 2.2, 5.0
"""Idf of a stem that a third, one in nine, one in 150 of a library's papers hold."""
_WRITTEN = 0.15
"""Share of a theme's papers that must write its name word for word."""
_CONTRAST = 0.25
"""By how much more of a theme's papers than of the others hold its name."""
_ELSEWHERE = 0.25
"""Share of the other papers that may write a theme's name in one of their sentences."""
_OF_TOPIC = 0.3
"""Share of a word's phrases that hold a word of the topic, beyond which it is but its head."""
_TITLED = 0.25
"""Share of the titles that hold a word which is a name all alone."""
NOUN = 0.4
"""Share of its places in which the last word of a name ends a phrase."""
_HALF = 0.5
"""Share of the papers beyond which a theme tells too little apart."""
_LEAST_SHARING, _FEWEST, _MANY = 3, 7, 3
"""Papers that a theme has, at least; papers from which on there are themes; themes that are shown
even where most papers stand in none."""
_LEADS = frozenset("a an the this these those its their our such".split())
"""After a word that ends no noun phrase: "extending the …"."""
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_WORD = re.compile(r"[^\W_][\w’'-]*[^\W_]|[^\W_]|[.,;:!?()]")
_LONGEST = 3
_NO_NOUN = re.compile(
    r"(?:ed|ous|ive|ary|able|ible|ly|ful|less|est|\w{4}al)$|\b(?:other|driven|given|taken|shown|known)$",
    re.IGNORECASE,
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
    """The themes of some papers: what several are about, by title or more than one sentence.

    The phrase that most papers without a theme are about, and that brings like papers together,
    makes the next theme. Papers that no theme's name fits stand under `OTHER`. Where these would
    be most beside two themes, or the papers are few, there are none, and all stand together.

    Args:
        vectors: (papers, dimension), unit.
        avoid: words that name no theme, since all papers are about them: the topic.
        idf: of a stem in the library; what a third of its papers hold names no theme.
        most: themes.
    """
    n = len(vectors)
    together = [Theme("All papers", list(range(n)), [])] if n else []
    if n < _FEWEST:
        return together
    read = [PhrasesOf.of(title, text) for title, text in zip(titles, texts, strict=True)]
    names = _subjects(read, set(terms(avoid)), idf)
    centred = _centred(vectors)
    rest = set(range(n))
    keys: list[tuple[str, ...]] = []
    while len(keys) < most:
        used = {stem for key in keys for stem in key}
        scored = [
            (_worth(sorted(one.about & rest), one, centred), key)
            for key, one in names.items()
            if len(one.about & rest) >= _LEAST_SHARING and used.isdisjoint(key)
        ]
        worth, key = max(scored, default=(0.0, ()))
        if worth <= 0:
            break
        keys.append(key)
        rest -= names[key].about
    centres = {key: vectors[sorted(names[key].about)].mean(axis=0) for key in keys}
    members: dict[tuple[str, ...], list[int]] = {key: [] for key in keys}
    other: list[int] = []
    for p in range(n):
        fit = [key for key in keys if p in names[key].about] or [
            key for key in keys if read[p].holds(key)
        ]
        at = max(fit, key=lambda key: float(vectors[p] @ centres[key]), default=None)
        (other if at is None else members[at]).append(p)
    themes = [
        Theme(_capitalised(names[key].form), sorted(kept, key=lambda p: -vectors[p] @ centres[key]),
              [names[key].form])
        for key, kept in members.items() if kept
    ]  # fmt: skip
    themes.sort(key=lambda theme: -len(theme.members))
    if len(themes) < 2 or (len(themes) < _MANY and len(other) > _HALF * n):
        return together
    return [*themes, Theme(OTHER, other, [])] if other else themes


@dataclass
class _Subject:
    """``form``: how it is written; ``about``: the papers that are about it; ``weight``: its idf,
    and how many titles of these hold it.
    """

    form: str
    about: frozenset[int]
    weight: float


def _subjects(
    read: Sequence[PhrasesOf], avoided: set[str], idf: Callable[[str], float]
) -> dict[tuple[str, ...], _Subject]:
    """Phrases that could name a theme of some papers, and which papers are about each."""
    nouns = nounness(read)
    heads_topic = _heads(read, avoided)
    forms: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    where: dict[str, set[int]] = defaultdict(set)
    for p, paper in enumerate(read):
        for key, form in paper.phrases.items():
            forms[key][form] += 1
            for stem in key:
                where[stem].add(p)
    found = {}
    for key, written in forms.items():
        fresh = [stem for stem in key if stem not in avoided]
        rarest = max(map(idf, fresh), default=0.0)
        if written.total() < 2 or nouns(key[-1]) < NOUN:
            continue
        if rarest < (_COMMON if len(key) > 1 else _RARE):
            continue
        near = set.intersection(*(where[stem] for stem in key))
        about = frozenset(p for p in near if read[p].about(key))
        if not _LEAST_SHARING <= len(about) <= _HALF * len(read):
            continue
        if not _tells_apart(fresh, about, read) or (len(key) == 1 and heads_topic(key[0])):
            continue
        titled = sum(read[p].title.issuperset(key) for p in about) / len(about)
        if len(key) > 1 or titled > _TITLED:
            weight = sum(min(idf(stem), _CAP) for stem in fresh) ** 0.5 * (0.3 + titled)
            longer = _completed(key, about, read) if len(key) == 1 else ""
            found[key] = _Subject(longer or written.most_common(1)[0][0], about, weight)
    return found


def _tells_apart(fresh: Sequence[str], about: Collection[int], read: Sequence[PhrasesOf]) -> bool:
    """Whether a name tells the papers that are ``about`` it from the rest of them.

    What most papers write, or a good part of the rest, is what all are about, or a word for it. Of
    a name that holds the topic, the ``fresh`` part must tell them apart.
    """
    rest = [paper for p, paper in enumerate(read) if p not in about]
    return sum(paper.holds(fresh) for paper in rest) <= _ELSEWHERE * len(rest)


def _heads(read: Sequence[PhrasesOf], avoided: set[str]) -> Callable[[str], bool]:
    """Whether a word is what the topic is called by: much of the phrases that it ends hold the
    topic. "paradigm" names nothing among papers that write "BCI paradigm".
    """
    ended: Counter[str] = Counter()
    topical: Counter[str] = Counter()
    for paper in read:
        for key in paper.phrases:
            if len(key) > 1:
                ended[key[-1]] += 1
                topical[key[-1]] += not avoided.isdisjoint(key[:-1])
    return lambda stem: topical[stem] > _OF_TOPIC * ended[stem]


def _completed(key: tuple[str, ...], about: Collection[int], read: Sequence[PhrasesOf]) -> str:
    """The phrase of two words that most papers about a word write for it; empty if none is."""
    forms: Counter[str] = Counter()
    for p in about:
        written = {
            form for longer, form in read[p].phrases.items()
            if len(longer) == 2 and longer[-1] == key[0]
        }  # fmt: skip
        forms.update(written)
    form, count = forms.most_common(1)[0] if forms else ("", 0)
    return form if count > _MAJORITY * len(about) else ""


def _worth(members: Sequence[int], subject: _Subject, centred: Floats) -> float:
    """Of a subject as the theme of these papers: many, alike, and a telling name."""
    count = len(members)
    alike = (float(np.square(centred[members].sum(axis=0)).sum()) / count - 1.0) / (count - 1)
    return float(count**0.5 * alike * subject.weight)


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
    idf: Callable[[str], float] = lambda _: _COMMON,
) -> list[Theme]:
    """Clusters with their names; those without one are joined under `OTHER`, at the end.

    Args:
        idf: of a stem in the library; what a third of its papers hold names no theme.
    """
    count = int(labels.max(initial=-1)) + 1
    places = [np.flatnonzero(labels == n)[:_READ] for n in range(count)]
    held = {int(p): PhrasesOf.of(titles[p], texts[p]) for at in places for p in at}
    nouns = nounness(held.values())
    themes: list[Theme] = []
    rest: list[int] = []
    used: set[str] = set()
    for n in range(count):
        members = [int(p) for p in np.flatnonzero(labels == n)]
        others = [held[int(p)] for m in range(count) if m != n for p in places[m]]
        names = _names([held[int(p)] for p in places[n]], others, used, idf, nouns)
        if not names or (len(members) < 2 and count > 1):
            rest += members
            continue
        used.update(terms(names[0]))
        centre = vectors[members].mean(axis=0)
        members.sort(key=lambda p: -float(vectors[p] @ centre))
        themes.append(Theme(_capitalised(names[0]), members, names[:6]))
    if rest:
        themes.append(Theme(OTHER if themes else "All papers", rest, []))
    return themes


@dataclass
class PhrasesOf:
    """A paper: its phrases, the stems of its title and of each of its sentences."""

    phrases: dict[tuple[str, ...], str]
    title: frozenset[str]
    body: list[frozenset[str]]
    ends: Counter[str]
    stands: Counter[str]

    @classmethod
    def of(cls, title: str, text: str) -> PhrasesOf:
        """Of a paper's title and abstract."""
        ends: Counter[str] = Counter()
        stands: Counter[str] = Counter()
        for run, after in runs_of(f"{title}. {text}"):
            stems = [t for w in run for t in terms(w)[-1:]]
            stands.update(stems)
            if after not in _LEADS:
                ends.update(stems[-1:])
        body = [frozenset(terms(part)) for part in _SENTENCE.split(text)]
        return cls(phrases_of(title, text), frozenset(terms(title)), body, ends, stands)

    def tells(self, key: Collection[str]) -> bool:
        """Whether one sentence holds all of these stems."""
        return any(part.issuperset(key) for part in self.body)

    def about(self, key: Collection[str]) -> bool:
        """Whether the title, or more than one sentence, holds all of these stems."""
        return self.title.issuperset(key) or sum(part.issuperset(key) for part in self.body) > 1

    def holds(self, key: Collection[str]) -> bool:
        """Whether one sentence, or the title, holds all of these stems."""
        return self.title.issuperset(key) or self.tells(key)


def nounness(papers: Iterable[PhrasesOf]) -> Callable[[str], float]:
    """How often a stem ends a phrase, of all the times it stands in one: adjectives seldom do,
    and a verb is followed by an article.
    """
    ends: Counter[str] = Counter()
    stands: Counter[str] = Counter()
    for paper in papers:
        ends.update(paper.ends)
        stands.update(paper.stands)
    return lambda stem: (ends[stem] + 0.5) / (stands[stem] + 1.0)


def _names(
    inside: Sequence[PhrasesOf],
    outside: Sequence[PhrasesOf],
    used: set[str],
    idf: Callable[[str], float],
    nouns: Callable[[str], float],
) -> list[str]:
    """Phrases that a majority inside holds and few outside do, the most telling first.

    A paper holds a phrase whose words stand in one of its sentences. A phrase counts by how far
    it stands out, by how many titles hold it, and by the idf of its words; a word alone must be
    rarer, and a noun.
    """
    forms: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for paper in inside:
        for key, form in paper.phrases.items():
            forms[key][form] += 1
    scored: list[tuple[float, tuple[str, ...]]] = []
    for key, written in forms.items():
        rarest = max(map(idf, key))
        if (
            written.total() < min(len(inside), max(2, _WRITTEN * len(inside)))
            or set(key) & used
            or rarest < _COMMON
        ):
            continue
        if nouns(key[-1]) < NOUN or (len(key) == 1 and rarest < _RARE):
            continue
        share = sum(paper.holds(key) for paper in inside) / len(inside)
        # what stands in titles only, such as "letter" or "editorial", is no subject
        told = sum(paper.tells(key) for paper in inside) / len(inside)
        if min(share, told) <= _MAJORITY:
            continue
        beyond = sum(paper.holds(key) for paper in outside) / len(outside) if outside else 0.0
        in_titles = sum(paper.title.issuperset(key) for paper in inside) / len(inside)
        if share - beyond > _CONTRAST and in_titles > (_TITLED if len(key) == 1 else 0.0):
            weight = sum(min(idf(stem), _CAP) for stem in key) ** 0.5
            scored.append(((share - beyond) * (0.3 + in_titles) * weight, key))
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return [forms[key].most_common(1)[0][0] for _, key in scored]


def runs_of(text: str) -> Iterator[tuple[list[str], str]]:
    """Words that follow each other without a stop word or a mark between; what comes then."""
    run: list[str] = []
    for word in [*_WORD.findall(text), "."]:
        low = word.casefold()
        if low not in STOP_WORDS and len(low) > 1 and not low.isdigit():
            run.append(word)
        elif run:
            yield run, low
            run = []


def phrase(words: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The stems of a phrase and how it is written; none where it names nothing."""
    key = tuple(t for w in words for t in terms(w))
    if not key or len(set(key)) < len(key):
        return (), ""
    if _NO_NOUN.search(words[-1]) or words[0].endswith("ly"):
        return (), ""
    return key, " ".join(w if re.search(r"[A-Z\d]", w[1:]) else w.casefold() for w in words)


def phrases_of(title: str, text: str) -> dict[tuple[str, ...], str]:
    """Stems of each phrase of up to three words → how it is written here."""
    found: dict[tuple[str, ...], str] = {}
    for run, _ in runs_of(f"{title}. {text}"):
        for start in range(len(run)):
            for end in range(start + 1, min(len(run), start + _LONGEST) + 1):
                key, form = phrase(run[start:end])
                if key:
                    found.setdefault(key, form)
    return found


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
