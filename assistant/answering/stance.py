"""Does a sentence say yes or no to a question? Only where that is sure; else it is unclear.

The question's words are taken for a claim ("does X raise Y": X raises Y). A sentence that holds
them speaks for it, unless it denies one of them, turns one round ("lowers Y"), supposes or asks.
Nothing is known of the world here: what cannot be read off the two texts is unclear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from assistant.answering.particulars import CHANGE_AXIS, Direction, Particulars
from assistant.answering.question import Question
from assistant.text import terms

__all__ = ["Stance", "stance"]

_READ_OVER = frozenset(
    terms("really actually true possible anyone somebody ever shown known evidence use used")
)
"""Stems of a question that an answer need not repeat."""
_EVIDENCE = frozenset(
    terms(
        "evidence benefit beneficial advantage efficacy improve improvement effectiveness helpful"
    )
)
_WORKS = frozenset(terms("work help effective benefit useful efficient improve improves success"))
_UNSURE = re.compile(
    r"\b(?:whether|if|may|might|could|would|should|possibl[ey]|perhaps|likely|suggest\w*|assum\w+"
    r"|hypothe\w+|aims?|attempt\w*|investigat\w+|examin\w+|stud(?:y|ied) (?:of|the|how)"
    r"|purpose|objectives?|determine|assess\w*|evaluat\w+|explor\w+|discuss\w*|review\w*"
    r"|question\w*|unclear|unknown|controvers\w+|propos\w+|can|only|some|unless)\b",
    re.IGNORECASE,
)
_DENIER = re.compile(
    r"(?:\b(?:not|no|never|neither|nor|cannot|without|fail(?:s|ed)? to)\b|n['’]t\b)([^,;:.()]*)",
    re.I,
)
_PASSED_OVER = frozenset(
    terms(
        "found find shown show observed seen confirmed demonstrated detected reported significant"
        " significantly convincing clear real statistically appear seem evidence statistical longer"
    )
)
"""Stems between a negation and what it denies."""
_NEED = frozenset(terms("need needs require requires rely relies depend depends necessary"))
_BUT = re.compile(r"\b(?:but|however|although|though|whereas|while|except|than)\b", re.IGNORECASE)
_AGAINST_HELD, _FOR_HELD, _FOR_IN_SENTENCE = 0.7, 0.85, 0.75
"""Shares of the question's idf that the sentence with its title, or alone, must hold."""


@dataclass(frozen=True, slots=True)
class Stance:
    """``says``: sure, or "unclear". ``turns``: how much of the question the sentence denies or
    turns round, in [0, 1], sure or not.
    """

    says: Literal["for", "against", "unclear"]
    turns: float = 0.0


@lru_cache(maxsize=4096)
def _read(text: str) -> Particulars:
    return Particulars.of(text)


def stance(question: Question, sentence: str, title: str) -> Stance:
    """What ``sentence``, of the paper called ``title``, says to ``question``."""
    asked, said = _read(question.text), _read(sentence)
    weights = {t: w for t, w in question.idf.items() if t not in _READ_OVER}
    total = sum(weights.values())
    if not total:
        return Stance("unclear")
    held = set(terms(sentence))
    turned, same = _directions(asked.directions, said.directions)
    held |= {t for mine, _ in (*turned, *same) for t in terms(mine.shown)}
    held |= _NEED if held & _NEED else set()
    alone = sum(w for t, w in weights.items() if t in held) / total
    whole = sum(w for t, w in weights.items() if t in held | set(terms(title))) / total
    denied = (said.denied & weights.keys()) - asked.denied
    same_stems = {t for _, other in same for t in terms(other.shown)}
    turned_stems = {t for _, other in turned for t in terms(other.shown)}
    no_evidence = bool(said.denied & _EVIDENCE and weights.keys() & _WORKS)
    turns = alone * bool(denied or same_stems & said.denied or turned_stems or no_evidence)
    if asked.negated or _UNSURE.search(sentence):
        return Stance("unclear", turns)
    heads = _denied_first(sentence)
    wanted = weights.keys() | same_stems | (_NEED if weights.keys() & _NEED else set())
    says_no = bool(heads & wanted) or no_evidence
    turned_round = bool(turned_stems - said.denied)
    if says_no != turned_round and (says_no or not said.negated) and whole >= _AGAINST_HELD:
        return Stance("against", turns)
    if says_no or turned_round or said.negated or said.denied or _BUT.search(sentence):
        return Stance("unclear", turns)
    sure = len(same) >= bool(asked.directions) and whole >= _FOR_HELD and alone >= _FOR_IN_SENTENCE
    return Stance("for" if sure else "unclear", turns)


def _denied_first(sentence: str) -> set[str]:
    """The stem that each negation of ``sentence`` denies first."""
    found: set[str] = set()
    for denier in _DENIER.finditer(sentence):
        rest = [t for t in terms(denier[1]) if t not in _PASSED_OVER]
        found.update(rest[:1])
    return found


def _directions(
    asked: tuple[Direction, ...], said: tuple[Direction, ...]
) -> tuple[list[tuple[Direction, Direction]], list[tuple[Direction, Direction]]]:
    """The directions of the question with those of the sentence: turned round, and the same."""
    pairs = [
        (mine, other)
        for mine in asked
        for other in said
        if mine.axis == other.axis != CHANGE_AXIS and mine.context & other.context
    ]
    same = [pair for pair in pairs if pair[0].up == pair[1].up]
    kept = {mine.shown for mine, _ in same}
    return [p for p in pairs if p[0].up != p[1].up and p[0].shown not in kept], same
