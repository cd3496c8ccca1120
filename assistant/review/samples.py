"""Counts in an abstract that may be the size of its sample, each with what speaks for it.

A count is a number in figures or words before a plural: "77 participants", "over 1,300 harbour
pilots", "two hundred and five adults"; or "n = 31". Whether it is what the paper looked at, and not
a part of that or what there is in the world, is told by a fitted model over these cues
(`assistant.review.cells`): what stands before and after, what the sentence does, how general the
noun is. Nouns are of people, animals and things that any field counts, or of those who do
something.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.answering.particulars import SMALL, TENS
from assistant.roles import Role
from assistant.text import STOP_WORDS

__all__ = ["OTHER_WORD", "WORD", "Count", "counted", "counts"]

WORD = r"[^\W\d_][\w’'/+-]*"
"""A word, in a pattern."""
OTHER_WORD = rf"(?!(?:{'|'.join(sorted(STOP_WORDS))}|per|percent|years?)\b){WORD}"
"""One that is neither a stop word nor of a measure."""
_BELOW_100 = rf"(?:(?:{'|'.join(TENS)})(?:[- ](?:{'|'.join(SMALL[:9])}))?|{'|'.join(SMALL)})"
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_SPELLED = (
    rf"(?:(?:an?|{_BELOW_100})(?:[- ](?:{'|'.join(_SCALES)}))+(?:[- ](?:and[- ])?{_BELOW_100})?"
    rf"|{_BELOW_100})"
)
_VALUES = dict(zip(["a", *SMALL], [1, *range(1, 20)], strict=True))
_VALUES |= {"an": 1} | dict(zip(TENS, range(20, 100, 10), strict=True))
_N = re.compile(r"\b[nN]\s?=\s?\d[\d,]*\b")
_SAMPLED = (
    r"(?:patients|participants|subjects|people|persons|individuals|adults|children|infants|newborns"
    r"|neonates|adolescents|students|pupils|women|men|males|females|boys|girls|volunteers|cases"
    r"|families|households|siblings|twins|respondents|workers|teachers|schools|hospitals|firms"
    r"|countries|studies|trials|articles|mice|rats|animals|dogs|rabbits|cats|monkeys|sheep|cells"
    r"|samples|specimens|eyes|images|videos|documents|sentences|questions|items|observations"
    r"|records|examples|instances|scenes|recordings|experiments|tests)"
)
_NO_THINGS = (
    r"(?:years|months|weeks|days|hours|minutes|seconds|times|\w*met(?:er|re)s|degrees|percents?|points"
    r"|folds|bits|dimensions|orders|units|ways|steps|types|kinds|factors|parts)"
)
_THINGS = rf"(?!(?:{_NO_THINGS}|{'|'.join(sorted(STOP_WORDS))})\b)[^\W\d_][\w-]+s(?<!ss|us|is|cs)"
"""A plural that is neither a measure nor a part: "mosses", not "physics", "weeks", "analysis"."""
_AMOUNT_BOUND = (
    r"(?:(?:more|fewer) than|over|about|around|nearly|almost|some|at least|approximately)"
)
_SAMPLE = re.compile(
    rf"(?<![\w.,/^$-])(?<!\bper )(?<!\d )(?P<bound>{_AMOUNT_BOUND}\s)?"
    rf"(?P<count>(?!(?:19|20)\d\d\b)\d[\d,]*(?:\.\d+(?=\smil))?(?:[kKM]\b|\s(?:thousand|million))?"
    rf"|{_SPELLED})\s(?:{OTHER_WORD}\s){{0,4}}?"
    rf"(?P<head>(?:{_THINGS}\s(?={_SAMPLED}))?{_SAMPLED}|{_THINGS}(?:\s{_THINGS})?)\b(?!-)",
    re.IGNORECASE,
)
_KNOWN = re.compile(_SAMPLED, re.IGNORECASE)
_TAKERS = re.compile(
    r"(?:participant|patient|subject|volunteer|respondent|interviewee|informant|individual|rater|annotator)s",
    re.IGNORECASE,
)
"""Nouns of those who take part in what is told, whatever the sentence says of them."""
_DOERS = re.compile(r"\w{2,}(?:[eo]r|ist|ian|ant|ent|ee|ert)s|\w+graduates|\w+nauts", re.IGNORECASE)
"""Nouns of those who do something: players, scientists, participants."""
_STUDIED = re.compile(
    r"\b(?:stud(?:y|ies)|experiments?|surveys?|surveyed|interview\w*|trials?|sample|data ?sets?"
    r"|data|sessions?|workshops?|evaluat\w+|test(?:s|ed)?|recordings?|records?|polls?|questionnaires?"
    r"|cohort|corpus|analysis|meta-analysis|results?)\s(?:[\w-]+\s){0,5}?"
    r"(?:with|of|from|involv\w+|on|across|by|among|in|using|compris\w+|cover\w*|includ\w+|for)\s"
    r"(?:(?:a|the)\s(?:\w+\s)?(?:of\s)?)?$",
    re.IGNORECASE,
)
_TOOK = re.compile(
    r"(?:\s(?!we\b)[\w-]+){0,6}?\s(?:participated|took part|completed|underwent|answered|responded"
    r"|performed|played|reported|rated|used|wore|judged|(?:were|was|are|have been)\s(?:\w+ly\s)?"
    r"(?:\w+ed|studied|shown|given|taken|drawn|chosen|seen|asked)|wh(?:o|ich))\b",
    re.IGNORECASE,
)
_OBJECT = re.compile(
    r"\b(?:we|I|authors?|and|then|also|were|was)\s(?:\w+ly\s)?(?:\w+ed|studied|ran|held|chose|drew"
    r"|took|study|analy[sz]e|examine|investigate|collect\w*|survey|interview|compare|consider|review"
    r"|present|report|synthesi[sz]e|use)"
    r"\s(?:(?:on|with|from|by|for|of|in|across)\s)?(?:(?:a|the)\s\w+\s(?:of\s)?|data\s(?:on|from)\s)?$",
    re.IGNORECASE,
)
_GATHERED = re.compile(
    r"\b(?:collected|recorded|obtained|gathered|generated|acquired|sampled|drawn|taken|measured"
    r"|recruited|answers|responses|judg\w+|ratings?|reviews?|use)\s"
    r"(?:[\w-]+\s){0,3}?(?:from|by|of|in|on)\s(?:over\s|a\stotal\sof\s)?$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    rf"\b(?!(?:{'|'.join(sorted(w.capitalize() for w in STOP_WORDS))})\b)"
    r"[A-Z][a-z]+(?<!ing)(?<!ed)\s$|\b(?:up|\d[\d.,]*)\sto\s$"
)
"""Before what is no count: "Lecture 4 covers", "from 4 to 1250 microinches"."""
_GROUP = re.compile(r"\b(?:groups?|assigned|controls?|arms?|half|sub\w+|each|every|up to)\b", re.I)
_EVER = re.compile(
    r"\b(?:each|every|per|a) (?:year|month|day|week)|worldwide|annual\w*|around the world"
    r"|\btoday\b",
    re.IGNORECASE,
)
"""Beside a count of what there is in the world rather than of what was looked at."""
_LEAST_SAMPLE, _HUGE = 4, 1_000_000
"""Fewer than these are no sample, but where "n =" says so; from so many on it is seldom one."""
_PART_OF = re.compile(
    rf"(?:\band\b.*)(?:\d|\b{_SPELLED})\s(?:of|out of)\s(?:the\s)?$|\band\s$", re.IGNORECASE
)
_AMONG = re.compile(r"\b(?:of|in|on|from|among)\s(?:the\s|all\s|these\s)*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Count:
    """``text``, worth ``number``, stands in the sentence at ``place``; ``cues`` speak for it."""

    text: str
    place: int
    number: int
    cues: dict[str, float]


def counts(sentences: Sequence[str], roles: Sequence[Mapping[Role, float]]) -> list[Count]:
    """The counts of an abstract; ``roles``: the chance of each role, for each sentence."""
    found = [
        one
        for place in range(len(sentences))
        for pattern in (_N, _SAMPLE)
        for match in pattern.finditer(sentences[place])
        if (one := _count(match, place, sentences, roles[place]))
    ]
    for one in found:
        alike = sum(one.cues["n"] == other.cues["n"] for other in found)
        one.cues["others"] = math.log(alike)
        one.cues["only"] = one.cues["n"] * (alike == 1)
        one.cues["first"] = float(one is found[0])
        one.cues["opens"] = one.cues["first"] * one.cues["known"] * one.cues["among"]
        one.cues["largest"] = float(one.number >= max(other.number for other in found))
    return found


def _count(
    match: re.Match[str], place: int, sentences: Sequence[str], roles: Mapping[Role, float]
) -> Count | None:
    """A count with its cues; None where it can be no sample."""
    text = sentences[place]
    before, after = text[: match.start()], text[match.end() :]
    stated = match.re is _N
    number = counted(match.group() if stated else match["count"])
    few = not stated and number < _LEAST_SAMPLE
    if few or not number or _PART_OF.search(before) or _NUMBERED.search(before):
        return None  # "4 of 20 carriers" is a part of them; "Lecture 4 covers"
    if _EVER.search(before[-40:] + after[:50]):
        return None
    head = "" if stated else match["head"]
    kinds = {
        "known": bool(_KNOWN.fullmatch(head)),
        "takers": bool(_TAKERS.fullmatch(head)),
        "doers": bool(_DOERS.fullmatch(head) and not _KNOWN.fullmatch(head)),
        "studied": bool(_STUDIED.search(before)),
        "took": bool(_TOOK.match(after)),
        "object": bool(_OBJECT.search(before)),
        "gathered": bool(_GATHERED.search(before)),
        "total": bool(re.search(r"\b(?:total|sample) of\s$", before)),
    }
    if head and not any(kinds.values()):
        return None
    asked = any(kinds[k] for k in ("studied", "took", "object", "gathered"))
    cues = kinds | {
        "asked": asked and (kinds["known"] or kinds["doers"]),
        "group": bool(_GROUP.search(f"{before[-20:]} {after[:40]}")),
        "bound": bool(head and match["bound"]),
        "modified": len(match.group().split()) > 2,
        "n": stated,
        "spelled": not re.search(r"\d", match.group()),
        "huge": number >= _HUGE,
        "among": bool(_AMONG.search(before)),
        "definite": bool(re.search(r"\b(?:the|all|these)\s$", before)),
        "subject": not before,
        "listed": bool(re.match(r"[^.;]{0,60}?(?:,|and) \d", after)),
        "part": bool(re.match(r"\sof\s|.*\bof (?:whom|them|which)\b", after)),
        "bracketed": before.count("(") > before.count(")"),
        "number": bool(re.search(r"\d", before[-12:])),
    }
    graded = {
        "log": min(4.0, math.log10(number)),
        "place": place / len(sentences),
        **{role: roles[role] for role in ("aim", "method", "result")},
    }
    return Count(match.group(), place, number, {k: float(v) for k, v in cues.items()} | graded)


def counted(text: str) -> int:
    """The value of a count in figures or words; 0 where there is none.

    "1,204", "36K", "two hundred and five", "1 million".
    """
    total, part = 0, 0.0
    for figures, word in re.findall(r"(\d[\d,]*(?:\.\d+)?)|([A-Za-z]+)", text):
        scale = _SCALES.get({"k": "thousand", "m": "million"}.get(word.lower(), word.lower()))
        if figures:
            part += float(figures.replace(",", ""))
        elif scale == _SCALES["hundred"]:
            part *= scale
        elif scale:
            total, part = total + int(part * scale), 0.0
        else:
            part += _VALUES.get(word.casefold(), 0)
    return total + int(part)
