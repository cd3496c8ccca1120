"""What a sentence must not get wrong: numbers, names, directions, negation, its strength.

`Particulars.of` reads them from a text. Numbers are compared by value: "2x", "2×" and "twice",
"62%" and "62 percent", "1,000" and "1000", "5.7M" and "5.7 million", "a quarter" and "1/4" are
the same; "nearly 93%" is 92.7%; "92,7 %" may be 92.7%.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.text import terms

__all__ = [
    "CHANGE_AXIS",
    "SMALL",
    "SMALL_AXES",
    "TENS",
    "Direction",
    "Number",
    "Particulars",
    "acronym_of",
    "bare_claim",
    "bare_name",
    "label_of",
    "measure_of",
    "numbers",
]

_SCALES = {
    "hundred": 1e2, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6,
    "b": 1e9, "bn": 1e9, "billion": 1e9, "t": 1e12, "trillion": 1e12,
}  # fmt: skip
_UNITS = {
    "%": "%", "percent": "%", "per cent": "%", "percentage point": "%", "percentage points": "%",
    "x": "x", "×": "x", "times": "x", "fold": "x", "-fold": "x", " fold": "x",
}  # fmt: skip
SMALL = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
"""Words of the numbers from 1 to 19."""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
"""… and of the tens from 20 to 90."""
_WORDS = {
    "zero": 0.0,
    # "one" is a pronoun more often than a number
    **{word: float(value) for value, word in enumerate(SMALL[1:], 2)},
    "dozen": 12.0,
    **{ten: 10.0 * n for n, ten in enumerate(TENS, 2)},
    **{f"{ten}-{one}": 10.0 * n + m for n, ten in enumerate(TENS, 2)
       for m, one in enumerate(SMALL[:9], 1)},
}  # fmt: skip
_PARTS = {
    "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10,
}  # fmt: skip
_TIMES = {"twice": 2.0, "double": 2.0, "thrice": 3.0, "triple": 3.0, "quadruple": 4.0}
_HALF = ((0.5, ""), (50.0, "%"), (2.0, "x"))
_FRACTION = re.compile(
    rf"(?<![\w.])(?:(?P<top>\d{{1,2}}|an?|one|two|three|four)[\s-]+)?(?P<part>{'|'.join(_PARTS)})s?\b"
    r"|(?<![\w./])(?P<n>\d{1,2})/(?P<d>\d{1,2})(?![\w./])",
    re.IGNORECASE,
)
# words before a number that make it less than exact: near it, just below it, just above it
_NEAR = re.compile(
    r"(?:\b(?:about|around|approximately|approx\.?|roughly|some|circa|close to|nearly|almost"
    r"|an estimated)|[~≈±])\s*$",
    re.IGNORECASE,
)
_ABOVE = re.compile(r"(?:\b(?:over|more than|above|at least|exceeding|beyond)|[>≥])\s*$", re.I)
_BELOW = re.compile(r"(?:\b(?:under|less than|below|at most|fewer than|up to)|[<≤])\s*$", re.I)
_CLOSE, _BOUND = 0.05, 0.12
"""How far, in parts, a number that is said to be near, or a bound, may be from the true one."""

_UNIT = r"%|percentage points?|per ?cent|×|x\b|times\b|-?fold\b"
_SCALE = r"hundred|thousand|million|billion|trillion|bn\b|[kKMBT]\b"
_DIGITS = re.compile(
    r"(?<![A-Za-z0-9_.])(?<![A-Za-z][-–])"
    r"(?P<value>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+|,\d{1,2}(?!\d))?|\.\d+)"
    rf"(?:\s?-?(?P<scale>{_SCALE}))?(?:\s?-?(?P<unit>{_UNIT}))?"
)
_SPELLED = re.compile(
    rf"\b(?:(?P<word>{'|'.join(reversed(_WORDS))})(?:[\s-](?P<scale>{_SCALE}))?(?:[\s-](?P<unit>{_UNIT}))?"
    rf"|(?P<times>{'|'.join(_TIMES)})[sd]?|(?P<half>half|halves?|halved|halving)"
    r")\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text: its readings as (value, unit), where it stands, and how it is shown.

    ``stance``: "" exact, "near", "above" or "below" by the words before it.
    """

    readings: tuple[tuple[float, str], ...]
    shown: str
    at: int
    spelled: bool = False
    stance: str = ""

    @property
    def unit(self) -> str:
        """Of the first reading: ``%``, ``x``, or nothing."""
        return self.readings[0][1]

    def agrees(self, other: Number) -> bool:
        """Whether both may say the same; a unit must be the same where both have one.

        A number that is said to be near, above or below may differ a little from ``other``.
        """
        return any(
            self._fits(a, b) and (u == v or not u or not v)
            for a, u in self.readings
            for b, v in other.readings
        )

    def _fits(self, mine: float, other: float) -> bool:
        gap, size = other - mine, max(abs(mine), abs(other))
        if abs(gap) <= 1e-9 * size:
            return True
        if self.stance == "near":
            return abs(gap) <= _CLOSE * size
        if self.stance == "above":
            return 0 < gap <= _BOUND * size
        return self.stance == "below" and 0 < -gap <= _BOUND * size

    def derives(self, one: Number, two: Number, *, small: bool = False) -> bool:
        """Whether it is the sum, difference, ratio or relative change of two numbers of one kind.

        Small whole numbers do not count unless ``small``: too many are a difference of something.
        """
        value, unit = self.readings[0]
        digits = re.sub(r"\D", "", self.shown)
        if (len(digits.lstrip("0")) < 2 and not small) or one.unit != two.unit:
            return False
        a, b = one.readings[0][0], two.readings[0][0]
        made = [] if unit not in ("", one.unit) else [abs(a - b), a + b]
        if min(abs(a), abs(b)) > 0:
            if unit in ("", "x"):
                made += [a / b, b / a]
            if unit == "%":
                made += [abs(a - b) / abs(a) * 100, abs(a - b) / abs(b) * 100]
        decimals = len(self.shown.partition(".")[2].rstrip("%x× ")) if "." in self.shown else 0
        allowed = 0.5 * 10.0 ** -min(decimals, 6) + 1e-9
        return any(abs(value - m) <= allowed for m in made)


def _stance(text: str, at: int) -> str:
    before = text[max(0, at - 18) : at]
    for stance, pattern in (("near", _NEAR), ("above", _ABOVE), ("below", _BELOW)):
        if pattern.search(before):
            return stance
    return ""


def numbers(text: str) -> tuple[Number, ...]:
    """The numbers of ``text``, in digits and in words."""
    return tuple(_numbers(text))


def _numbers(text: str) -> Iterator[Number]:
    shares = [f for f in _FRACTION.finditer(text) if float(f["d"] or 1)]  # "1/0" is none
    fractions = [share.span() for share in shares]
    for found in _DIGITS.finditer(text):
        if any(start <= found.start() < end for start, end in fractions):
            continue
        yield Number(
            _digits(found),
            found.group().strip(),
            found.start(),
            stance=_stance(text, found.start()),
        )
    for found in shares:
        top, part = found["top"] or "1", found["part"]
        n = float(found["n"] or (top if top.isdigit() else _WORDS.get(top.lower(), 1.0)))
        share = n / float(found["d"] or _PARTS[part.lower()] if part else found["d"])
        if not found["top"] and part and part.lower() != "quarter":
            continue  # "third" alone is a place in a row
        yield Number(
            ((share, ""), (share * 100, "%"), (1 / share if share else 0.0, "x")),
            found.group().strip(),
            found.start(),
            spelled=True,
            stance=_stance(text, found.start()),
        )
    for found in _SPELLED.finditer(text):
        if any(start <= found.start() < end for start, end in fractions):
            continue
        stance = _stance(text, found.start())
        yield Number(_spelled(found), found.group().strip(), found.start(), True, stance)


def _digits(found: re.Match[str]) -> tuple[tuple[float, str], ...]:
    scale = _SCALES.get((found["scale"] or "").lower(), 1.0)
    unit = _UNITS.get((found["unit"] or "").lower().strip(), "")
    whole, comma, decimals = found["value"].rpartition(",")
    texts = [found["value"].replace(",", "")]
    if comma and len(decimals) < 3:
        texts = [f"{whole.replace(',', '')}.{decimals}"]
    values = [float(text) * scale for text in texts]
    readings = [(value, unit) for value in values]
    if unit == "%":
        readings += [(value / 100, "") for value in values]
        readings += [(1 + value / 100, "x") for value in values]  # 100% more is twice as much
    elif not unit and values[0] == 0.5:
        readings.extend(_HALF)
    return tuple(readings)


def _spelled(found: re.Match[str]) -> tuple[tuple[float, str], ...]:
    if found["half"]:
        return _HALF
    if found["times"]:
        return ((_TIMES[found["times"].lower()], "x"),)
    value = _WORDS[found["word"].lower()] * _SCALES.get((found["scale"] or "").lower(), 1.0)
    return ((value, _UNITS.get((found["unit"] or "").lower(), "")),)


_PREFIXES = {
    "nano": "n", "micro": "µ", "milli": "m", "centi": "c", "deci": "d", "kilo": "k", "mega": "M",
    "giga": "G", "tera": "T",
}  # fmt: skip
_BASES = {
    "second": "s", "sec": "s", "minute": "min", "hour": "h", "hr": "h", "day": "d", "week": "wk",
    "month": "mo", "year": "yr", "meter": "m", "metre": "m", "gram": "g", "liter": "l",
    "litre": "l", "inch": "in", "inches": "in", "foot": "ft", "feet": "ft", "byte": "B",
}  # fmt: skip
_MEASURE = (
    rf"(?:(?P<prefix{{0}}>{'|'.join(_PREFIXES)})?(?P<base{{0}}>{'|'.join(_BASES)})s?"
    r"|(?P<symbol{0}>min|wk|yr|ft|lb|[nµμumcdkMGT]?(?:Hz|Pa|mol|eV|bar|[gmslLhdBWVJM])))"
)
_MEASURED = re.compile(
    rf"[\s-]?(?:[A-Z]+-)?{_MEASURE.format(1)}(?![\w-])"
    rf"(?:(?:\s?/\s?|\sper\s|\san?\s){_MEASURE.format(2)}(?![\w-]))?"
)


def measure_of(text: str, number: Number) -> tuple[str, str]:
    """The measure of ``number`` in ``text`` by its symbol, and what it is per: ("mm", "min")."""
    found = _MEASURED.match(text, number.at + len(number.shown))
    return ("", "") if found is None else (_symbol(found, "1"), _symbol(found, "2"))


def _symbol(found: re.Match[str], part: str) -> str:
    if base := found[f"base{part}"]:
        return _PREFIXES.get(found[f"prefix{part}"] or "", "") + _BASES[base]
    return (found[f"symbol{part}"] or "").replace("μ", "µ").replace("u", "µ").replace("L", "l")


_NAME_TOKEN = re.compile(r"[A-Za-zÀ-ÿΑ-ω][\w]*(?:[-–/.+][\w]+)*\+*")
_PART = re.compile(r"[-–/.]")
_WORD_BEFORE = re.compile(r"(?:^|[.!?:;–—]\s*[\"“(]?|[(\[\"“])$")


def bare_name(token: str) -> str:
    """A name for comparing: lower case, letters and digits only, without a plural s."""
    bare = "".join(c for c in token.casefold() if c.isalnum() or c == "+")
    return bare[:-1] if len(bare) > 2 and bare.endswith("s") else bare


def acronym_of(text: str) -> str:
    """The first letters of all words, in order: an acronym's letters stand in it in a row."""
    return "".join(word[0] for word in re.findall(r"[A-Za-z][a-z]*|\d+", text)).casefold()


_AUTHOR = re.compile(
    r"\b([A-Z][\w’'-]+)(?= (?:et al\b|and (?:colleagues|co-?workers"
    r"|[A-Z][\w’'-]+ (?:\w+ed|show|find|report))))"
)


def _names(text: str) -> Iterator[str]:
    """Acronyms, mixed-case and letter-digit words, and capitalised words inside a sentence.

    The first word of a sentence too, where it is followed by "and colleagues" or the like.
    """
    for found in _AUTHOR.finditer(text):
        yield found[1]
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
        "differ chang vary varie affect effect influenc impact alter depend predict associat"
        " correlat relat determin contribut distinguish",
        "same$ equal unchanged unaffected unaltered similar alike$ identical constant stable"
        " independent unrelated irrespective$ regardless$ stayed$ remain",
    ),
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
    ("before$ prior$ early$ earlier$", "after$ late$ later$ following$"),
    ("always$ often$ frequent usual", "never$ rare seldom$"),
    ("positive", "negative"),
    ("easy easi simpl", "hard$ difficult complex"),
    ("cheap inexpensive$", "expensive$ costly$"),
    ("consisten", "inconsisten"),
    ("sufficien", "insufficien"),
    ("necessary$ requir need", "unnecessary$ avoid eliminat"),
    ("robust", "brittle fragile vulnerab"),
    ("efficien effectiv", "inefficien ineffectiv"),
    ("accurate", "inaccurate"),
    ("with$ including$", "without$ excluding$"),
    ("can$ able$ enabl allow", "cannot$ unable$ prevent imped"),
    ("all$ every$", "none$ no$"),
]
CHANGE_AXIS = 0
"""What changes, differs or depends against what stays the same."""
SMALL_AXES = frozenset(range(len(_AXES) - 3, len(_AXES)))
"""Of small words, which are also negations, or say little of where they stand."""


def _lexicon() -> re.Pattern[str]:
    sides = []
    for axis, (plus, minus) in enumerate(_AXES):
        for sign, side in (("p", plus), ("m", minus)):
            forms = [w[:-1] + r"\b" if w.endswith("$") else w + r"[\w-]*" for w in side.split()]
            sides.append(f"(?P<{sign}{axis}>{'|'.join(forms)})")
    return re.compile(r"(?<![\w-])(?:" + "|".join(reversed(sides)) + ")", re.IGNORECASE)


_DIRECTION = _lexicon()
# the strength of a statement, in words that every field uses
_ABSOLUTE = re.compile(
    r"\b(?:all|always|any|every\w*|never|entirely|completely|fully|wholly|perfect(?:ly)?"
    r"|guarantee[sd]?|prove[sdn]?|eliminat\w+|without any|no loss|universal(?:ly)?|solve[sd]?"
    r"|in all cases|regardless)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:may|might|could|can|suggest\w*|potential(?:ly)?|likely|possibl[ey]|some|certain|most"
    r"|many|often|usually|typically|generally|in part|partly|partial(?:ly)?|marginal(?:ly)?"
    r"|moderate(?:ly)?|mitigat\w+|alleviat\w+|reduc\w+|up to|almost|nearly|appears?|seems?|tends?"
    r"|significant(?:ly)?|sometimes|towards?|helps?)\b",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\b(?:because|owing to|due to|as a result|result(?:s|ed|ing)? (?:from|in)"
    r"|caus(?:e[sd]?|ing|al\w*)"
    r"|lead(?:s|ing)? to|led to|thanks to|therefore|thus|hence|so that|since|stem(?:s|med)? from"
    r"|attribut\w+|explain\w*|driv(?:en|es?|ing)|which (?:makes?|made|allows?|lets?|is why)"
    r"|by \w+ing|through|enabl\w+|allow\w*|responsible for)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|no|never|nor|neither|none|cannot|hardly|barely|fails? to|failed to)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Direction:
    """A word that turns a statement one way: its axis, its side of it, and what stands around.

    ``denied``: whether a negation stands before it in its clause.
    """

    axis: int
    up: bool
    shown: str
    context: frozenset[str]
    at: int
    denied: bool


def _around(text: str, start: int, end: int) -> frozenset[str]:
    return frozenset(terms(text[max(0, start - _SPAN) : start] + " " + text[end : end + _SPAN]))


def _directions(text: str) -> Iterator[Direction]:
    for found in _DIRECTION.finditer(text):
        group = found.lastgroup or "p0"
        clause = _SCOPE.split(text[: found.start()])[-1].split()[-_SCOPE_WORDS:]
        yield Direction(
            int(group[1:]),
            group[0] == "p",
            found.group(),
            _around(text, found.start(), found.end()),
            found.start(),
            len(_DENIER.findall(" ".join(clause))) % 2 == 1,
        )


@dataclass(frozen=True, slots=True)
class Particulars:
    """The particulars of one sentence.

    ``absolutes``: words such as "all", "always".
    ``denied``, ``affirmed``: stems that stand in the scope of a negation, and those that do not.
    """

    numbers: tuple[Number, ...]
    names: tuple[str, ...]
    directions: tuple[Direction, ...]
    negated: bool
    absolutes: frozenset[str] = frozenset()
    hedged: bool = False
    causes: bool = False
    denied: frozenset[str] = frozenset()
    affirmed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str) -> Particulars:
        """The particulars of ``text``."""
        denied = _denied(text)
        return cls(
            numbers(text),
            tuple(dict.fromkeys(_names(text))),
            tuple(_directions(text)),
            bool(_NEGATION.search(text)),
            frozenset(found.group().casefold() for found in _ABSOLUTE.finditer(text)),
            bool(_HEDGE.search(text)),
            bool(_CAUSE.search(text)),
            denied,
            frozenset(terms(text)) - denied,
        )


_SPAN = 60
"""Characters on each side of a word that are its context."""
_DENIER = re.compile(
    r"\b(?:not|no|never|nor|neither|none|cannot|without|lacks?|lacking|free of|instead of"
    r"|rather than|fails? to|failed to|avoid(?:s|ing)?|unlike)\b|n['’]t\b",
    re.IGNORECASE,
)
_SCOPE = re.compile(r"[,;:.()|]|\b(?:but|while|whereas|although|however)\b", re.IGNORECASE)
_SCOPE_WORDS = 4


def _denied(text: str) -> frozenset[str]:
    """Stems within four words after a negation, before the clause ends."""
    found: set[str] = set()
    for denier in _DENIER.finditer(text):
        rest = text[denier.end() :]
        end = _SCOPE.search(rest)
        scope = rest[: end.start() if end else None].split()[:_SCOPE_WORDS]
        found.update(terms(" ".join(scope)))
    return frozenset(found)


_FURNITURE = re.compile(r"^\s*(?:[-*•#>|]+\s+|\|\s*|\(?\d{1,2}[.)]\s+|\(?[a-h][.)]\s+)+")
_REFERENCE = re.compile(
    r"\b(?:paper|source|abstract)(?: \d{1,2}|s \d{1,2}(?:\s*(?:,|and|&)\s*\d{1,2})*)\b", re.I
)
_LABEL = re.compile(r"^(?P<label>[^:|.;]{1,60}):\s+(?=\S)")
_LABEL_WORDS = 6


def bare_claim(text: str) -> str:
    """What a line of an answer claims: without bullets, list numbers, markup,
    table bars, and numbers of papers.
    """
    text = re.sub(r"\*\*|__|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|`", "", text)
    text = _REFERENCE.sub("the paper", _FURNITURE.sub("", text))
    text = re.sub(r"\s*\|\s*", "; ", text.strip(" |"))
    return re.sub(r"\s*\(\s*\)", "", text).strip()


def label_of(text: str) -> str:
    """The words before a colon at the beginning, which name what follows; empty if none."""
    found = _LABEL.match(text)
    return found["label"] if found and len(found["label"].split()) <= _LABEL_WORDS else ""
