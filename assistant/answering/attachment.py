"""Which number belongs to which thing, who does what to whom, and which is more than which.

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

from assistant.answering.particulars import SMALL_AXES, Direction, Number
from assistant.text import terms

__all__ = [
    "Company",
    "Held",
    "Turn",
    "crossed_words",
    "number_company",
    "swapped_numbers",
    "turned_round",
    "turns",
    "word_company",
]

Idf = Callable[[str], float]
Company = Mapping[str, float]
"""Stem → how near it stands, in (0, 1]."""

_TOKEN = re.compile(r"[^\W_]+(?:[.,]\d+)*|[,;:()–—|.]")
_REACH = 4.0
"""Words after which the company of a word has fallen to 1/e."""
_PAST_A_NUMBER = 0.45
_BARRIERS = {
    ",": 0.5, ";": 0.3, ":": 0.5, "(": 0.6, ")": 0.6, "–": 0.5, "—": 0.4, "|": 0.3, ".": 0.2,
    "and": 0.55, "while": 0.3, "whereas": 0.3, "but": 0.3, "although": 0.3, "against": 0.4,
    "versus": 0.4, "vs": 0.4, "than": 0.4, "compared": 0.4, "unlike": 0.3, "instead": 0.4,
    "rather": 0.4, "when": 0.6, "where": 0.6, "not": 0.8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    stem: str
    weight: float
    """By which what stands beyond it counts less."""


def _tokens(text: str, numbers: Sequence[Number]) -> list[_Token]:
    spans = [(n.at, n.at + len(n.shown)) for n in numbers]
    found = []
    for token in _TOKEN.finditer(text):
        start, end, word = *token.span(), token.group()
        stem = (terms(word) or [""])[0]
        weight = _BARRIERS.get(word.casefold(), 1.0)
        if any(a <= start < b for a, b in spans):
            stem, weight = "", _PAST_A_NUMBER
        found.append(_Token(start, end, stem, weight))
    return found


def number_company(text: str, numbers: Sequence[Number]) -> list[Company]:
    """What each number of ``text`` stands beside."""
    tokens = _tokens(text, numbers)
    return [_company(tokens, n.at, n.at + len(n.shown)) for n in numbers]


def word_company(text: str) -> dict[str, list[Company]]:
    """What each content word of ``text`` stands beside, wherever it occurs, by its stem."""
    tokens = _tokens(text, ())
    found: dict[str, list[Company]] = {}
    for token in tokens:
        if token.stem:
            found.setdefault(token.stem, []).append(_company(tokens, token.start, token.end))
    return found


def _company(tokens: Sequence[_Token], start: int, end: int) -> Company:
    company: dict[str, float] = {}
    after = [t for t in tokens if t.start >= end]
    before = [t for t in reversed(tokens) if t.end <= start]
    for side, most in ((after, 1.0), (before, 0.9)):
        weight, away = most, 0
        for token in side:
            weight *= token.weight
            if token.stem:
                near = weight * math.exp(-away / _REACH)
                company[token.stem] = max(company.get(token.stem, 0.0), near)
            away += token.end - token.start > 1 or bool(token.stem)
    return company


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
        the most that one number's company is another number's, and the same for two numbers that
        would have to change places; each in [-1, 1], -1 where there is none.
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
    """How much better two numbers of the claim would fit with places changed; each is compared
    where it fits best. -1 where the abstract does not have both.
    """
    one = {i for i, h in enumerate(held) if numbers[n].agrees(h.number)}
    two = {i for i, h in enumerate(held) if numbers[m].agrees(h.number)}
    ones, twos = one - two, two - one
    if not ones or not twos:
        return -1.0

    def best(mine: int, theirs: set[int]) -> float:
        return max(likeness[mine][i] for i in theirs)

    return (best(n, twos) + best(m, ones) - best(n, ones) - best(m, twos)) / 2


_PAIRED = 16
"""Shared words whose places are compared, the rarest."""


def crossed_words(
    claim: Mapping[str, Sequence[Company]], held: Mapping[str, Sequence[Company]], idf: Idf
) -> float:
    """How much better two words of a claim would fit into an abstract with places changed.

    Of both the words (`word_company`) are given; in [-1, 1], 0 where fewer than two are shared.
    """
    shared = sorted(claim.keys() & held.keys(), key=lambda stem: (-idf(stem), stem))[:_PAIRED]

    def likeness(mine: str, theirs: str) -> float:
        return max(
            _alike(_less(one, mine, theirs), _less(other, mine, theirs), idf)
            for one in claim[mine]
            for other in held[theirs]
        )

    alike = {(a, b): likeness(a, b) for a in shared for b in shared}
    return max(
        (
            (alike[a, b] + alike[b, a] - alike[a, a] - alike[b, b]) / 2
            for a, b in combinations(shared, 2)
        ),
        default=0.0,
    )


def _less(company: Company, *stems: str) -> Company:
    return {stem: near for stem, near in company.items() if stem not in stems}


@dataclass(frozen=True, slots=True)
class Turn:
    """A word that turns a statement one way ("higher", "improves"), in its surroundings.

    ``up`` is its side of the axis, the other one where it is negated. ``left``, ``right``: the
    stems on both sides of its "than" or "compared with", if it has one.
    """

    axis: int
    up: bool
    company: Company
    left: frozenset[str]
    right: frozenset[str]


_PIVOT = re.compile(r"\b(?:than|compared|versus|vs|against|relative|over|unlike)\b", re.IGNORECASE)
_PIVOT_WITHIN, _ARGUMENT = 9, 12
"""Tokens after a comparing word in which its "than" stands, and tokens of what is compared."""


def turns(text: str, directions: Sequence[Direction]) -> list[Turn]:
    """The directions of ``text`` with what they are said of."""
    tokens = _tokens(text, ())
    pivots = {found.start() for found in _PIVOT.finditer(text)}
    found = []
    for direction in directions:
        if direction.axis in SMALL_AXES:
            continue
        end = direction.at + len(direction.shown)
        after = [n for n, t in enumerate(tokens) if t.start >= end][:_PIVOT_WITHIN]
        pivot = next((n for n in after if tokens[n].start in pivots), None)
        left: frozenset[str] = frozenset()
        right = left
        if pivot is not None:
            left = _stems(tokens[max(0, after[0] - 1 - _ARGUMENT) : pivot])
            right = _stems(tokens[pivot + 1 : pivot + 1 + _ARGUMENT])
            left, right = left - right, right - left
        up = direction.up != direction.denied
        company = _company(tokens, direction.at, end)
        found.append(Turn(direction.axis, up, company, left, right))
    return found


def _stems(tokens: Sequence[_Token]) -> frozenset[str]:
    return frozenset(token.stem for token in tokens if token.stem)


def turned_round(claim: Sequence[Turn], held: Sequence[Turn], idf: Idf) -> float:
    """How surely a direction of a claim is the opposite of what an abstract says there.

    In [0, 1]. "A is slower than B" turns "B is faster than A" twice: it says the same.
    """
    most = 0.0
    for mine in claim:
        same = other = 0.0
        for theirs in held:
            if mine.axis == theirs.axis:
                near = _alike(mine.company, theirs.company, idf)
                turned = mine.up != theirs.up
                if turned != _exchanged(mine, theirs, idf):
                    other = max(other, near)
                else:
                    same = max(same, near)
        most = max(most, other - same)
    return most


def _exchanged(one: Turn, two: Turn, idf: Idf) -> bool:
    """Whether two comparisons compare the same things the other way round."""
    straight = one.left & two.left | one.right & two.right
    crossed = one.left & two.right | one.right & two.left
    return sum(map(idf, crossed)) > sum(map(idf, straight))
