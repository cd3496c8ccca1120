"""Does a sentence deny, or turn round, what a question supposes? For the order of sentences.

It is not told to a reader as a yes or a no: by words alone that was wrong too often.
"""

from __future__ import annotations

import re
from functools import lru_cache

from assistant.answering.particulars import CHANGE_AXIS, Particulars
from assistant.answering.question import Question
from assistant.text import terms

__all__ = ["finds_none", "turns"]

_NO_CHANGE = re.compile(
    r"\b(?:no|without(?: any)?|nor|lack of) (?:[\w-]+ ){0,3}?(?:differences?|effects?|changes?"
    r"|improvements?|benefits?|associations?|impact|influence|increases?|decreases?|reductions?"
    r"|interactions?|correlations?)\b"
    r"|\b(?:did|do|does|was|were|is|are|could|had|has|have)(?:n['’]t| not) (?:\w+ ){0,2}?"
    r"(?:differ\w*|chang\w*|affect\w*|alter\w*|influence\w*|improv\w*|increas\w*|decreas\w*"
    r"|reduc\w*|significant\w*|associated|superior|better|lower|higher|modif\w*)\b"
    r"|\bnon-?significant|\bnot (?:statistically )?significant\w*"
    r"|\b(?:unchanged|unaffected|similar|comparable|equivalent|the same|failed to|neither)\b",
    re.IGNORECASE,
)
"""A sentence that tells of no change or difference. Of 860 sentences that decide a comparison of
clinical trials, 73% of those that found none have it, and 4% of those that found one."""


@lru_cache(maxsize=4096)
def _read(text: str) -> Particulars:
    return Particulars.of(text)


def turns(question: Question, sentence: str, title: str = "") -> float:
    """Share of ``question``, by idf, in a sentence that denies it or turns it round, with the
    ``title`` of its paper; 0 where it does not, or has nothing of the question itself.
    """
    asked, said = _read(question.text), _read(sentence)
    pairs = [
        (mine, other)
        for mine in asked.directions
        for other in said.directions
        if mine.axis == other.axis != CHANGE_AXIS and mine.context & other.context
    ]
    same = {mine.shown for mine, other in pairs if mine.up == other.up}
    turned = any(mine.up != other.up and mine.shown not in same for mine, other in pairs)
    same_stems = {t for a, b in pairs if a.up == b.up for t in terms(b.shown)}
    denied = (said.denied & question.idf.keys()) - asked.denied or same_stems & said.denied
    if not (turned or denied or finds_none(question, sentence)):
        return 0.0
    held = {*terms(sentence), *(t for mine, _ in pairs for t in terms(mine.shown))}
    if not any(t in held for t in question.idf):
        return 0.0
    held.update(terms(title))
    total = sum(question.idf.values())
    return sum(w for t, w in question.idf.items() if t in held) / total if total else 0.0


def finds_none(question: Question, sentence: str) -> bool:
    """Whether ``sentence`` tells of no change, where ``question`` supposes one."""
    asked = _read(question.text)
    supposes = bool(asked.directions) and not asked.denied
    return supposes and _NO_CHANGE.search(sentence) is not None
