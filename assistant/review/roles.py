"""What a sentence of an abstract does there: problem, method, result, limits, open question.

Told by wording and place, without a model: cues such as "we propose" or "however", numbers, and
where in its abstract a sentence stands. The scores only order sentences of one abstract; a role
that no sentence clearly has stays empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.review.search import UsedPaper
from assistant.review.wording import name_of, unopened

__all__ = ["BOILERPLATE", "VACUOUS", "Reading", "points_back", "read"]

_NEW = r"(?:propose|introduce|present|develop|design|devise|describe|formulate|offer|build|create)"
_PROBLEM = re.compile(
    r"\b(?:however|challeng\w+|suffers?|limit(?:s|ed|ing|ations?)|bottleneck|costly|expensive"
    r"|difficult\w*|prohibitive\w*|hinder\w*|lacks?|remains?|struggl\w+|issue|problem|fails?"
    r"|overhead|inefficien\w+|redundan\w+|degrad\w+|nevertheless|unfortunately|overlook\w*"
    r"|high (?:cost|memory|computational)|neglect\w*|unexplored|impractical|memory demands?)\b",
    re.IGNORECASE,
)
_METHOD = re.compile(
    rf"\b(?:we|this (?:paper|work|study|article|survey)|the authors)\s+(?:\w+ly\s+|also\s+|then\s+"
    rf"|first\s+|therefore\s+|thus\s+)?{_NEW}s?\b|\b(?:is|are) proposed\b|\bcalled\s+[A-Z]"
    r"|\bwe (?:study|investigate|explore|examine|revisit|analy[sz]e|consider|extend|show how|prove"
    r"|survey|review|evaluate|compare|benchmark|conduct|provide|leverage|exploit|adopt|apply)\b"
    r"|\bthis (?:paper|work|study|article|survey)\b(?! was| were)|\bour (?:method|approach"
    r"|framework"
    r"|model|algorithm|key idea|main idea)\b|\b(?:systematic|comprehensive) (?:survey|review"
    r"|study)",
    re.IGNORECASE,
)
_STRONG_METHOD = re.compile(
    rf"\b(?:we|this (?:paper|work|study|article|survey)|the authors)\s+(?:\w+ly\s+|also\s+"
    rf"|therefore\s+|thus\s+)?{_NEW}s?\b|\b(?:in|of) this (?:paper|work|study)\b",
    re.IGNORECASE,
)
_ADDITION = re.compile(
    r"^(?:additionally|furthermore|moreover|also|besides|further|we also)\b", re.IGNORECASE
)
_RESULT = re.compile(
    r"\b(?:results?|experiments?|evaluations?|outperform\w*|surpass\w*|achiev\w+|demonstrat\w+"
    r"|improv\w+|reduc\w+|speed-?ups?|faster|we (?:show|find|observe|found)|yield\w*|reach\w*"
    r"|attain\w*|gains?|superior|comparable|state-of-the-art|findings?|on par|exceed\w*|reveal\w*"
    r"|(?:rises?|increases?|raises?|falls?|grows?)(?=.*\d)"
    r"|maintain\w*|retain\w*|preserv\w+|compress(?:es|ed)|verified)\b",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"\b(?:at the (?:cost|expense|price) of|limitations?\b|is (?:still )?limited"
    r"|are (?:still )?limited"
    r"|(?:does|do|did) not (?:always|generali[sz]e|scale|help|improve|work|hold|transfer|guarantee"
    r"|contribute|outperform|necessarily|reach|match)|cannot|fails? to|restricted to|not always"
    r"|inferior|worse|lags?\b|centered on|simplified|underperform\w*|no (?:gain|benefit"
    r"|improvement)"
    r"|only (?:when|if|for|under)\b|sensitive to|collapses?|diminishing|hurts?|overestimat\w+"
    r"|(?:performance|accuracy) (?:drop|loss) of)\b",
    re.IGNORECASE,
)
_NO_LIMIT = re.compile(
    r"\b(?:only|minor|minimal|negligible|without|no|less|little|lower|reduc\w+|avoid\w*"
    r"|mitigat\w+|prevent\w*"
    r"|address\w*|overcom\w+|eliminat\w+|alleviat\w+)\b.{0,50}\b(?:loss|degradation|drops?"
    r"|limitations?"
    r"|cost|collapse|trade-?offs?)\b",
    re.IGNORECASE,
)
VACUOUS = re.compile(
    r"\b(?:(?:remarkable|strong|superior|excellent|competitive|promising|impressive|outstanding)"
    r" (?:performance|results?|efficacy)|effectiveness of|demonstrate the (?:effectiveness"
    r"|superiority)"
    r"|wide range of|validate the|opens? up|offers? (?:a|insights?)|best practices)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\bfuture (?:work|research|studies|directions?|investigation)|\b(?:remains?|is|are)\s+"
    r"(?:still\s+|an?\s+|largely\s+|relatively\s+|mostly\s+|poorly\s+)*(?:open\b|unclear|unexplored"
    r"|under-?explored|unknown|unresolved|unsolved|under-?studied|understood|elusive|unanswered"
    r"|to be (?:explored|seen|understood))|\bopen (?:questions?|problems?|challenges?|issues?)"
    r"|\b(?:needs?|requires?|warrants?|for|in|motivat\w+|inspir\w+|encourag\w+) further (?:research"
    r"|work|study|studies|investigation)\b|\blittle is known\b"
    r"|\bnot (?:yet )?(?:been )?"
    r"(?:well |fully )?(?:understood|explored|studied)|\bresearch directions\b"
    r"|\bkey challenges and\b"
    r"|\bremaining challenges\b|\bcall(?:s|ing)? for\b",
    re.IGNORECASE,
)
_FUTURE = re.compile(
    r"\bfuture\b|\bfurther (?:research|work|study)|\bopen (?:questions?|problems?|challenges?)"
    r"|directions\b|\bremaining challenges\b|\bcall(?:s|ing)? for\b",
    re.IGNORECASE,
)
BOILERPLATE = re.compile(
    r"https?://|\bgithub\b|\b(?:code|source code|models?|weights|data(?:sets?)?|project page"
    r"|checkpoints?|repository|implementation)\b.{0,80}\b(?:available|released?|releasing"
    r"|open-?sourced?|accessible|found at)\b|^keywords\b|\bour (?:main )?contributions?\b"
    r"|\bwe hope\b|\bthis paper is organi[sz]ed\b|\baccepted (?:at|to)\b|\bpaving the way\b"
    r"|\bvaluable (?:resource|insights)\b|\bwe (?:release|open-source|make)\b"
    r"|\bdemos?\b.{0,40}\bat\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"^(?:this|these|those|such|they|its|their|both|here|he|she|the (?:former|latter|two|three"
    r"|other|second|first|resulting|same|proposed|above)|another|second(?:ly)?|third(?:ly)?|finally"
    r"|then|that|doing so|to (?:address|tackle|overcome|mitigate|solve|achieve|do) (?:this|these"
    r"|that|the)|building (?:up)?on (?:this|these|that)|based on (?:this|these|that)|as (?:a|such)"
    r"|for (?:this|instance|example)|in (?:this|contrast)|one (?:is|of)|by doing|with (?:this"
    r"|these)"
    r"|using (?:this|these)|from (?:this|these)|under (?:this|these)|through (?:this|these)"
    r"|first\b|i\.e|e\.g|when )\b",
    re.IGNORECASE,
)
_FINE_BACK = re.compile(
    r"^(?:this|the proposed|in this) (?:paper|work|study|article|survey|method|approach"
    r"|framework)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:however|nevertheless|unfortunately|moreover|furthermore|additionally|specifically"
    r"|in addition|in particular|as a result|therefore|thus|yet|but|while|notably|overall),?\s+",
    re.IGNORECASE,
)
_INNER_BACK = re.compile(
    r"\b(?:these|those|this|such an?|the (?:above|former|latter)) (?:issues?|problems?|challenges?"
    r"|shortcomings?|limitations?|gaps?|insights?|observations?|findings?|mechanisms?|problem"
    r"|techniques?|approach(?:es)?|methods?|gains|results|advances|benefits|factors|outliers"
    r"|properties)\b",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_FRAGMENT = 5
"""Words below which a sentence says too little."""


def points_back(text: str) -> bool:
    """Whether the sentence rests on what stood before it in its abstract."""
    bare = _LEAD.sub("", unopened(text.strip()))
    return bool(
        (_POINTS_BACK.match(bare) and not _FINE_BACK.match(bare)) or _INNER_BACK.search(bare)
    )


@dataclass
class Reading:
    """What was read out of one abstract: places of its sentences, None where it does not say.

    ``results``: all sentences that report something, best first. ``salience``: (sentences,)
    cosine of each sentence to the topic plus that to its abstract, halved.
    """

    problem: int | None = None
    method: int | None = None
    result: int | None = None
    limits: int | None = None
    results: list[int] = field(default_factory=list)
    open_late: list[int] = field(default_factory=list)
    open_early: list[int] = field(default_factory=list)
    salience: list[float] = field(default_factory=list)


def read(used: UsedPaper, topic_vector: NDArray[np.float32]) -> Reading:
    """Reads one abstract; ``topic_vector`` is (dimension,)."""
    count, name = len(used.sentences), name_of(used.paper)
    reading = Reading()
    if not count:
        return reading
    cosines = 0.5 * (used.vectors @ topic_vector) + 0.5 * (used.vectors @ used.vector)
    reading.salience = [float(c) for c in cosines]
    at = [n / max(1, count - 1) for n in range(count)]
    usable = [
        n
        for n in range(count)
        if len(used.sentences[n].split()) >= _FRAGMENT and not BOILERPLATE.search(used.sentences[n])
    ]
    scores: dict[str, dict[int, float]] = {"method": {}, "problem": {}, "limits": {}, "result": {}}
    for n in usable:
        text, base = used.sentences[n], reading.salience[n]
        back = 0.5 * points_back(text)
        if _METHOD.search(text):
            strong = 1.0 * bool(_STRONG_METHOD.search(text)) - 0.7 * bool(_ADDITION.match(text))
            back_inside = 0.7 * bool(_INNER_BACK.search(unopened(text)))
            strong += 0.3 * (not name.startswith("“") and name in text)
            short = 0.5 * (len(text.split()) < 9)
            scores["method"][n] = (
                base + strong - back - back_inside - short - 0.4 * abs(at[n] - 0.35)
            )
        elif _begins_with(name, text) and 0.2 <= at[n] <= 0.8 and not _RESULT.search(text):
            scores["method"][n] = base + 0.7 - 0.4 * abs(at[n] - 0.35)
        ours = re.search(r"\b(?:we|our)\b|^\W*(?:in )?this (?:paper|work|study)\b", text, re.I)
        if _PROBLEM.search(text) and at[n] <= 0.55 and not _STRONG_METHOD.search(text) and not ours:
            contrast = 0.25 * bool(re.match(r"(?:however|nevertheless|yet|but)\b", text, re.I))
            scores["problem"][n] = base + contrast - back - 0.3 * at[n]
        if _LIMITS.search(text) and at[n] >= 0.5 and not _NO_LIMIT.search(text):
            scores["limits"][n] = base + 0.2 * at[n] - back
        if _RESULT.search(text) and at[n] >= 0.3:
            numbers = 0.35 * min(3, len(_DIGIT.findall(text))) / 3
            empty = 0.3 * bool(VACUOUS.search(text) and not numbers)
            scores["result"][n] = 0.6 * base + numbers + 0.3 * at[n] - 0.6 * back - empty
        if _OPEN.search(text):
            late = at[n] >= 0.6 or _FUTURE.search(text)
            (reading.open_late if late else reading.open_early).append(n)
    standing = [n for n in usable if not points_back(used.sentences[n])]
    rest = [n for n in standing if n not in scores["problem"]] or usable or list(range(count))
    central = max(rest, key=lambda n: (reading.salience[n], -n))
    reading.method = central if not scores["method"] else _best(scores["method"])
    return _settled(reading, scores)


def _settled(reading: Reading, scores: dict[str, dict[int, float]]) -> Reading:
    """Gives each role its sentence; no sentence has two roles beside that of the method."""
    if reading.method is None:
        return reading
    for role in ("limits", "problem"):
        scores[role].pop(reading.method, None)
    scores["limits"] = {n: s for n, s in scores["limits"].items() if n > reading.method}
    scores["result"].pop(reading.method, None)
    reading.problem = _best(scores["problem"])
    reading.results = sorted(scores["result"], key=lambda n: (-scores["result"][n], n))
    reading.result = reading.results[0] if reading.results else None
    reading.limits = _best(scores["limits"])
    return reading


def _begins_with(name: str, text: str) -> bool:
    return not name.startswith("“") and _LEAD.sub("", text).startswith(name)


def _best(scores: dict[int, float]) -> int | None:
    return max(scores, key=lambda n: (scores[n], -n)) if scores else None
