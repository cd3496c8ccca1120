"""Does an abstract support a sentence? A local check, a few milliseconds, without a model call.

A sentence is compared with the sentences of the abstract: by the cosine of their vectors, by
the terms that they share (weighted by idf), and by the particulars that must agree exactly:
numbers with their units, names, directions, negation. A logistic model makes one score of
these. Its coefficients are fitted by

    python -m eval.checker --fit

on pairs made from real abstracts, and reported on papers that it was not fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.answering.particulars import (
    Direction,
    Number,
    Particulars,
    acronym_of,
    bare_name,
)
from assistant.results import Support
from assistant.text import terms, words

if TYPE_CHECKING:
    from assistant.embedding import Embedder

__all__ = ["FEATURES", "Source", "SupportChecker", "Verdict"]

Floats = NDArray[np.float32]

FEATURES = (
    "cosine",  # of the nearest sentence of the abstract
    "cosine_two",  # of the nearest two, mean
    "cosine_mean",  # to the middle of the abstract
    "terms_sentence",  # share of the sentence's terms (by idf) in the best sentence
    "terms_abstract",  # … in the whole abstract and title
    "copied",  # share of its word pairs in the best sentence
    "number_missing",  # 1 if a number in digits is not in the abstract
    "numbers_missing",  # share of them
    "numbers_found",  # 1 if it has numbers and all are there
    "number_context",  # how much the surroundings of its numbers agree; 1 without numbers
    "spelled_missing",  # 1 if a number in words is not in the abstract
    "name_missing",
    "names_missing",
    "names_found",
    "direction_against",  # the abstract says the opposite in the same surroundings
    "direction_new",  # share of its directions that the abstract does not have
    "direction_new_in_copy",  # … in a sentence that is a copy otherwise
    "negation_added",
    "negation_lost",
    "against_in_copy",
    "negated_copy",
    "negation_lost_in_copy",
    "words_new_in_copy",  # words that the abstract does not have, in a copy otherwise
)
# fitted by "python -m eval.checker --fit"; in the order of FEATURES
INTERCEPT = -5.258
COEFFICIENTS = np.array(
    [3.806, -0.505, -0.638, 2.57, 1.907, -2.564, -2.746, -2.941,
     0.623, 3.095, -1.996, -3.116, -3.339, -0.033, -3.016, -0.877,
     1.902, -0.586, -0.19, -7.278, -6.197, -3.524, -3.226]
)  # fmt: skip
SUPPORTED, PARTIAL = 0.5, 0.2
"""Scores from which a sentence counts as supported, or in part."""

DIFFERS = "not in the abstract"
OPPOSITE = "the abstract seems to say the opposite"
_THE_SAME = 0.8
"""Share of terms, each way, from which two sentences say the same but for a negation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a paper supports a sentence: ``score`` in [0, 1], the best ``quote``, and why."""

    support: Support
    score: float
    quote: str
    why: str


@dataclass(frozen=True)
class Source:
    """A paper to be checked against: the sentences of its abstract, their unit vectors
    (sentences, dimension) or None to have them embedded, and its title.
    """

    sentences: Sequence[str]
    vectors: Floats | None = None
    title: str = ""

    @cached_property
    def read(self) -> _Read:
        """What is compared with a sentence; made once."""
        return _Read(self.sentences, self.title)


class _Read:
    """An abstract as the checker compares it."""

    def __init__(self, sentences: Sequence[str], title: str) -> None:
        texts = [title, *sentences]
        whole = " ".join(texts)
        self.sentence_terms = [frozenset(terms(s)) for s in sentences]
        self.pairs = [frozenset(pairwise(words(s))) for s in sentences]
        self.terms = frozenset(terms(whole))
        self.words = frozenset(words(whole))
        self.particulars = [_particulars(text) for text in texts]
        self.numbers = [n for p in self.particulars for n in p.numbers]
        self.contexts = [c for p in self.particulars for c in p.contexts]
        self.directions = [d for p in self.particulars for d in p.directions]
        self.tokens = frozenset(bare_name(t) for text in texts for t in _tokens(text))
        self.names = frozenset(bare_name(name) for p in self.particulars for name in p.names)
        self.squeezed = "".join(c for c in whole.casefold() if c.isalnum())
        self.initials = acronym_of(whole)

    def has_name(self, name: str) -> bool:
        """Whether the abstract names it: as a word, joined or cut otherwise, or spelled out."""
        bare = bare_name(name)
        if bare in self.tokens or bare in self.names or (len(bare) >= 4 and bare in self.squeezed):
            return True
        parts = [bare_name(part) for part in name.replace("–", "-").replace("/", "-").split("-")]
        if len(parts) > 1 and all(p in self.tokens or p.isdigit() for p in parts if p):
            return True
        letters = name.rstrip("s")
        return letters.isupper() and len(letters) >= 2 and letters.casefold() in self.initials


@lru_cache(maxsize=4096)
def _particulars(text: str) -> Particulars:
    return Particulars.of(text)


def _tokens(text: str) -> list[str]:
    return [t for word in text.split() for t in (word, *word.replace("/", "-").split("-"))]


class SupportChecker:
    """Checks sentences against abstracts. Safe in several threads at once.

    Args:
        embedder: embeds the sentence (and abstracts whose vectors are not given).
        idf: the weight of a (stemmed) term, as `SearchIndex.idf` gives it.
    """

    def __init__(self, embedder: Embedder, idf: Callable[[str], float]) -> None:
        self._embedder = embedder
        self._idf = lru_cache(maxsize=50_000)(idf)

    def check(
        self,
        sentence: str,
        paper_sentences: Sequence[str],
        vectors: Floats | None = None,
        title: str = "",
    ) -> Verdict:
        """The verdict on ``sentence`` against one paper.

        ``vectors``: (sentences, dimension) unit vectors of ``paper_sentences``, if at hand.
        """
        return self.check_sources(sentence, [Source(tuple(paper_sentences), vectors, title)])[0]

    def check_sources(self, sentence: str, sources: Sequence[Source]) -> list[Verdict]:
        """The verdict on ``sentence`` against each paper; the sentence is embedded once."""
        vector = self._embedder.embed_query(sentence)
        said = _particulars(sentence)
        return [self._verdict(sentence, said, vector, source) for source in sources]

    def check_joined(self, sentence: str, sources: Sequence[Source]) -> Verdict:
        """The verdict on ``sentence`` against all papers as if they were one."""
        vectors = [self._vectors(source) for source in sources]
        joined = Source(
            tuple(s for source in sources for s in source.sentences),
            np.concatenate(vectors) if vectors else None,
            " ".join(source.title for source in sources),
        )
        return self.check_sources(sentence, [joined])[0]

    def features(self, sentence: str, vector: Floats, source: Source) -> Floats:
        """(len(FEATURES),) what the logistic model is given; ``vector`` is the sentence's."""
        return self._compare(sentence, _particulars(sentence), vector, source)[0]

    # ------------------------------------------------------------------ inside

    def _vectors(self, source: Source) -> Floats:
        if source.vectors is not None:
            return source.vectors
        return self._embedder.embed(list(source.sentences))

    def _verdict(self, sentence: str, said: Particulars, vector: Floats, source: Source) -> Verdict:
        features, best = self._compare(sentence, said, vector, source)
        score = float(1 / (1 + math.exp(-(INTERCEPT + float(COEFFICIENTS @ features)))))
        quote = source.sentences[best] if source.sentences else source.title
        differs = _differences(said, source.read) or self._denied(sentence, said, source, best)
        if differs:
            score = min(score, SUPPORTED - 0.01)
        support: Support = (
            "supported" if score >= SUPPORTED else "partial" if score >= PARTIAL else "unsupported"
        )
        return Verdict(support, score, quote, differs or _reason(features, support))

    def _denied(self, sentence: str, said: Particulars, source: Source, best: int) -> str:
        """Whether the best sentence says the same with a "not" more or less; in words."""
        if not source.sentences or _particulars(source.sentences[best]).negated == said.negated:
            return ""
        bag, held = frozenset(terms(sentence)), source.read.sentence_terms[best]
        alike = min(self._share(bag, held), self._share(held, bag)) >= _THE_SAME
        return OPPOSITE if alike else ""

    def _compare(
        self, sentence: str, said: Particulars, vector: Floats, source: Source
    ) -> tuple[Floats, int]:
        """The features, and the place of the best sentence of the abstract."""
        read, bag = source.read, frozenset(terms(sentence))
        vectors = (
            self._vectors(source)
            if source.sentences
            else self._embedder.embed([source.title])  # nothing but a title
        )
        cosines = vectors @ vector
        shared = np.array([self._share(bag, held) for held in read.sentence_terms] or [0.0])
        closeness = cosines + 0.5 * shared
        best = int(np.argmax(closeness))
        order = np.argsort(-closeness)[:3]
        two = float(np.mean(np.sort(cosines)[-2:]))
        pairs = frozenset(pairwise(words(sentence)))
        copied = max((len(pairs & held) for held in read.pairs), default=0) / max(1, len(pairs))
        directions = self._direction_features(said, read, copied)
        negations = _negation_features(said, read, [int(i) for i in order])
        new = sum(word not in read.words for word in words(sentence))
        values = [
            float(cosines.max()),
            two,
            _middle(vectors, vector),
            float(shared.max()),
            self._share(bag, read.terms),
            copied,
            *self._number_features(said, read),
            *_name_features(said, read),
            *directions,
            *negations,
            directions[0] * copied,
            negations[0] * copied,
            negations[1] * copied,
            min(new, 3) / 3 * max(0.0, 2 * copied - 1),
        ]
        return np.array(values, dtype=np.float32), best

    def _share(self, wanted: frozenset[str], held: frozenset[str]) -> float:
        """The part of ``wanted``, weighted by idf, that is in ``held``; 0 of nothing."""
        total = sum(self._idf(term) for term in wanted)
        return sum(self._idf(term) for term in wanted & held) / total if total else 0.0

    def _number_features(self, said: Particulars, read: _Read) -> list[float]:
        digits = [n for n in said.numbers if not n.spelled]
        missing = [n for n in digits if not _has_number(n, read)]
        spelled = any(n.spelled and not _has_number(n, read) for n in said.numbers)
        agreement = 1.0
        for number, context in zip(said.numbers, said.contexts, strict=True):
            around = [
                self._share(context, held)
                for other, held in zip(read.numbers, read.contexts, strict=True)
                if number.agrees(other)
            ]
            if around and not number.spelled:
                agreement = min(agreement, max(around))
        return [
            float(bool(missing)),
            len(missing) / max(1, len(digits)),
            float(bool(digits) and not missing),
            agreement,
            float(spelled),
        ]

    def _direction_features(self, said: Particulars, read: _Read, copied: float) -> list[float]:
        against, new = 0.0, 0
        for direction in said.directions:
            same = self._nearest(direction, read, up=direction.up)
            other = self._nearest(direction, read, up=not direction.up)
            against = max(against, other - max(same, 0.0))
            new += same < 0
        share = new / max(1, len(said.directions))
        return [against, share, float(new > 0) * copied]

    def _nearest(self, direction: Direction, read: _Read, *, up: bool) -> float:
        """How much of a direction's surroundings the abstract has around its own; -1: none."""
        return max(
            (
                self._share(direction.context, held.context)
                for held in read.directions
                if held.axis == direction.axis and held.up == up
            ),
            default=-1.0,
        )


def _middle(vectors: Floats, vector: Floats) -> float:
    """Cosine of ``vector`` to the mean of ``vectors``."""
    mean = vectors.mean(axis=0)
    return float(mean @ vector / max(1e-6, float(np.linalg.norm(mean))))


def _has_number(number: Number, read: _Read) -> bool:
    return any(number.agrees(other) for other in read.numbers)


def _name_features(said: Particulars, read: _Read) -> list[float]:
    missing = [name for name in said.names if not read.has_name(name)]
    return [
        float(bool(missing)),
        len(missing) / max(1, len(said.names)),
        float(bool(said.names) and not missing),
    ]


def _negation_features(said: Particulars, read: _Read, nearest: Sequence[int]) -> list[float]:
    """``nearest``: places of the nearest sentences; particulars begin with the title's."""
    held = [read.particulars[i + 1].negated for i in nearest if i + 1 < len(read.particulars)]
    if not held:
        return [float(said.negated), 0.0]
    return [float(said.negated and not any(held)), float(held[0] and not said.negated)]


def _differences(said: Particulars, read: _Read) -> str:
    """The number or name that the abstract does not have, in words; empty if there is none."""
    missing = [n.shown for n in said.numbers if not n.spelled and not _has_number(n, read)]
    missing += [name for name in said.names if not read.has_name(name)]
    return f"{DIFFERS}: {', '.join(missing[:3])}" if missing else ""


def _reason(features: Floats, support: str) -> str:
    named = dict(zip(FEATURES, map(float, features), strict=True))
    if support != "supported" and (named["direction_against"] > 0.2 or named["negation_added"]):
        return OPPOSITE
    if named["copied"] > 0.6:
        return "nearly the abstract's words"
    if support == "supported":
        return "the same in other words"
    return "only some of it is in the abstract" if support == "partial" else "little in common"
