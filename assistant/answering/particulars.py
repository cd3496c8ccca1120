"""What a sentence must not get wrong: numbers, names, directions, negation.

`Particulars.of` reads them from a text. Numbers are compared by value: "2x", "2×" and "twice",
"62%" and "62 percent", "1,000" and "1000", "5.7M" and "5.7 million" are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.text import terms

__all__ = ["Direction", "Number", "Particulars", "acronym_of", "bare_name"]

_SCALES = {
    "hundred": 1e2, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6,
    "b": 1e9, "bn": 1e9, "billion": 1e9, "t": 1e12, "trillion": 1e12,
}  # fmt: skip
_UNITS = {
    "%": "%", "percent": "%", "per cent": "%", "percentage point": "%", "percentage points": "%",
    "x": "x", "×": "x", "times": "x", "fold": "x", "-fold": "x", " fold": "x",
}  # fmt: skip
# "one" is a pronoun more often than a number
_WORDS = {
    "zero": 0.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0,
    "eight": 8.0, "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0,
    "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "dozen": 12.0,
}  # fmt: skip
_TIMES = {"twice": 2.0, "double": 2.0, "thrice": 3.0, "triple": 3.0, "quadruple": 4.0}
_HALF = ((0.5, ""), (50.0, "%"), (2.0, "x"))

_UNIT = r"%|percentage points?|per ?cent|×|x\b|times\b|-?fold\b"
_SCALE = r"hundred|thousand|million|billion|trillion|bn\b|[kKMBT]\b"
_DIGITS = re.compile(
    r"(?<![A-Za-z0-9_.])(?<![A-Za-z][-–])"
    r"(?P<value>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
    rf"(?:\s?-?(?P<scale>{_SCALE}))?(?:\s?-?(?P<unit>{_UNIT}))?"
)
_SPELLED = re.compile(
    rf"\b(?:(?P<word>{'|'.join(_WORDS)})(?:[\s-](?P<scale>{_SCALE}))?(?:[\s-](?P<unit>{_UNIT}))?"
    rf"|(?P<times>{'|'.join(_TIMES)})[sd]?|(?P<half>half|halves?|halved|halving)"
    r"|(?P<quarter>quarters?))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text: its readings as (value, unit), where it stands, and how it is shown."""

    readings: tuple[tuple[float, str], ...]
    shown: str
    at: int
    spelled: bool = False

    def agrees(self, other: Number) -> bool:
        """Whether both may say the same; a unit must be the same where both have one."""
        return any(
            abs(a - b) <= 1e-9 * max(abs(a), abs(b)) and (u == v or not u or not v)
            for a, u in self.readings
            for b, v in other.readings
        )


def _numbers(text: str) -> Iterator[Number]:
    for found in _DIGITS.finditer(text):
        value = float(found["value"].replace(",", ""))
        value *= _SCALES.get((found["scale"] or "").lower(), 1.0)
        unit = _UNITS.get((found["unit"] or "").lower().strip(), "")
        readings = [(value, unit)]
        if unit == "%":
            readings.append((value / 100, ""))
        elif not unit and value == 0.5:
            readings.extend(_HALF)
        yield Number(tuple(readings), found.group().strip(), found.start())
    for found in _SPELLED.finditer(text):
        yield Number(_spelled(found), found.group().strip(), found.start(), spelled=True)


def _spelled(found: re.Match[str]) -> tuple[tuple[float, str], ...]:
    if found["half"]:
        return _HALF
    if found["quarter"]:
        return ((25.0, "%"), (0.25, ""), (4.0, "x"))
    if found["times"]:
        return ((_TIMES[found["times"].lower()], "x"),)
    value = _WORDS[found["word"].lower()] * _SCALES.get((found["scale"] or "").lower(), 1.0)
    return ((value, _UNITS.get((found["unit"] or "").lower(), "")),)


_NAME_TOKEN = re.compile(r"[A-Za-zÀ-ÿΑ-ω][\w]*(?:[-–/.+][\w]+)*\+*")
_PART = re.compile(r"[-–/.]")
_WORD_BEFORE = re.compile(r"(?:^|[.!?:;]\s*[\"“(]?)$")


def bare_name(token: str) -> str:
    """A name for comparing: lower case, letters and digits only, without a plural s."""
    bare = "".join(c for c in token.casefold() if c.isalnum() or c == "+")
    return bare[:-1] if len(bare) > 2 and bare.endswith("s") else bare


def acronym_of(text: str) -> str:
    """The first letters of all words, in order: an acronym's letters stand in it in a row."""
    return "".join(word[0] for word in re.findall(r"[A-Za-z][a-z]*|\d+", text)).casefold()


def _names(text: str) -> Iterator[str]:
    """Acronyms, mixed-case and letter-digit words, and capitalised words inside a sentence."""
    for found in _NAME_TOKEN.finditer(text):
        token = found.group()
        marked = sum(c.isupper() for c in token) >= 2 or any(c.isdigit() for c in token)
        first = bool(_WORD_BEFORE.search(text[: found.start()].rstrip(" ")[-2:]))
        if (marked and len(token) > 1) or (token[0].isupper() and not first and len(token) > 2):
            yield token


# Words that turn a statement round, as (what raises, what lowers); beginnings of words, and
# whole words where a $ ends them. Each pair is an axis of its own: "improves" and "reduces" do
# not contradict each other.
_AXES = [
    (
        "increas higher$ highest$ high$ more$ most$ larger$ largest$ large$ greater$ greatest$ grow"
        " grew$ rise$ rises$ rising$ rose$ gain boost rais maximi longer$ long$ bigger$ many$"
        " amplif enlarg expand deeper$ deep$ wider$",
        "decreas reduc lower$ lowers$ lowest$ low$ less$ least$ smaller$ smallest$ small$ fewer$"
        " fewest$ few$ shrink shrank$ fall$ falls$ falling$ fell$ drop$ drops$ dropped$ declin"
        " diminish minimi shorter$ short$ shallow narrower$ cut$ cuts$ cutting$ sav",
    ),
    (
        "improv better$ best$ enhanc superior strong stronger benefi help succe",
        "degrad worse worst$ deteriorat inferior weak harm hurt fail poor suffer impair",
    ),
    (
        "outperform surpass exceed beat$ beats$ beating$ win$ wins$ outpac",
        "underperform trail lag$ lags$ lose$ loses$ behind$",
    ),
    ("fast quick accelerat speed rapid", "slow decelerat"),
    ("with$ including$", "without$ excluding$"),
    ("before$ prior$ early$ earlier$", "after$ late$ later$ following$"),
    ("always$ often$ frequent usual", "never$ rare seldom$"),
    ("can$ able$ enabl allow", "cannot$ unable$ prevent imped"),
    ("positive", "negative"),
    ("stable stabili", "unstable instab destabili"),
    ("supervised$", "unsupervised$"),
    ("easy easi simpl", "hard$ difficult complex"),
    ("similar same$", "differ dissimilar"),
    ("cheap inexpensive$", "expensive$ costly$"),
    ("dense densely$", "sparse sparsely$"),
    ("consisten", "inconsisten"),
    ("sufficien", "insufficien"),
    ("necessary$ requir need", "unnecessary$ avoid eliminat"),
    ("robust", "brittle fragile vulnerab"),
    ("efficien effectiv", "inefficien ineffectiv"),
    ("linear", "nonlinear non-linear"),
    ("accurate", "inaccurate"),
    ("global", "local"),
    ("static", "dynamic"),
    ("all$ every$", "none$ no$"),
]


def _lexicon() -> re.Pattern[str]:
    sides = []
    for axis, (plus, minus) in enumerate(_AXES):
        for sign, side in (("p", plus), ("m", minus)):
            forms = [w[:-1] + r"\b" if w.endswith("$") else w + r"[\w-]*" for w in side.split()]
            sides.append(f"(?P<{sign}{axis}>{'|'.join(forms)})")
    return re.compile(r"(?<![\w-])(?:" + "|".join(reversed(sides)) + ")", re.IGNORECASE)


_DIRECTION = _lexicon()
_NEGATION = re.compile(
    r"\b(?:not|no|never|nor|neither|none|cannot|hardly|barely|fails? to|failed to)\b|n['’]t\b",
    re.IGNORECASE,
)
_SPAN = 60
"""Characters on each side of a word that are its context."""


@dataclass(frozen=True, slots=True)
class Direction:
    """A word that turns a statement one way: its axis, its side of it, and what stands around."""

    axis: int
    up: bool
    shown: str
    context: frozenset[str]


def _around(text: str, start: int, end: int) -> frozenset[str]:
    return frozenset(terms(text[max(0, start - _SPAN) : start] + " " + text[end : end + _SPAN]))


def _directions(text: str) -> Iterator[Direction]:
    for found in _DIRECTION.finditer(text):
        group = found.lastgroup or "p0"
        yield Direction(
            int(group[1:]),
            group[0] == "p",
            found.group(),
            _around(text, found.start(), found.end()),
        )


@dataclass(frozen=True, slots=True)
class Particulars:
    """The particulars of one sentence. ``contexts``: what stands around each number."""

    numbers: tuple[Number, ...]
    contexts: tuple[frozenset[str], ...]
    names: tuple[str, ...]
    directions: tuple[Direction, ...]
    negated: bool

    @classmethod
    def of(cls, text: str) -> Particulars:
        """The particulars of ``text``."""
        numbers = tuple(_numbers(text))
        around = tuple(_around(text, n.at, n.at + len(n.shown)) for n in numbers)
        return cls(
            numbers,
            around,
            tuple(dict.fromkeys(_names(text))),
            tuple(_directions(text)),
            bool(_NEGATION.search(text)),
        )
