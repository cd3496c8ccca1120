"""Which number belongs to which thing, and who does what to whom.

Two sentences may hold the same words and numbers and say different things: "95% faster and 92%
leaner" is not "92% faster and 95% leaner", and "from A to B" is not "from B to A". Around each
number (or word) stands its company: the content words near it, which count less the farther
they are, and less beyond a comma, an "and", a "whereas". Something is swapped where the company
that it keeps in a claim is kept, in the abstract, by another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from assistant.answering.particulars import Number
from assistant.text import terms, words

__all__ = ["Company", "Held", "crossed_words", "number_company", "swapped_numbers"]

Idf = Callable[[str], float]
Company = Mapping[str, float]
"""Stem → how near it stands, in (0, 1]."""

_TOKEN = re.compile(r"[^\W_]+(?:[.,]\d+)*|[,;:()–—|]")
_REACH = 4.0
"""Words after which the company of a number has fallen to 1/e."""
_PAST_A_NUMBER = 0.45
_BARRIERS = {
    ",": 0.5, ";": 0.3, ":": 0.5, "(": 0.6, ")": 0.6, "–": 0.5, "—": 0.4, "|": 0.3, "and": 0.55,
    "while": 0.3, "whereas": 0.3, "but": 0.3, "against": 0.4, "versus": 0.4, "vs": 0.4,
    "when": 0.6, "where": 0.6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


def _tokens(text: str) -> list[_Token]:
    return [_Token(f.group(), f.start(), f.end()) for f in _TOKEN.finditer(text)]


def number_company(text: str, numbers: Sequence[Number]) -> list[Company]:
    """What each number of ``text`` stands beside."""
    tokens = _tokens(text)
    spans = [(n.at, n.at + len(n.shown)) for n in numbers]
    found: list[Company] = []
    for start, end in spans:
        company: dict[str, float] = {}
        after = [t for t in tokens if t.start >= end]
        before = [t for t in reversed(tokens) if t.end <= start]
        for side, most in ((after, 1.0), (before, 0.9)):
            _gather(company, side, spans, most)
        found.append(company)
    return found


def _gather(
    company: dict[str, float],
    side: Sequence[_Token],
    numbers: Sequence[tuple[int, int]],
    weight: float,
) -> None:
    away = 0
    for token in side:
        barrier = _BARRIERS.get(token.text.casefold())
        if barrier is not None:
            weight *= barrier
        elif any(start <= token.start < end for start, end in numbers):
            weight *= _PAST_A_NUMBER
            away += 1
        else:
            for stem in terms(token.text):
                near = weight * math.exp(-away / _REACH)
                company[stem] = max(company.get(stem, 0.0), near)
            away += 1


def _alike(one: Company, other: Company, idf: Idf) -> float:
    """In [0, 1]: how much two companies have in common."""
    shared = sum(idf(t) * min(weight, other[t]) for t, weight in one.items() if t in other)
    sizes = [sum(idf(t) * w for t, w in company.items()) for company in (one, other)]
    return shared / math.sqrt(sizes[0] * sizes[1]) if min(sizes) > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """A number of an abstract, its company, and the sentence that it stands in."""

    number: Number
    company: Company
    sentence: int


def swapped_numbers(
    numbers: Sequence[Number], companies: Sequence[Company], held: Sequence[Held], idf: Idf
) -> tuple[float, float]:
    """How much better another number of the abstract fits where a number of the claim stands.

    Returns:
        the most that one number's company is another number's, and the same for two numbers of
        one sentence that would have to change places; each in [-1, 1], -1 where there is none.
    """
    moved, crossed = -1.0, -1.0
    likeness = [[_alike(c, h.company, idf) for h in held] for c in companies]
    for n, number in enumerate(numbers):
        own = [likeness[n][i] for i, h in enumerate(held) if number.agrees(h.number)]
        other = [
            likeness[n][i]
            for i, h in enumerate(held)
            if h.number.unit == number.unit and not number.agrees(h.number)
        ]
        if own and other:
            moved = max(moved, max(other) - max(own))
    for n, m in combinations(range(len(numbers)), 2):
        if numbers[n].unit == numbers[m].unit:
            crossed = max(crossed, _crossing(numbers, n, m, held, likeness))
    return moved, crossed


def _crossing(
    numbers: Sequence[Number],
    n: int,
    m: int,
    held: Sequence[Held],
    likeness: Sequence[Sequence[float]],
) -> float:
    most = -1.0
    for i, one in enumerate(held):
        if not numbers[n].agrees(one.number):
            continue
        for j, two in enumerate(held):
            if one.sentence != two.sentence or i == j or not numbers[m].agrees(two.number):
                continue
            if numbers[n].agrees(two.number):
                continue
            straight = likeness[n][i] + likeness[m][j]
            most = max(most, (likeness[n][j] + likeness[m][i] - straight) / 2)
    return most


_SIDE_WORDS = 3
_PAIRED = 16
"""Shared words whose places are compared, the rarest."""
_FUNCTION = frozenset(
    "from to than over by of into with against before after between instead rather for in on at "
    "under above below if when because".split()
)


def crossed_words(claim: str, sentence: str, idf: Idf) -> float:
    """How much better two shared words of a claim fit into ``sentence`` with places changed.

    In [-1, 1]; 0 where nothing is shared. A word's company here is what stands at its left and
    at its right, small words such as "from" and "than" included.
    """
    mine, theirs = _sides(claim), _sides(sentence)
    shared = sorted(set(mine) & set(theirs), key=lambda stem: -idf(stem))[:_PAIRED]
    if len(shared) < 2:
        return 0.0
    likeness = {(a, b): _alike(mine[a], theirs[b], lambda _: 1.0) for a in shared for b in shared}
    return max(
        (likeness[a, b] + likeness[b, a] - likeness[a, a] - likeness[b, b]) / 2
        for a, b in combinations(shared, 2)
    )


def _sides(text: str) -> dict[str, Company]:
    """Content stem → the stems and small words near it, marked by the side."""
    listed = words(text)
    stems = [(terms(word) or [word if word in _FUNCTION else ""])[0] for word in listed]
    content = [bool(terms(word)) for word in listed]
    found: dict[str, Company] = {}
    for at, stem in enumerate(stems):
        if not content[at] or stem in found:
            continue
        company: dict[str, float] = {}
        for step in range(1, _SIDE_WORDS + 1):
            for side, place in (("<", at - step), (">", at + step)):
                if 0 <= place < len(stems) and stems[place]:
                    company.setdefault(side + stems[place], 1.0 / step)
        found[stem] = company
    return found
