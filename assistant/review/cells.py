"""Cells: what can be read out of an abstract by form alone, each with the sentence it stands in.

A cell's ``text`` is a run of the abstract, letter for letter: a whole sentence (with those before
it that it needs to stand alone) where a column asks what a paper does or finds, and a name or a
number with what it measures where it asks for these. What measures what is read only in forms
that leave no choice ("accuracy of 92.3%", "mean age was 12 years", "reduces memory by 8x",
"41 patients"); where a sentence compares, the cell is called likely, not sure. No list of any
one field's names is used: data sets are what some paper at hand calls one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from assistant.attribution import quoted, short_name
from assistant.paper import Paper
from assistant.review.model import Cell, Certainty
from assistant.review.roles import ROLES, Role, role_scores
from assistant.text import STOP_WORDS, terms

__all__ = ["Direction", "Material", "Measured", "data_set_names"]

_WORD = r"[^\W\d_][\w’'/+-]*"
_SMALL = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SPELLED = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_SMALL[:9])}))?|{'|'.join(_SMALL)})"
_VALUE = (
    r"(?:[~≈<>≤≥±+−-]\s?)?\d+(?:,\d{3})*(?:\.\d+)?"
    r"(?:\s?(?:±|\+/-|\(±|plus or minus)\s?\d+(?:\.\d+)?\)?)?"
    r"(?:\s?(?:to|–|-)\s?\d+(?:\.\d+)?(?=\s?%|\s?[a-zμµ]{1,8}\b))?"
    r"(?:\s?%|\s?per ?cent\b|\s?×|[xX]\b|-?\s?fold\b|\s?times\b|\s?(?:percentage )?points?\b"
    r"|\s?(?:[kMGT]i?B|ms|s|h|Hz|[kMG]Hz|dB|[nμµcmk]?m|[kmμµn]?g|[mμµ]?l|dl|[mμµn]?[mM]ol|kg|mmHg"
    r"|years?|months?|weeks?|days?|hours?|minutes?|seconds?|degrees?|°C?|mV|[mk]?V|[mk]?W|k?cal"
    r"|K|Pa|kPa|psi|ft|in|lb|m[Ee]q)\b(?:/(?:[a-zA-Zμµ]+)\d?)*)?"
)
_LINK = (
    r"(?:\([^()]{1,40}\)\s)?(?:of|was|were|is|are|reached|reaches|averaged|equal(?:s|ed)? to|=|:)"
    r"\s(?:only |about |approximately |around |nearly |over |up to |at least |as (?:high|low|much) "
    r"as |an? (?:average|mean|median) of )?"
)
_MEASURE = rf"(?P<what>(?:{_WORD}\s){{0,4}}?{_WORD})"
_IS = re.compile(rf"\b{_MEASURE}\s{_LINK}(?P<value>{_VALUE})(?![\w-])")
_AFTER = re.compile(
    r"(?<!\bat )(?<!\b[io][nf] )(?<!\b[io][nf] a )(?<!\bas )(?<!\bto )(?<!about )"
    rf"(?<![\w.,/-])(?P<value>{_VALUE}(?<=[%xX×BsnldtVWz]))\s"
    rf"(?P<what>(?:{_WORD}\s){{0,2}}{_WORD})"
    r"(?=[\s,.;)]|$)"
)
_CHANGE = re.compile(
    r"\b(?P<verb>(?:reduc|decreas|lower|shorten|increas|rais|improv|boost|accelerat|enhanc"
    r"|exceed|outperform|surpass)\w*|cuts?)\s(?P<what>(?:the |its |their )?(?:[\w’'/+-]+\s){1,5}?)"
    rf"by\s(?:about |approximately |nearly |over |up to |at least |an average of )?"
    rf"(?P<value>{_VALUE})(?![\w-])",
    re.IGNORECASE,
)
_CLAUSE_WORDS = frozenset("that which who where when while whereas whose and or but".split())
_COMPARES = re.compile(
    r"\b(?:than|compared|versus|vs|relative to|baselines?|whereas|while|respectively|controls?"
    r"|previous|prior|existing|state-of-the-art|from)\b",
    re.IGNORECASE,
)
_P = re.compile(r"\b[Pp](?:[- ]value)?\s?(?:[<>=≤≥]|of|was)\s?0?\.\d+(?:\s?[×x]\s?10\S+)?")
_N = re.compile(r"\b[nN]\s?=\s?\d[\d,]*\b")
_SAMPLED = (
    r"(?:patients|participants|subjects|people|persons|individuals|adults|children|infants|newborns"
    r"|neonates|adolescents|students|pupils|women|men|males|females|boys|girls|volunteers|cases"
    r"|families|households|siblings|twins|respondents|workers|teachers|schools|hospitals|firms"
    r"|countries|studies|trials|articles|mice|rats|animals|dogs|rabbits|cats|monkeys|sheep|cells"
    r"|samples|specimens|eyes|images|videos|documents|sentences|questions|items|observations"
    r"|records|examples|instances|scenes|recordings|experiments|tests)"
)
_SAMPLE = re.compile(
    rf"(?<![\w.,/-])(?:\d[\d,]*|{_SPELLED})\s(?:(?!(?:of|per|percent|years?|and|to|in)\b){_WORD}\s)"
    rf"{{0,4}}?{_SAMPLED}\b",
    re.IGNORECASE,
)
_FEW = frozenset("one two three 1 2 3".split())
_PART_OF = re.compile(
    rf"(?:\band\b.*)(?:\d|\b{_SPELLED})\s(?:of|out of)\s(?:the\s)?$", re.IGNORECASE
)
_AMONG = re.compile(r"\b(?:of|in|on|from|among)\s(?:the\s|all\s|these\s)*$", re.IGNORECASE)
_HELD_BY = r"(?:data ?sets?|benchmarks?|corpus|corpora|databases?|registry|registries|cohorts?)"
_NAME = r"[A-Z][\w.+-]*(?:[A-Z\d]|[a-z]{2})[\w+-]*(?:[ -](?:[A-Z\d][\w+-]*|\d+))*"
_HELD = re.compile(rf"\b{_HELD_BY}\b")
_NEAR = 100
"""Characters beside the word in which names are looked for."""
_NAMED_BEFORE = re.compile(rf"\b({_NAME}(?:(?:, | and |, and ){_NAME})*) {_HELD_BY}\b")
_NAMED_AFTER = re.compile(
    rf"\b{_HELD_BY}(?:,? (?:such as|including|like|namely|called)|:| \(| -) ?"
    rf"({_NAME}(?:(?:, | and |, and ){_NAME})*)"
)
_AGAINST = re.compile(
    r"(?<!large )(?<!small )\b(?:(?P<nominal>compared (?:with|to)|in comparison (?:with|to)|versus"
    r"|vs\.?)|outperform\w*|surpass\w*|superior to|inferior to|better than|worse than"
    r"|(?:high|low|few|fast|slow)er than|more \w+ than|less \w+ than)\s"
    r"(?P<what>(?:the |a |an )?(?:(?:[A-Z]\.|[^\s,.;:()]+)\s?){1,14})"
)
_CLAUSE = (
    r"\s(?:while|whereas|when|where|but|which|as|such|is|are|was|were|had|has|have|after|before"
    r"|during|because|if|although|there|it|we|so|even|did|do|does|to)\b.*"
)
_STOPS_AT = re.compile(_CLAUSE, re.DOTALL)
_ENDS_AT = re.compile(
    rf"{_CLAUSE}|\s(?:on|in|at|by|for|with|and|across|under|over|up)\b.*", re.DOTALL
)
"""After "compared with" the whole of what is named; after "outperforms", without where."""
_HANGS = re.compile(r"(?:\s(?:in|on|at|by|of|for|with|and|or|that|the|a|an|only|\w+ly))+$")
_INSIDE = re.compile(
    rf"(?:{_WORD}[ -]){{1,3}}?(?:of|in|for|between|from|per) "
    r"(?:the |an? |their |its |our |this |these |all |both )?$"
)
_GOES_ON = re.compile(
    r"\s*(?:(?:and|or|to|plus|,)\s+[\d<>~±]|[xX×]\s?\d|(?:and|or)\s+(?:from|up)\s"
    r"|(?!(?:of|in|on|at|for|to|by|with|from|over|than|per|and|or|but|when|while|after|before|as"
    r"|during|under|across|within|among|relative|compared|using|without|if|which|that|because|is"
    r"|are|was|were)\b)[^\W\d_])"
)
"""After a number, what says that it is not the whole of it: "2.5 or 4", "3.2 courses"."""
_SETTING = re.compile(r"\b(?:at|with|using|under|for|from)\s+(?:an?|the|\w+al)\s+(?:\w+\s+)?$")
_RELATIVE = re.compile(r"%|[x×]$|per ?cent|points?|fold|times", re.IGNORECASE)
"""Before what is measured, a condition ("at a mach number of 7"); not so "at a loss of 2%"."""
_AROUND = frozenset("across among within along using versus whereas".split())
_NO_NAME = frozenset("in on for at by with when while if as to from each either both any".split())
_OPEN = re.compile(
    r"\b(?:(?:further|more|additional|larger|longer|future) (?:[\w-]+ ){0,3}(?:research"
    r"|stud(?:y|ies)|work|investigations?|trials?|evaluation)\b[^.;]{0,80}? (?:is|are|will be"
    r"|should|must|would be|seems?|appears?)(?: be)? (?:still |also |clearly |urgently )?(?:needed"
    r"|required|necessary|warranted|desirable|address|determine|include|consider|adopt|take|done)"
    r"|(?:a|one|main|major|our|important) limitations? of (?:this|our|the present) [^.;]{0,60}"
    r"(?:is|was|are)"
    r"|(?:left|leav(?:e|ing)) [^.;]{0,80}(?:for|to|as) (?:future|further)"
    r"|(?:remains?|is|are|was|were) (?:still |as yet |largely |currently )?(?:unclear|unknown"
    r"|unresolved|an open (?:question|problem)|to be (?:\w+ )?(?:determined|resolved|tested|shown"
    r"|seen|established|elucidated|clarified|investigated|proved)|not (?:yet |fully |well )?"
    r"(?:known|clear|understood|established)))\b",
    re.IGNORECASE,
)
_NOT_OPEN = re.compile(
    r"\b(?:where|whose|although|while|even though|previously|until now|hitherto|so far|was unknown"
    r"|were unknown)\b",
    re.IGNORECASE,
)
_DONE_HERE = re.compile(
    r"\b(?:is|are|was|were|has been|have been) (?:\w+ly )?(?:made|derived|presented|conducted"
    r"|investigated|described|developed|obtained|measured|given|studied|performed|carried out"
    r"|determined|calculated|examined|reported|analy[sz]ed|evaluated|compared)\b(?! by\b)",
    re.IGNORECASE,
)
"""What a paper did itself, in the passive: no background."""
_UP = r"increased|higher|elevated|greater|raised|improved|enhanced"
_DOWN = r"decreased|lower|reduced|diminished|impaired|depressed"
_MOVED = re.compile(
    rf"\b(?P<what>(?:{_WORD}\s(?:of\s)?){{1,5}}?)(?:was|were|is|are)\s(?:also |found to be )?"
    rf"(?P<how>(?:not )?(?:significantly |markedly |slightly |substantially )?(?:{_UP}|{_DOWN}"
    r"|normal|unchanged|similar))\b"
)

_ADDS = re.compile(
    r"\W*(?:furthermore|moreover|additionally|in addition|also|finally|besides)\b", re.IGNORECASE
)
_ADDRESS = re.compile(r"https?://|\bwww\.")
_AMOUNT = re.compile(r"(?<![\w-])\d+(?:\.\d+)?\s?(?:%|x\b|×|times\b|-?fold\b|points?\b|[a-zμ]+/)")
_LEAST_ODDS: dict[Role, float] = {"background": 2.0, "aim": -0.5, "method": -0.5, "result": 0.5}
"""Log-odds that a sentence's role must have to stand in a cell."""
_TITLED = 0.5
"""Share of the title's words in a sentence on own work which makes it the aim."""
_LEAST_MARGIN = -1.0
"""Log-odds by which another role may be likelier than the wanted one."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with what it measures: both, and ``text`` around them, stand in the sentence."""

    what: str
    value: str
    text: str
    place: int
    certainty: Certainty

    @property
    def key(self) -> tuple[str, ...]:
        """Stems of what is measured, to bring like to like."""
        return tuple(sorted(set(terms(self.what))))

    @property
    def number(self) -> float:
        """For sorting."""
        return float(re.findall(r"\d+(?:\.\d+)?", self.value.replace(",", ""))[0])


@dataclass(frozen=True, slots=True)
class Direction:
    """``what`` went ``how``: 1 up, -1 down, 0 neither; the place of the sentence."""

    what: tuple[str, ...]
    how: int
    place: int


@dataclass(eq=False)
class Material:
    """One abstract as cells. ``salience``: (sentences,) how near each is to the topic."""

    paper: Paper
    sentences: Sequence[str]
    salience: Sequence[float] = ()
    data_sets: frozenset[str] = frozenset()
    number: int = 0
    own: dict[str, Cell] = field(default_factory=dict)

    @cached_property
    def scores(self) -> list[dict[Role, float]]:
        """Log-odds of each role, for each sentence."""
        return role_scores(self.sentences)

    def role(self, place: int) -> Role:
        """The role of a sentence."""
        return max(self.scores[place], key=lambda r: self.scores[place][r])

    def cell(self, text: str, place: int, certainty: Certainty = "sure") -> Cell:
        """``text`` with the sentence it stands in."""
        return Cell(
            text=text, citation=self.number, quote=self.sentences[place], certainty=certainty
        )

    # -- sentences -----------------------------------------------------------------------------

    def sentence(self, *wanted: Role, numbers: bool = False) -> Cell | None:
        """The sentence that does most surely what one of the ``wanted`` roles does."""
        best: tuple[float, float, int] | None = None
        name = short_name(self.paper)
        title = set(terms(self.paper.title))
        for place, text in enumerate(self.sentences):
            here = self.scores[place]
            margin = max(here[r] for r in wanted) - max(here[r] for r in ROLES if r not in wanted)
            # what a paper does is what its title says: an old abstract begins with it
            titled = len(title & set(terms(text))) / max(3, len(title)) if "aim" in wanted else 0.0
            if "aim" in wanted and titled >= _TITLED and _DONE_HERE.search(text):
                margin = max(margin, 2.0)
            elif margin < _LEAST_MARGIN or max(here[r] - _LEAST_ODDS[r] for r in wanted) < 0:
                continue
            if len(text.split()) < 5 or _ADDRESS.search(text):
                continue
            if "background" in wanted and _DONE_HERE.search(text):
                continue
            score = min(margin, 2.0) + 2.0 * (self.salience[place] if self.salience else 0.0)
            score += 1.0 * (here["aim"] > here["method"] and "aim" in wanted) + 2.0 * titled
            score -= 1.0 * bool(_ADDS.match(text))
            if numbers:
                score += 1.2 * bool(_AMOUNT.search(text)) + 0.3 * bool(re.search(r"\d", text))
            elif name and name in text:
                score += 1.0
            if quoted(self.sentences, place) is not None and (best is None or score > best[0]):
                best = (score, margin, place)
        if best is None:
            return None
        text = quoted(self.sentences, best[2]) or self.sentences[best[2]]
        sure: Certainty = "sure" if best[1] > 0 else "likely"
        return Cell(text=text, citation=self.number, quote=text, certainty=sure)

    @property
    def approach(self) -> Cell | None:
        """What it sets out to do, or how."""
        return self.sentence("aim", "method")

    def left_open(self) -> Cell | None:
        """A limit of its own, or what it leaves to others; from its own part only."""
        for place in range(len(self.sentences) - 1, max(0, int(0.6 * len(self.sentences)) - 1), -1):
            text = self.sentences[place]
            found = _OPEN.search(text)
            if found and not _NOT_OPEN.search(text) and self.role(place) == "result":
                whole = quoted(self.sentences, place)
                return self.cell(whole, place) if whole else None
        return None

    # -- numbers -------------------------------------------------------------------------------

    @cached_property
    def measured(self) -> list[Measured]:
        """Numbers of results, with what they measure."""
        found: list[Measured] = []
        for place, text in enumerate(self.sentences):
            if self.role(place) != "result":
                continue
            taken: set[int] = set()
            for pattern in (_CHANGE, _IS, _AFTER):
                for match in pattern.finditer(text):
                    start, end = match.span("value")
                    if pattern is not _AFTER and _GOES_ON.match(text, end):
                        continue
                    what, shown = _what(match, text)
                    if what and not taken & set(range(start, end)):
                        taken |= set(range(start, end))
                        certainty: Certainty = "likely" if _COMPARES.search(text) else "sure"
                        value = text[start:end].strip()
                        found.append(Measured(what, value, shown, place, certainty))
        return found

    def values(self, wanted: str = "") -> list[Cell]:
        """The measured numbers, of ``wanted`` only where it is given."""
        stems = set(terms(wanted))
        return [
            self.cell(m.text, m.place, m.certainty)
            for m in self.measured
            if stems <= set(terms(m.what))
        ]

    def p_values(self) -> list[Cell]:
        """As they stand."""
        return self._all(_P)

    def sample_size(self) -> list[Cell]:
        """``n = 41``, or what was counted in a sentence on method or the first result."""
        given = self._all(_N)
        if len({cell.text for cell in given}) > 1:
            given = []  # of groups
        for place, text in enumerate(self.sentences):
            for match in _SAMPLE.finditer(text):
                sure: Certainty = "sure" if self.role(place) in ("method", "aim") else "likely"
                count, before = match.group().split()[0].casefold(), text[: match.start()]
                if count in _FEW or self.role(place) == "background" or _PART_OF.search(before):
                    continue  # "4 of 20 carriers" is a part of them
                if sure == "sure" or _AMONG.search(before):
                    given.append(self.cell(match.group(), place, sure))
        given.sort(key=lambda cell: cell.certainty != "sure")
        return given[:1]

    def _all(self, pattern: re.Pattern[str]) -> list[Cell]:
        return [
            self.cell(match.group(), place)
            for place, text in enumerate(self.sentences)
            for match in pattern.finditer(text)
        ]

    # -- names ---------------------------------------------------------------------------------

    def data(self) -> list[Cell]:
        """Data sets that are named."""
        cells: dict[str, Cell] = {}
        for place, text in enumerate(self.sentences):
            here = set(_names_in(text))
            for name in sorted(self.data_sets | here, key=len, reverse=True):
                found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)
                known = name in here or re.search(r"\d|[a-z][A-Z]", name)
                if found and known and not any(name in other for other in cells):
                    cells[name] = self.cell(name, place, "sure" if name in here else "likely")
        return list(cells.values())

    def compared_with(self) -> list[Cell]:
        """What it is compared with."""
        cells: dict[str, Cell] = {}
        for place, text in enumerate(self.sentences):
            if self.role(place) == "background":
                continue
            for match in _AGAINST.finditer(text):
                stops = _STOPS_AT if match["nominal"] else _ENDS_AT
                what = _HANGS.sub("", stops.sub("", match["what"]).strip())
                first = what.split(" ", 1)[0].casefold()
                if not match["nominal"] and re.search(r"\s(?:of|from|between)\b|\brate\b", what):
                    continue  # "greater than the mean of …" compares amounts
                if re.fullmatch(r"\w+ed|(?:determine|find|see|show|obtain)\b.*", what):
                    continue  # "than expected"; "compared to determine …"
                if terms(what) and first not in _NO_NAME and not re.search(r"\d", what):
                    cells.setdefault(what.casefold(), self.cell(what, place, "likely"))
        return list(cells.values())

    @cached_property
    def directions(self) -> list[Direction]:
        """What was found higher, lower, or neither."""
        found = []
        for place, text in enumerate(self.sentences):
            if self.role(place) != "result":
                continue
            for match in _MOVED.finditer(text):
                what, how = tuple(sorted(set(terms(match["what"])))), match["how"]
                if len(what) >= 2:
                    sign = 1 if re.search(_UP, how) else -1 if re.search(_DOWN, how) else 0
                    found.append(Direction(what, 0 if how.startswith("not ") else sign, place))
        return found


def _what(match: re.Match[str], text: str) -> tuple[str, str]:
    """What a number measures, and the run of the sentence that says so; empty where unclear."""
    words = match["what"].split()
    if "verb" in match.re.groupindex:
        if _CLAUSE_WORDS & {w.casefold() for w in words} or not terms(match["what"]):
            return "", ""
        return match["what"].strip(), text[match.start("verb") : match.end("value")].strip()
    if match.start("what") > match.start("value"):
        return _what_after(match, text, words)
    bare = re.fullmatch(r"\d+(?:,\d{3})*", match["value"].strip())
    cut = max((n for n, w in enumerate(words) if w.casefold() in STOP_WORDS), default=-1)
    if (bare and not re.search(r"=|score|index|rate", match.group())) or not words[cut + 1 :]:
        return "", ""  # a count, an age, a year; or nothing
    end = match.start("what") + len(match["what"].rstrip())
    start = text.rindex(words[cut + 1], match.start("what"), end)
    while cut >= 0 and (before := _INSIDE.search(text[:start])):  # "ratio of the mean …"
        start = before.start()
    what = text[start:end]
    first = what.partition(" ")[0].casefold()
    set_up = _SETTING.search(text[:start]) and not _RELATIVE.search(match["value"])
    odd = set_up or (first in STOP_WORDS and first != "the") or first.endswith(("ed", "ing"))
    odd = odd or not _CLAUSE_WORDS.isdisjoint(what.casefold().split()) or not what[0].isalpha()
    if odd or len(what) < 2 or not terms(what):
        return "", ""
    return what, text[start : match.end("value")].strip()


def _what_after(match: re.Match[str], text: str, words: Sequence[str]) -> tuple[str, str]:
    """As `_what`, for "92.3% accuracy"."""
    stop = next(
        (n for n, w in enumerate(words) if w.casefold() in STOP_WORDS or w in _AROUND), len(words)
    )
    whole = stop < len(words) or not _GOES_ON.match(text, match.end("what"))
    what = " ".join(words[:stop]) if whole else ""
    if not what or ")" in match["value"] or re.search(r"(?:er|ly|ed|ing|old|s than)$", what):
        return "", ""  # "8 times smaller": of what is not said here
    return what, text[match.start("value") : match.start("what") + len(what)]


@lru_cache(maxsize=20_000)
def _names_in(text: str) -> tuple[str, ...]:
    """What the sentence calls data sets: names beside such a word."""
    found: list[str] = []
    for held in _HELD.finditer(text):
        for pattern, part in (
            (_NAMED_BEFORE, text[max(0, held.start() - _NEAR) : held.end()]),
            (_NAMED_AFTER, text[held.start() : held.end() + _NEAR]),
        ):
            match = pattern.search(part)
            for name in re.split(r", and |, | and ", match[1]) if match else ():
                if terms(name) and name.casefold() not in STOP_WORDS and len(name) > 2:
                    first = text.startswith(name) and re.fullmatch(r"[A-Z][a-z]+", name)
                    if not first and not re.fullmatch(r"[A-Z][a-z]+-[a-z]+", name):
                        found.append(name)
    return tuple(dict.fromkeys(found))


def data_set_names(papers: Iterable[Sequence[str]]) -> frozenset[str]:
    """What any of the papers (each its sentences) calls a data set."""
    return frozenset(name for sentences in papers for text in sentences for name in _names_in(text))
