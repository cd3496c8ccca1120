"""Cells: what can be read out of an abstract by form alone, each with the sentence it stands in.

A cell's ``text`` is a run of the abstract, letter for letter: a whole sentence (with those before
it that it needs to stand alone) where a column asks what a paper does or finds, and a name or a
number with what it measures where it asks for these ("accuracy of 92.3%", "mean age was 12
years", "reduces memory by 8x", "41 patients"). What is read is shown only where a fitted model of
its column (``cell_*``; `eval.cells`) is sure of it by general cues: what its sentence does, its
form, what stands before and after it; else the cell stays empty. No list of any one field's names
is used: data sets are what some paper at hand calls one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain

from assistant.attribution import CUT, answers_nothing, quoted, turned
from assistant.embedding.base import WordEmbedder
from assistant.fitted import load
from assistant.paper import Paper
from assistant.review.contributions import (
    SURE,
    Column,
    contribution_cues,
    contribution_odds,
    form_cues,
    own_before,
    word_cues,
)
from assistant.review.model import Cell, Certainty
from assistant.review.samples import OTHER_WORD, WORD, counts
from assistant.roles import Role, role_scores
from assistant.telling import cues, telling
from assistant.text import STOP_WORDS, terms

__all__ = ["CHANGE", "Direction", "Material", "Measured", "data_set_names"]

_VALUE = (
    r"(?:[~≈<>≤≥±+−-]\s?)?\d+(?:,\d{3})*(?:\.\d+)?"
    r"(?:\s?(?:\$?\s?(?:±|\\pm)\s?\$?|\+/-|\(±|plus or minus)\s?\d+(?:\.\d+)?\)?)?"
    r"(?:\s?(?:to|–|-)\s?\d+(?:\.\d+)?(?=\s?%|\s?[a-zμµ]{1,8}\b))?"
    r"(?:\s?%|\s?per ?cent\b|\s?×|[xX]\b|-?\s?fold\b|\s?times\b|\s?(?:percentage )?points?\b"
    r"|\s?(?:[kMGT]i?B|ms|s|h|Hz|[kMG]Hz|dB|[nμµcmk]?m|[kmμµn]?g|[mμµ]?l|dl|[mμµn]?[mM]ol|kg|mmHg"
    r"|years?|months?|weeks?|days?|hours?|minutes?|seconds?|degrees?|°C?|mV|[mk]?V|[mk]?W|k?cal"
    r"|K|Pa|kPa|psi|ft|lb|m[Ee]q)\b(?:/(?:[a-zA-Zμµ]+)\d?)*)?"
)
_HEDGE = (
    r"(?:(?:only|about|approximately|around|roughly|nearly|almost|over|up to|at (?:least|most)"
    r"|as (?:high|low|much) as|(?:more|less|fewer|higher|lower) than)\s)"
)
"""Before a value, what is a part of it: "over 20%"."""
_LINK = (
    r"(?:\([^()]{1,40}\)\s)?(?:(?:of|was|were|is|are|reached|reaches|averaged|equal(?:s|ed)? to|=|:"
    r"|(?:ros|ris|increas|improv|fell|fall|dropp?|decreas|declin)(?:es?|ed|s)? to|exceeding"
    r"|exceed(?:s|ed))\s(?:an? (?:average|mean|median) of )?|(?=(?:above|below|near|over|as high as"
    r"|as low as|up to|higher than|lower than)\s))"
)
_MOST_NAMED = 5
"""Words of what is measured."""
_MEASURE = rf"(?P<what>(?:{WORD}\s){{0,{_MOST_NAMED - 1}}}?{WORD})"
_IS = re.compile(
    rf"\b{_MEASURE}\s{_LINK}(?P<value>(?:(?:above|below|near) |{_HEDGE})?{_VALUE})"
    r"(?![\w(/-]|[.,]\d)"
)
_AFTER = re.compile(
    r"(?<!\bat )(?<!\b[io][nf] )(?<!\b[io][nf] a )(?<!\bas )(?<!\bto )(?<!about )"
    rf"(?<![\w.,/±-])(?<![-±$]\s)(?<!pm\$)(?P<value>{_VALUE}(?<=[%xX×BsnldtVWz]))\s"
    rf"(?P<what>(?:{WORD}\s){{0,2}}{WORD})"
    r"(?=[\s,.;)]|$)"
)
_CHANGE = re.compile(
    r"\b(?P<verb>(?:reduc|decreas|lower|shorten|increas|rais|improv|boost|accelerat|enhanc"
    r"|exceed|outperform|surpass)\w*|cuts?)\s(?P<what>(?:the |its |their )?(?:[\w’'/+-]+\s){1,5}?)"
    rf"by\s(?:an average of )?(?P<value>{_HEDGE}?{_VALUE})(?![\w(/~-]|[.,]\d)",
    re.IGNORECASE,
)
CHANGE = re.compile(
    r"(?:(?:average|mean|relative|further|overall|total|maximum) )?(?:reduction|increase|decrease"
    r"|improvement|speed-?up|gain|change|drop|rise|degradation|loss)s?",
    re.IGNORECASE,
)
"""A change of which is not said what changed."""
_CLAUSE_WORDS = frozenset("that which who where when while whereas whose and or but".split())
_P = re.compile(r"\b[Pp](?:[- ]value)?\s?(?:[<>=≤≥]|of|was)\s?0?\.\d+(?:\s?[×x]\s?10\S+)?")
_STATED = re.compile(r"\((?:total )?(?P<n>[nN]\s?=\s?\d[\d,]*)\)")
"""A count in brackets of its own; not "S/N = 10", "(n = 0.6)", "(n = 19-25)"."""
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
    r"(?<!large )(?<!small )\b(?:(?P<nominal>compared (?:with|to)|in comparison (?:with|to))"
    r"|outperform\w*|surpass\w*|superior to|inferior to|better than|worse than"
    r"|(?:high|low|few|fast|slow)er than|more \w+ than|less \w+ than)\s"
    r"(?P<what>(?:the |a |an )?(?:(?:[A-Z]\.|[^\s,.;:()]+)\s?){1,14})"
)
_CLAUSE = (
    r"\s(?:while|whereas|when|where|but|which|as|such|is|are|was|were|had|has|have|after|before"
    r"|during|because|if|although|there|it|we|so|even|did|do|does|to)\b.*"
    r"|,?\s(?:and|or)\s(?:\w+ly\s)?\w+ed\s(?:\w+ly|with|to|by|from|in|for|on|that|the|an?)\b.*"
)
_STOPS_AT = re.compile(_CLAUSE, re.DOTALL)
_ENDS_AT = re.compile(
    rf"{_CLAUSE}|\s(?:on|in|at|by|for|with|and|across|under|over|up)\b.*", re.DOTALL
)
"""After "compared with" the whole of what is named; after "outperforms", without where."""
_CUT = re.compile(
    rf"[.,]\d|, (?!\w+ing\b){OTHER_WORD}"
    rf"|\s?(?:{OTHER_WORD})(?!\s(?:by|with|in|on|at|the|an?)\b)(?<!ing)\b"
)
_HANGS = re.compile(r"(?:\s(?:in|on|at|by|of|for|with|and|or|that|the|a|an|only|\w+ly))+$")
_INSIDE = re.compile(
    rf"(?<!\w)(?:{OTHER_WORD}[ -]){{1,3}}?(?:of|in|between) "
    r"(?:the |an? |their |its |our |this |these |all |both )?$"
)
_GOES_ON = re.compile(
    r"\s*(?:(?:and|or|to|plus|,)\s+[\d<>~±]|[xX×]\s?\d|(?:and|or)\s+(?:from|up)\s"
    r"|(?!(?:of|in|on|at|for|to|by|with|from|over|than|per|and|or|but|when|while|after|before|as"
    r"|during|under|across|within|among|relative|compared|using|without|if|which|that|because|is"
    r"|are|was|were|even|only|respectively|versus|vs|where|whereas|although|though)\b)[^\W\d_])"
)
"""After a number, what says that it is not the whole of it: "2.5 or 4", "3.2 courses"."""
_SETTING = re.compile(r"\b(?:at|with|using|under|for|from)\s+(?:an?|the|\w+al)\s+(?:\w+\s+)?$")
_RELATIVE = re.compile(r"%|[x×]$|per ?cent|points?|fold|times", re.IGNORECASE)
"""Before what is measured, a condition ("at a mach number of 7"); not so "at a loss of 2%"."""
_AROUND = frozenset(
    "across among within along using versus whereas relative since following".split()
)
_NO_NAME = frozenset(
    "are is was were do does did of in on for at by with when while if as to from each either both"
    " any another".split()
)
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
_WORK = (
    r"(?:research|stud(?:y|ies)|work|investigations?|trials?|evaluations?|experiments?|exploration"
    r"|tests?|testing|validation|analys[ei]s|data|improvements?)"
)
_LEFT = re.compile(
    rf"\b(?:(?:requires?|needs?|warrants?|deserves?|merits?|calls? for|necessitates?)\s(?:\w+\s)?"
    rf"(?:further|more|additional|larger|future)\s(?:[\w-]+\s){{0,3}}{_WORK}"
    rf"|(?:in|for)\s(?:a\s|the\s|our\s)?future,?\s(?:(?:[\w-]+\s)?{_WORK},?\s)?we\s"
    r"(?:will|plan|intend|hope|aim|would)"
    rf"|future\s(?:[\w-]+\s)?{_WORK}\s(?:will|should|could|can|must|might|may|needs?|has|have"
    r"|includes?|is to)\b"
    r"|(?:has|have|needs?|remains?) to be (?:\w+ (?:and |or )?)?(?:validated|confirmed"
    r"|verified|tested|studied|explored|investigated|addressed|clarified|understood|completed|solved|resolved)"
    r"|(?:main |major |important |key |one |a |our )?limitations? "
    r"(?:of (?:this|our|the)[^.;]{0,60}? )?(?:is|are|was|were|includes?)\b"
    r"|(?:study|work|analysis|results?|findings?|conclusions?|approach|method)"
    r" (?:is|are|was|were) limited (?:by|to|in)"
    r"|(?:interpreted|treated|taken|viewed|generali[sz]ed) (?:\w+ )?with (?:\w+ )?(?:caution|care)"
    r"|open (?:question|problem|issue|challenge)s?\b[^.;]{0,40}\b(?:is|are|remains?)\b)",
    re.IGNORECASE,
)
"""What a paper says of its own limits, or leaves to others, whatever role the sentence seems to
have; `_OPEN` holds what also tells of the gap that a paper fills."""
_NOT_OPEN = re.compile(
    r"\b(?:where|whose|although|while|even though|previously|until now|hitherto|so far|was unknown"
    r"|were unknown)\b",
    re.IGNORECASE,
)
_UP = r"increased|higher|elevated|greater|raised|improved|enhanced"
_DOWN = r"decreased|lower|reduced|diminished|impaired|depressed"
_MOVED = re.compile(
    rf"\b(?P<what>(?:{WORD}\s(?:of\s)?){{1,5}}?)(?:was|were|is|are)\s(?:also |found to be )?"
    rf"(?P<how>(?:not )?(?:significantly |markedly |slightly |substantially )?(?:{_UP}|{_DOWN}"
    r"|normal|unchanged|similar))\b"
)

_OTHERS = re.compile(
    r"(?:\bby|^)\W*(?:[\w.’'-]+,? ){1,5}\((?:1[89]|20)\d\d[a-z]?\)"
    r"|\bit is (?:well|widely|generally|commonly|now) (?:known|accepted|recogni[sz]ed|established)"
    r"|\b(?:has|have|had) (?:\w+ly )?been (?:\w+ ){1,2}(?:by|in) (?:earlier|other|previous)"
    r"|^\W*in (?:\w+ )?(?:recent|earlier|previous) (?:papers?|work|stud(?:y|ies)|reports?)\b",
    re.IGNORECASE,
)
"""What reports the work of others."""
_TELLS = (
    r"(?:discuss|present|describ|provid|report|review|outlin|consider|examin|explor|investigat"
    r"|analy[sz]|address|illustrat|survey|stud[iy]|propos|introduc|summari[sz]|giv"
    r"|compar|evaluat)"
)
_AIMS = re.compile(
    rf"\b(?:we|I|authors?|paper|article|study|work|report|chapter|thesis|note)\s(?:\w+ly\s|also\s"
    rf"|then\s|here\s|further\s|will\s|aims? to\s)*{_TELLS}\w*\b",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"\b(?:is|are|was|were|be|been)\s(?:\w+ly\s|also\s|then\s)*"
    r"(?:(?P<only>discuss|outlin|summari[sz])|present|describ|review|report|consider|examin"
    r"|illustrat|explor|investigat|analy[sz]|address)(?:ed|ied)\b(?!\s(?:to|as)\b)"
    r"(?:\s(?:in|with|for|from|and|by|at|on|here|using|through|based|below)\b[^,;:]*)?\W*$",
    re.IGNORECASE,
)
"""What ends in saying that it is told; ``only`` that, and nothing of how it was done."""
_OUTCOMES = re.compile(
    r"\W*(?:finally,? )?(?:the |our |some |its )?(?:[\w-]+ ){0,2}?(?:results?|findings?"
    r"|observations?|implications?|applications?)\b",
    re.IGNORECASE,
)
_ADDED = re.compile(
    rf"\b(?:we|I|authors?)\s(?:also|finally|further|additionally|then)\s{_TELLS}\w*\b", re.I
)
_PROMISES = re.compile(
    r"\b(?:provid|offer|shed|giv|gain|yield|discuss|highlight)\w*\s(?:\w+\s){0,3}?"
    r"(?:insights?|light|guidance|guidelines?|implications?|understanding|directions?"
    r"|indications?|perspectives?)\b(?! that\b)"
    r"|\bone day\b|\bpotentially\b|\bopens? (?:up )?(?:\w+ ){0,2}"
    r"(?:ways?|doors?|avenues?|possibilit)"
    r"|\bdiscussion\b[^.]{0,40}\bconclud",
    re.IGNORECASE,
)
_GAP = re.compile(
    r"\b(?:ha(?:s|ve) yet to|little is known|remains? (?:\w+ )?(?:unclear|unknown|open|elusive)"
    r"|(?:ha(?:s|ve)|had) not (?:yet )?been|no (?:\w+ ){0,2}(?:study|studies|work|research) ha"
    r"|is poorly|are poorly|one of the (?:main|major|biggest) (?:issue|problem|challenge)s?)\b",
    re.IGNORECASE,
)
_FOUND = re.compile(
    r"^\W*that\b|\d|\bthan\b|\b(?:higher|lower|better|worse|more|less|increas\w+|decreas\w+"
    r"|reduc\w+|improv\w+|outperform\w*|significant\w*|correlat\w+|no (?:difference|effect))\b",
    re.IGNORECASE,
)
"""What a sentence that tells a finding holds: an amount, a clause, a direction."""
_FRAGMENT = re.compile(
    r"[;:,]\s*\(?(?:\d{1,2}|[a-h]|[ivx]{1,4})[.)]+\s*$|^\W*(?:\d{1,2}|[a-h]|[ivx]{1,4})[.)]\s"
)
"""A piece of an enumeration that was taken for a sentence: "two drugs; 2.", "3. Third one."."""
_ALTHOUGH = re.compile(r"\W*(?:while|although|though|despite)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://|\bwww\.")
_CONDITION = re.compile(
    r"\b(?:if|when|where|assuming|given|provided|unless|whether)\b", re.IGNORECASE
)
_UNDER = re.compile(
    r"\b(?:at|for|below|above|under|with|within|per|than|from|until|after|during|using|between|near"
    r"|past|by|to|each|every)\s(?:\w+\s)?$",
    re.IGNORECASE,
)
"""Before a number, what makes it a condition or a mark rather than what was found."""
_IN = re.compile(
    rf"\s(?:in|of)\s(?:the\s|per\s)?{OTHER_WORD}(?:\s{OTHER_WORD}){{0,4}}"
    rf"(?!\s(?:and|or)\b|\s{OTHER_WORD}|[\w’'-])"
)
"""What a change was one of."""
_BOUND = re.compile(rf"(?:\b{_HEDGE}|[<>≤≥~≈∼]\s?)$", re.IGNORECASE)
_NO_NOUN = re.compile(r"(?:er|ly|ed|ing|old|ago|s than)$")
_ATTAINS = (
    r"(?:achiev|reach|attain|obtain|yield|show|gain|giv|produc|report|exhibit|provid|demonstrat"
    r"|observ|perform|deliver|record|find|found|get|got)(?:e?[sd]|es|ing|s|e|n|ed)?"
)
_HAS_VERB = re.compile(rf".*\b{_ATTAINS}\s", re.IGNORECASE)
"""Up to where in the words before a number there is a verb: "models achieve high accuracy"."""
_BEGUN = re.compile(
    rf"(?:^|[,;:(.]\s|\b(?:the|an?|its|their|our|of)\s)((?:{OTHER_WORD}\s){{0,3}})$", re.IGNORECASE
)
_POINTS = re.compile(r"\b(?:its|their|his|her|this|these|that|those)\s$", re.IGNORECASE)
"""Before the one word of what is measured, what says of what in another sentence."""
_CUT_BEFORE = re.compile(r"(?:\b(?:per|each|every|versus|vs\.?)|[\d)%]|\w-)\s?$", re.IGNORECASE)
"""Before what is measured, what shows that its name has been cut: "just 3 active sources"."""
_NO_MEASURE = re.compile(
    r"\b(?:range|order|vicinity|maximum|minimum|total|average)$|\w{3}ed\s"
    r"|^(?:course|period|level|chance|confidence intervals?|CIs?)$"
    r"|^(?:even|only|also|just|still)\b",
    re.IGNORECASE,
)
_MODIFIES = re.compile(rf" (?=[a-z]){OTHER_WORD}\b(?<!ing)(?<!ed)")
_LEAST_WORDS = 6


_ROSE = r"increased|improved|rose|grew"
_FELL = r"decreased|declined|fell|dropped"
_WENT = re.compile(
    rf"\b(?P<what>(?:{WORD}\s(?:of\s)?){{1,5}}?)(?:also\s)?(?P<how>(?:significantly\s|markedly\s"
    rf"|slightly\s|substantially\s)?(?:{_ROSE}|{_FELL}))\b(?!\s(?:by|the|an?|from|risk)\b\s[a-z])"
)
_ROSES = r"increase|rise|improvement|growth|gain"
_FELLS = r"decrease|decline|reduction|drop|fall|loss"
_UPWARD = re.compile(rf"{_UP}|{_ROSE}|{_ROSES}")
_DOWNWARD = re.compile(rf"{_DOWN}|{_FELL}|{_FELLS}")
_CHANGED = re.compile(
    rf"\b(?P<how>(?:no\s)?(?:\w+(?:ant|ed|ial|ight|al)\s)?(?:{_ROSES}|{_FELLS}))\s(?:in|of)\s(?:the\s)?"
    rf"(?P<what>(?:{OTHER_WORD}\s?){{1,4}}?)(?=[,.;]|\s?(?:was|were|in|of|for|with|after|during|by|on)\b)"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with what it measures: both, and ``text`` around them, stand in the sentence."""

    what: str
    value: str
    text: str
    place: int
    cues: Mapping[str, float]

    @property
    def named(self) -> str:
        """What stands beside the value: of a change its verb, or what it was one of."""
        if self.cues["change"]:
            return self.text.removesuffix(self.value).strip()
        after = self.text.startswith(self.value)
        return self.text.removeprefix(self.value).strip() if after else self.what

    @property
    def key(self) -> tuple[str, ...]:
        """Stems of what is measured, or how it changed, to bring like to like."""
        return tuple(sorted(set(terms(self.named))))

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
    """One abstract as cells.

    ``salience``: (sentences,) how near each is to the topic; ``reader``: the program's own
    embedding model, if it is the one that is used.
    """

    paper: Paper
    sentences: Sequence[str]
    salience: Sequence[float] = ()
    data_sets: frozenset[str] = frozenset()
    number: int = 0
    own: dict[str, Cell] = field(default_factory=dict)
    reader: WordEmbedder | None = None

    @cached_property
    def scores(self) -> list[dict[Role, float]]:
        """The chance of each role, for each sentence."""
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

    def background_cues(self, place: int) -> dict[str, float]:
        """What speaks for a sentence's telling of what was known, or lacking."""
        return {
            "odds": _odds(self.scores[place]["background"]),
            "own": own_before(self.scores, place),
            "last": float(place == len(self.sentences) - 1),
            **form_cues(self.sentences[place]),
        }

    @property
    def problem(self) -> Cell | None:
        """The most telling of the sentences that surely tell of what was known, or lacking."""
        sure = [
            place for place in self.eligible
            if _certainty("background", self.background_cues(place)) >= 0
        ]  # fmt: skip
        if not sure:
            return None
        place = max(sure, key=self.telling)
        following = "".join(self.sentences[place + 1 : place + 2])
        if turned(self.sentences, place) or _ALTHOUGH.match(following):
            place += 1  # what is praised is not the problem
        return self._whole(place)

    def announces(self, place: int) -> bool:
        """Whether a sentence tells what the paper does, with no word of what came of it."""
        text = self.sentences[place]
        if _TOLD.search(text):
            return not re.search(r"\d", text)
        return bool(_AIMS.search(text)) and not _FOUND.search(_AIMS.split(text, maxsplit=1)[-1])

    def aside(self, place: int) -> bool:
        """Whether a sentence only adds, promises, or says that something is told or not known."""
        text = self.sentences[place]
        added = bool(_ADDED.search(text)) and self.announces(place)
        vague = bool(_PROMISES.search(text)) and not re.search(r"\d", text)
        told = _TOLD.search(text)
        only = bool(told and (told["only"] or _OUTCOMES.match(text)))
        return added or vague or only or bool(_GAP.search(text))

    def telling(self, place: int) -> float:
        """How near a sentence comes to saying what its paper is; no unit."""
        return telling(self.telling_cues(place))

    def telling_cues(self, place: int) -> dict[str, float]:
        """See `assistant.telling.cues`."""
        near = self.salience[place] if self.salience else 0.0
        return cues(self.paper.title, self.sentences, place, self.scores[place], near)

    @cached_property
    def eligible(self) -> list[int]:
        """Places of sentences that are whole, stand alone, and report no work of others."""
        return [
            place for place, text in enumerate(self.sentences)
            if len(text.split()) >= _LEAST_WORDS
            and not _ADDRESS.search(text)
            and not _OTHERS.search(text)
            and not _FRAGMENT.search(text)
            and quoted(self.sentences, place) is not None
        ]  # fmt: skip

    def _whole(self, place: int, certainty: Certainty = "sure") -> Cell:
        """A sentence with those that it needs to stand alone."""
        text = quoted(self.sentences, place) or self.sentences[place]
        return Cell(text=text, citation=self.number, quote=text, certainty=certainty)

    @cached_property
    def features(self) -> dict[int, dict[str, float]]:
        """What `contribution_cues` tells of each eligible sentence, by place."""
        title = set(terms(self.paper.title))
        told = {}
        for place in self.eligible:
            text = self.sentences[place]
            told[place] = {
                "titled": len(title & set(terms(text))) / max(3, len(title)),
                "leans": float((quoted(self.sentences, place) or text) != text),
                "aside": float(self.aside(place)),
                "announces": float(self.announces(place)),
            }
        return contribution_cues(self.sentences, self.scores, told)

    def places_for(self, column: Column) -> list[int]:
        """Places that may stand in ``column``: what only adds or promises is in none, and what
        announces reports nothing; all, where nothing else is left for what it does.
        """
        places = [p for p in self.eligible if not self.features[p]["aside"]]
        if column == "finds":
            return [p for p in places if not self.features[p]["announces"]]
        return places or self.eligible

    def odds(self, column: Column) -> dict[int, float]:
        """Log-odds beyond those from which a sentence is shown in ``column``, by place."""
        return {place: self._column_odds[place][column] for place in self.places_for(column)}

    @cached_property
    def _column_odds(self) -> dict[int, dict[Column, float]]:
        """For each eligible sentence its log-odds for each column; by its tokens, read alone,
        where the program's own embedding model is at hand.
        """
        found: dict[int, dict[Column, float]] = {}
        for place in self.eligible:
            cues, text, states = self.features[place], self.sentences[place], None
            if self.reader is not None:
                states = self.reader.read(text).lower_tokens
            else:
                cues = cues | word_cues(text)
            found[place] = {
                "does": contribution_odds("does", cues, states),
                "finds": contribution_odds("finds", cues, states),
            }
        return found

    @cached_property
    def contribution(self) -> tuple[Cell | None, Cell | None]:
        """What it does and what it reports, each by its likeliest sentence; never the same one.

        None where no sentence is likely enough, or the other column has the only one.
        """
        does, finds = self.odds("does"), self.odds("finds")
        if not does:
            return self._most_telling, None
        none = (-1, 0.0)
        shown = [none, *((place, odds) for place, odds in does.items() if odds >= 0)]
        reported = [none, *((place, odds) for place, odds in finds.items() if odds >= 0)]
        pairs = ((a, b) for a in shown for b in reported if not self._overlap(a[0], b[0]))
        (one, _), (two, _) = max(pairs, key=lambda pair: pair[0][1] + pair[1][1])
        if one < 0 and two < 0:
            return self._most_telling, None
        return (
            self._whole(one, _told_surely(does[one])) if one >= 0 else None,
            self._whole(two, _told_surely(finds[two])) if two >= 0 else None,
        )

    @property
    def _most_telling(self) -> Cell | None:
        """Where nothing is likely: what tells most is better than nothing."""
        told = [p for p, text in enumerate(self.sentences) if not answers_nothing(text)]
        places = [p for p in self.places_for("does") if p in told] or told
        return self._whole(max(places, key=self.telling), "likely") if places else None

    def _overlap(self, one: int, two: int) -> bool:
        """Whether the quotations of two places hold the same sentence."""
        if one < 0 or two < 0:
            return False
        texts = [quoted(self.sentences, place) or "" for place in (one, two)]
        return self.sentences[one] in texts[1] or self.sentences[two] in texts[0]

    @property
    def approach(self) -> Cell | None:
        """What it sets out to do, or how."""
        return self.contribution[0]

    @property
    def aim(self) -> Cell | None:
        """What it sets out to do, in so many words."""
        likely = {
            place: odds
            for place, odds in self.odds("does").items()
            if odds >= 0 and self.role(place) == "aim"
        }
        place = max(likely, key=likely.__getitem__, default=None)
        return None if place is None else self._whole(place, _told_surely(likely[place]))

    @property
    def finding(self) -> Cell | None:
        """What it reports."""
        return self.contribution[1]

    def left_open(self) -> Cell | None:
        """A limit of its own, or what it leaves to others; from its own part only."""
        for place in range(len(self.sentences) - 1, max(0, int(0.6 * len(self.sentences)) - 1), -1):
            text = self.sentences[place]
            left = _LEFT.search(text) or (self.role(place) == "result" and _OPEN.search(text))
            if left and not _NOT_OPEN.search(text) and not _TOLD.search(text):
                whole = quoted(self.sentences, place)
                return Cell(text=whole, citation=self.number, quote=whole) if whole else None
        return None

    # -- numbers -------------------------------------------------------------------------------

    @cached_property
    def measured(self) -> list[Measured]:
        """Numbers that were surely found, with what they measure."""
        return [one for one in self.numbers_read if _certainty("numbers", one.cues) >= 0]

    @cached_property
    def numbers_read(self) -> list[Measured]:
        """Numbers with what they seem to measure."""
        found: list[Measured] = []
        for place, text in enumerate(self.sentences):
            taken: set[int] = set()
            for pattern in (_CHANGE, _IS, _AFTER):
                for match in pattern.finditer(text):
                    start, end = match.span("value")
                    if pattern is not _AFTER and _GOES_ON.match(text, end):
                        continue
                    what, shown = _what(match, text)
                    if what and not taken & set(range(start, end)):
                        taken |= set(range(start, end))
                        value = text[start:end].strip()
                        if pattern is _AFTER and value in shown:  # "less than 8% degradation"
                            value = shown[: shown.index(value)] + value
                        form = (
                            "change" if pattern is _CHANGE else "is" if pattern is _IS else "after"
                        )
                        cues = self._number_cues(place, shown, value, what, form)
                        found.append(Measured(what, value, shown, place, cues))
        return found

    def _number_cues(
        self, place: int, shown: str, value: str, what: str, form: str
    ) -> dict[str, float]:
        text = self.sentences[place]
        before = text[: text.find(shown)]
        title = set(terms(self.paper.title))
        under = form != "change" and bool(_UNDER.search(before))
        condition = bool(_CONDITION.search(before))
        bracketed = before.count("(") > before.count(")")
        return {
            "result": _odds(self.scores[place]["result"]),
            "change": float(form == "change"),
            "after": float(form == "after"),
            "percent": float(bool(re.search(r"%|per ?cent", value))),
            "times": float(bool(re.search(r"[x×]$|fold|times", value))),
            "bare": float(bool(re.fullmatch(r"[\d,.\s<>~≈]+", value))),
            "bracketed": float(bracketed),
            "counted": float(bool(re.search(r"\ban?\s(?:\w+\s)?$", before))),
            "under": float(under),
            "condition": float(condition),
            "fraction": float(bool(re.match(r"\D*0?\.\d\d", value))),
            "unit": float(bool(re.search(r"\d\s?[a-zμ°]", value))),
            "was": float(bool(re.search(r"\s(?:was|were|is|are)\s", shown))),
            "symbol": float(len(what) < 3),
            "found": self.scores[place]["result"] * (not (under or condition or bracketed)),
            "words": float(len(what.split())),
            "titled": float(bool(title & set(terms(what)))),
        }

    def values(self, wanted: str = "") -> list[Cell]:
        """The measured numbers, of ``wanted`` only where it is given."""
        stems = set(terms(wanted))
        return [self.cell(m.text, m.place) for m in self.measured if stems <= set(terms(m.what))]

    def p_values(self) -> list[Cell]:
        """As they stand."""
        return self._all(_P)

    def sample_size(self) -> list[Cell]:
        """``n = 41``, or what was counted of those that were looked at; the surest alone.

        Where none is sure, the only "(N = 41)" of an abstract that counts nothing else is likely.
        """
        read = [(_certainty("sample", cues), cell) for cell, cues in self.samples_read]
        odds, cell = max(read, key=lambda one: one[0], default=(-math.inf, None))
        if cell and odds >= 0:
            return [cell]
        if len(read) != 1:
            return []
        stated = [
            (match["n"], place)
            for place, text in enumerate(self.sentences)
            for match in _STATED.finditer(text)
        ]
        return [self.cell(text, place, "likely") for text, place in stated if len(stated) == 1]

    @cached_property
    def samples_read(self) -> list[tuple[Cell, dict[str, float]]]:
        """What may be the size of a sample, with what speaks for it."""
        return [
            (self.cell(one.text, one.place), one.cues)
            for one in counts(self.sentences, self.scores)
        ]

    def _all(self, pattern: re.Pattern[str]) -> list[Cell]:
        return [
            self.cell(match.group(), place)
            for place, text in enumerate(self.sentences)
            for match in pattern.finditer(text)
        ]

    # -- names ---------------------------------------------------------------------------------

    def data(self) -> list[Cell]:
        """Data sets that are surely named."""
        return [cell for cell, cues in self.data_read if _certainty("data", cues) >= 0]

    def data_in(self, place: int) -> list[str]:
        """Data sets that are surely named and stand in this sentence."""
        return [
            cell.text for cell in self.data()
            if re.search(rf"(?<![\w/-]){re.escape(cell.text)}(?![\w/-])", self.sentences[place])
        ]  # fmt: skip

    @cached_property
    def shortened(self) -> frozenset[str]:
        """What stands in brackets behind a plain word: "neural architecture search (NAS)"."""
        found = re.findall(r"\b(?P<word>[a-z-]+) \((\w[\w-]+?)s?\)", self.paper.abstract)
        return frozenset(short for word, short in found if not _HELD.search(word))

    @cached_property
    def data_read(self) -> list[tuple[Cell, dict[str, float]]]:
        """What may be the name of a data set, with what speaks for it."""
        cells: dict[str, tuple[Cell, dict[str, float]]] = {}
        for place, text in enumerate(self.sentences):
            here = set(_names_in(text))
            for name in sorted(self.data_sets | here, key=len, reverse=True):
                found = re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", text)
                after = text[found.end() :] if found else ""
                shaped = bool(re.search(r"\d|[a-z][A-Z]", name))
                if name not in here and (_MODIFIES.match(after) or not shaped):
                    continue  # "the DESI collaboration"; what others call a data set
                if found and not any(name in o for o in (*cells, *self.shortened)):
                    cues = {
                        **{r: self.scores[place][r] for r in ("background", "method", "result")},
                        "here": float(name in here),
                        "known": float(name in self.data_sets),
                        "shaped": float(shaped),
                        "capitals": float(bool(re.search(r"[A-Z]{2}", name))),
                        "words": float(len(name.split())),
                        "titled": float(name in self.paper.title),
                        "before": float(
                            bool(
                                re.search(
                                    r"\b(?:on|from|using|with|of|the|and)\s$", text[: found.start()]
                                )
                            )
                        ),
                    }
                    cells[name] = (self.cell(name, place), cues)
        return list(cells.values())

    def compared_with(self) -> list[Cell]:
        """What it is surely compared with."""
        return [c for c, cues in self.comparators_read if _certainty("compared", cues) >= 0]

    @cached_property
    def comparators_read(self) -> list[tuple[Cell, dict[str, float]]]:
        """What something may be compared with, with what speaks for it."""
        cells: dict[str, tuple[Cell, dict[str, float]]] = {}
        for place, text in enumerate(self.sentences):
            for match in _AGAINST.finditer(text):
                stops = _STOPS_AT if match["nominal"] else _ENDS_AT
                what = _HANGS.sub("", stops.sub("", match["what"]).strip())
                what = re.sub(r"^(?:also|even|only|just)\s", "", what)
                first = what.split(" ", 1)[0].casefold()
                if re.fullmatch(r"\w+ed|(?:determine|find|see|show|obtain)\b.*", what):
                    continue  # "than expected"; "compared to determine …"
                if not terms(what) or first in _NO_NAME:
                    continue
                by = match.group().split()[0].casefold()
                after = text[text.index(what, match.start("what")) + len(what) :]
                listed = not match["nominal"] and re.match(r"\s(?:and|or)\b", after)
                if _CUT.match(after) or listed:
                    continue  # "methods of ferri, zakkay, and ting"; "k = 0.32"
                cues = {
                    **{r: self.scores[place][r] for r in ("background", "method", "result")},
                    "than": float(not match["nominal"]),
                    "outdone": float(by.startswith(("outperform", "surpass"))),
                    "ended": float(not after or after[0] in ".;,"),
                    "digit": float(bool(re.search(r"\d", what))),
                    "amount": float(bool(re.search(r"\s(?:of|from|between)\b|\brate\b", what))),
                    "words": math.log(len(what.split())),
                    "capital": float(bool(re.search(r"[A-Z]", what))),
                    "definite": float(first in ("the", "a", "an", "that", "those")),
                    "verb": float(bool(re.search(r"(?:ed|ly|est|ive|ous)$", what))),
                }
                cells.setdefault(what.casefold(), (self.cell(what, place), cues))
        return list(cells.values())

    @cached_property
    def directions(self) -> list[Direction]:
        """What was found higher, lower, or neither."""
        found = []
        for place, text in enumerate(self.sentences):
            if self.role(place) != "result":
                continue
            for match in chain(*(form.finditer(text) for form in (_MOVED, _WENT, _CHANGED))):
                what, how = tuple(sorted(set(terms(match["what"])))), match["how"]
                if len(what) >= 2:
                    sign = 1 if _UPWARD.search(how) else -1 if _DOWNWARD.search(how) else 0
                    none = how.startswith(("not ", "no "))
                    found.append(Direction(what, 0 if none else sign, place))
        return found


def _odds(chance: float) -> float:
    """Log-odds, at most 6 in size."""
    held = min(max(chance, 0.0025), 0.9975)
    return math.log(held / (1.0 - held))


def _told_surely(odds: float) -> Certainty:
    return "sure" if odds >= SURE else "likely"


def _certainty(column: str, cues: Mapping[str, float]) -> float:
    """Log-odds beyond those from which nineteen in twenty cells of a column are right."""
    return load(f"cell_{column}").log_odds(cues)


def _what(match: re.Match[str], text: str) -> tuple[str, str]:
    """What a number measures, and the run of the sentence that says so; empty where unclear."""
    words = match["what"].split()
    if "verb" in match.re.groupindex:
        if _CLAUSE_WORDS & {w.casefold() for w in words} or not terms(match["what"]):
            return "", ""
        return match["what"].strip(), text[match.start("verb") : match.end("value")].strip()
    after = match.start("what") > match.start("value")
    return _what_after(match, text, words) if after else _what_before(match, text, words)


def _what_before(match: re.Match[str], text: str, words: Sequence[str]) -> tuple[str, str]:
    """As `_what`, for "accuracy of 92.3%"."""
    bare = re.fullmatch(r"\d+(?:,\d{3})*", match["value"].strip())
    cut = max((n for n, w in enumerate(words) if w.casefold() in STOP_WORDS), default=-1)
    if (bare and not re.search(r"=|score|index|rate", match.group())) or not words[cut + 1 :]:
        return "", ""  # a count, an age, a year; or nothing
    end = match.start("what") + len(match["what"].rstrip())
    start = text.rindex(words[cut + 1], match.start("what"), end)
    while cut >= 0 and (before := _INSIDE.search(text[:start])):  # "ratio of the mean …"
        start = before.start()
    if told := _HAS_VERB.match(text, start, end):
        start = told.end()
    if cut < 0 and len(words) == _MOST_NAMED:  # it begins before what was read
        begun = _BEGUN.search(text[:start])
        start = begun.start(1) if begun else end
    what = text[start:end] or "-"
    first = what.partition(" ")[0].casefold()
    set_up = _SETTING.search(text[:start]) and not _RELATIVE.search(match["value"])
    odd = set_up or (first in STOP_WORDS and first != "the") or first.endswith(("ed", "ing"))
    after = text[match.end("value") :]
    odd = odd or bool(
        re.match(r" of |\s?(?:\(.*?\) of )?\d", after)
    )  # "40% of the species"; "× 10"
    odd = odd or bool(re.search(r"\b(?:on|in|to|for)\s(?:the\s)?$", text[:start])) or "(" in what
    odd = odd or text[:start].endswith("-") or bool(_NO_MEASURE.search(what))
    odd = odd or (" " not in what and bool(_POINTS.search(text[:start])))
    odd = odd or bool(_CUT_BEFORE.search(text[:start]))
    odd = odd or not _CLAUSE_WORDS.isdisjoint(what.casefold().split()) or not what[0].isalpha()
    if odd or len(what) < 2 or not terms(what):
        return "", ""
    end = match.end("value")
    if CHANGE.fullmatch(what) and (of := _IN.match(text, end)):
        while inside := _IN.match(text, of.end()):
            of = inside
        return f"{what}{CUT}{text[end : of.end()].strip()}", text[start : of.end()]
    return what, text[start:end].strip()


def _what_after(match: re.Match[str], text: str, words: Sequence[str]) -> tuple[str, str]:
    """As `_what`, for "92.3% accuracy"."""
    stop = next(
        (n for n, w in enumerate(words) if w.casefold() in STOP_WORDS or w in _AROUND), len(words)
    )
    whole = stop < len(words) or not _GOES_ON.match(text, match.end("what"))
    what = " ".join(words[:stop]) if whole else ""
    before = text[: match.start("value")]
    cut = ")" in match["value"] or re.search(r"\d\S*\s(?:and|or|to)\s$", before)
    if not what or cut or _NO_MEASURE.search(what) or _NO_NOUN.search(what):
        return "", ""  # "8 times smaller": of what is not said here; "1.0 and 1.5 ms pulses"
    end = match.start("what") + len(what)
    while inside := _IN.match(text, end):
        end = inside.end()
    bound = _BOUND.search(before)
    return what, text[bound.start() if bound else match.start("value") : end]


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
                    if not first and not re.search(r"-[a-z]+$", name):
                        found.append(name)
    return tuple(dict.fromkeys(found))


def data_set_names(papers: Iterable[Sequence[str]]) -> frozenset[str]:
    """What any of the papers (each its sentences) calls a data set."""
    return frozenset(name for sentences in papers for text in sentences for name in _names_in(text))
