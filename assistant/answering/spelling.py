"""Words of a question that no abstract holds, and what they may have been meant to be.

The vocabulary is the library's own, so that the terms of its field are known, whatever the field
is. A correction is always said; the same word as the other English spells it is none.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

from assistant.paper import Paper
from assistant.retrieved import Statistics
from assistant.text import STOP_WORDS, plain_letters, terms

__all__ = [
    "Correction", "Vocabulary", "as_held", "base_forms", "corrections", "missing_words",
    "with_corrections",
]  # fmt: skip

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_PIECE = re.compile(r"[^\W\d_]+")
_SHORTEST = 5
"""Letters from which a word is corrected; shorter ones have too many neighbours."""
_TWO_FROM = 8
"""Letters from which two slips are mended."""
_COMMON = 2
"""Papers that must hold the word that was meant."""
_LONG_ENOUGH, _COGNATE, _SAME_BEGINNING = 6, 0.78, 0.05
"""Letters, and how alike two words must be, to be the same word in two languages."""
_SAME_SOUND = {"c": "ck", "k": "kc", "f": "fp", "z": "zc"}
_OF_RE = r"\b((?:fib|cent|lit|theat|calib|lust|spect|mit|och|goit|tit)|(?:\w*met))"
_OF_OUR = (
    r"\b((?:mis)?behavi|(?:dis)?col|tum|vap|od|harb|lab|neighb|fav|flav|hum|rum|vig|arm|hon|endeav"
    r"|rig|sav)"
)
_BRITISH_AMERICAN = tuple(
    (re.compile(rf"{before}{one}{after}"), rf"\g<1>{other}\g<2>")
    for before, british, american, after in (
        (_OF_RE, "re", "er", r"(s?)\b"),
        (_OF_OUR, "our", "or", r"(\w*)\b"),
        (r"\b(\w{3,})", "is", "iz", r"((?:e[ds]?|ing|ers?|ations?|able)\b)"),
        (r"\b(\w{3,})", "ys", "yz", r"((?:e[ds]?|ing|ers?)\b)"),
        (r"\b(\w*)", "aem", "em", r"(i[ac]s?\b|[ao]\w{3,})"),
        (r"\b(an)", "aesth", "esth", r"(\w+)"),
        (r"\b(p|orthop)", "aed", "ed", r"(i\w+)"),
        (r"\b(gyn|arch)", "ae", "e", r"([co]\w+)"),
        (r"\b()", "oe", "e", r"((?:strog|soph|dem)\w+)"),
        (r"\b(f)", "oet", "et", r"(us\w*|al)\b"),
        (r"\b(diarrh)", "oea", "ea", r"(\w?)\b"),
        (r"\b(catal|dial|anal|monol)", "ogue", "og", r"(s?)\b"),
        (r"\b(def|off|lic|pret)", "ence", "ense", r"(s?)\b"),
    )
    for one, other in ((british, american), (american, british))
)
"""A word of one English, and what it is in the other: "fibre" and "fiber"; none but these."""
_MOST_PAPERS = 20_000
"""Papers whose words are collected; more add hardly a word that is worth offering."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A word of the question and the word of the library that it may have been meant to be."""

    word: str
    meant: str


class Vocabulary:
    """The words of a library's papers, in how many papers each stands.

    Collected when they are first wanted. Safe in several threads.
    """

    def __init__(self, papers: Callable[[], Iterable[Paper]]) -> None:
        self._papers = papers
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._by_start: dict[tuple[str, int], list[str]] = defaultdict(list)

    def frequency(self, word: str) -> int:
        """Number of papers with ``word``."""
        return self._words()[word.casefold()]

    def nearest(self, word: str) -> str | None:
        """The commonest word of the library that is a slip or two away from ``word``."""
        word = word.casefold()
        if len(word) < _SHORTEST:
            return None
        counts, slips = self._words(), 2 if len(word) >= _TWO_FROM else 1
        found: list[tuple[int, int, str]] = []
        for length in range(len(word) - slips, len(word) + slips + 1):
            for other in self._by_start.get((word[0], length), ()):
                if counts[other] >= _COMMON:
                    distance = _slips(word, other, slips)
                    if distance <= slips:
                        found.append((distance, -counts[other], other))
        return min(found)[2] if found else None

    def cognate(self, word: str) -> str | None:
        """The word of the library that is ``word`` in another language, where that is sure.

        The same word, or one that shares most of its letters in order, and those it begins with.
        """
        word = plain_letters(word.casefold())
        counts = self._words()
        if counts[word] or any(letter.isdigit() for letter in word):
            return word
        if len(word) < _LONG_ENOUGH:
            return None
        word = word.replace("k", "c")
        near = [
            (_alike(word, other), counts[other], other)
            for length in range(len(word) - 3, len(word) + 4)
            for start in _SAME_SOUND.get(word[0], word[0])
            for other in self._by_start.get((start, length), ())
            if counts[other] >= _COMMON
        ]
        like = [(round(alike, 1), held, other) for alike, held, other in near if alike >= _COGNATE]
        return max(like)[2] if like else None

    def _words(self) -> Counter[str]:
        with self._lock:
            if not self._counts:
                for paper in islice(self._papers(), _MOST_PAPERS):
                    text = f"{paper.title} {paper.abstract}".casefold()
                    self._counts.update(set(_PIECE.findall(text)))
                for word in self._counts:
                    self._by_start[word[0], len(word)].append(word)
            return self._counts


def _alike(one: str, other: str) -> float:
    """Share of letters in the same order, a little more where four at the beginning agree."""
    matcher = SequenceMatcher(None, one, other)
    if matcher.quick_ratio() < _COGNATE - _SAME_BEGINNING:
        return 0.0
    return matcher.ratio() + _SAME_BEGINNING * (one[:4] == other[:4])


def missing_words(question: str, statistics: Statistics) -> list[str]:
    """The content words of ``question`` that stand in no paper, as they were written."""
    missing: list[str] = []
    for word in _WORD.findall(question):
        stems = terms(word)
        if stems and not all(statistics.document_frequency(stem) for stem in stems):
            missing.append(word)
    return list(dict.fromkeys(missing))


def as_held(text: str, statistics: Statistics) -> str:
    """``text`` spelled as the library does, where that is British and this American, or where
    only the spacing of a name is another.

    "cifar10" is "cifar-10" where no paper has the one word and papers have both of the other.
    """

    def held(word: str) -> bool:
        return all(statistics.document_frequency(stem) > 0 for stem in terms(word))

    def apart(found: re.Match[str]) -> str:
        pieces = re.findall(r"[^\W\d_]+|\d+", found[0])
        return found[0] if held(found[0]) or not held(" ".join(pieces)) else "-".join(pieces)

    def joined(found: re.Match[str]) -> str:
        one = found[1] + found[2]
        return found[0] if held(found[0]) or not held(one) else one

    def elsewhere(found: re.Match[str]) -> str:
        word = found[0]
        if not terms(word) or held(word):
            return word
        others = (form.sub(other, word) for form, other in _BRITISH_AMERICAN)
        return next((other for other in others if other != word and held(other)), word)

    text = re.sub(r"\b[a-z]{4,}\b", elsewhere, text)
    text = re.sub(r"\b[^\W\d_]{2,}\d+\b", apart, text)
    return re.sub(r"\b([^\W\d_]{2,})[\s-](\d+)\b", joined, text)


_ENDINGS = ("ings", "ing", "ied", "ies", "ers", "er", "ed", "es", "s", "ly")


def base_forms(word: str) -> list[str]:
    """What ``word`` may be a form of: "tricking" of "trick", "baked" of "bake", "plotted" of
    "plot".
    """
    found: list[str] = []
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            found += [stem, f"{stem}e", f"{stem}y"]
            found += [stem[:-1]] if stem[-1] == stem[-2] else []
    return list(dict.fromkeys(found))


def corrections(missing: Sequence[str], vocabulary: Vocabulary) -> list[Correction]:
    """What ``missing`` words may have been meant to be, where the library has a word for it."""
    found: list[Correction] = []
    for word in missing:
        if not word.isalpha() or word.casefold() in STOP_WORDS or word[1:] != word[1:].lower():
            continue  # a name or a formula is not misspelt
        meant = vocabulary.nearest(word)
        if meant is not None:
            found.append(Correction(word, meant))
    return found


def with_corrections(question: str, made: Iterable[Correction]) -> str:
    """``question`` with the words that were meant."""
    for correction in made:
        question = re.sub(rf"\b{re.escape(correction.word)}\b", correction.meant, question)
    return question


def _slips(one: str, other: str, most: int) -> int:
    """Letters to insert, drop, change or swap with their neighbour; ``most`` + 1 if more."""
    previous2: list[int] = []
    previous = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, previous2[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        previous2, previous = previous, row
    return previous[-1]
