"""A topic that is a yes-or-no question: which papers say yes, which say no, which leave it open.

A paper stands on a side only where one sentence of its findings holds the question's words, and
turns them the way the question asks, or the other way, in words that state and do not suppose
(`assistant.answering.particulars`: directions, negations, hedges). All else is unclear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from assistant.answering.forms import asking
from assistant.answering.particulars import Particulars
from assistant.attribution import answers_nothing, quoted
from assistant.review.cells import Material
from assistant.review.comparing import Statement, name_of
from assistant.review.model import Side, Stance
from assistant.text import terms

__all__ = ["sides", "stance"]

_HELD = 0.6
"""Share of the question's words, by idf, that a sentence with its paper's title must hold."""
_UNCLEAR = 6
_SUPPOSED = re.compile(
    r"\b(?:may|might|could|would|should|suggest\w*|appear\w*|seem\w*|possibl[ey]|perhaps|probabl[ey]"
    r"|likely|whether|hypothes\w+|expected|in some|sometimes|some (?:of|patients|cases|models))\b"
    r"|\b(?:but|although|however|while|whereas|except|unless|only (?:if|when)|if|despite)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|no|nor|neither|none|cannot|never|without|fail(?:s|ed)? to|lack of)\b|n['’]t\b",
    re.IGNORECASE,
)

_LINK = re.compile(
    r"\b(?:of|in|at|for|on|with|by|from|to|over|under|than|when|during|after|before|between)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[,;:()]|\b(?:which|that|whether|and)\b")

Idf = Callable[[str], float]


def sides(topic: str, materials: Sequence[Material], idf: Idf) -> list[Side]:
    """For, against, unclear, each paper with its sentence; empty for a topic that asks nothing."""
    asked = asking(topic)
    if asked is None or asked.form != "yes_no":
        return []
    held: dict[Stance, list[tuple[Material, str]]] = {"for": [], "against": [], "unclear": []}
    found = [(m, told) for m in materials if (told := _evidence(topic, m, idf))]
    for material, (_, side, words) in sorted(found, key=lambda pair: -pair[1][0]):
        held[side].append((material, words))
    return [
        Side(
            stance=side,
            sentences=[
                Statement().cite(m, words, shown=f"{name_of(m.paper)}: “{words}”").done()
                for m, words in told[: _UNCLEAR if side == "unclear" else None]
            ],
        )
        for side, told in held.items()
        if told
    ]


def _evidence(topic: str, material: Material, idf: Idf) -> tuple[float, Stance, str] | None:
    """How near one paper comes, its side, and the words that put it there."""
    told: list[tuple[bool, float, Stance, str]] = []
    wanted = set(terms(topic))
    weight = sum(map(idf, wanted)) or 1.0
    title = set(terms(material.paper.title))
    for place, text in enumerate(material.sentences):
        words = quoted(material.sentences, place)
        own = wanted & set(terms(text))
        share = sum(map(idf, wanted & (own | title))) / weight
        if words is None or not own or share < _HELD or answers_nothing(text):
            continue
        result = material.role(place) == "result"
        side = stance(topic, text) if result else "unclear"
        near = material.salience[place] if material.salience else share
        told.append((side != "unclear", near + 0.2 * result, side, words))
    sure = {side for is_sure, _, side, _ in told if is_sure}
    if not told:
        return None
    _, near, side, words = max(told)
    return near, (side if len(sure) < 2 else "unclear"), words  # who says both says neither


def stance(question: str, sentence: str) -> Stance:
    """Whether ``sentence`` says yes, or no, to a yes-or-no ``question``; unclear where unsure."""
    asked = Particulars.of(question)
    if not asked.directions or _SUPPOSED.search(sentence):
        return "unclear"
    turned = asked.directions[0]  # "improve", not the "small" of "small models"
    before, _, after = question.partition(turned.shown)
    heads = {_head(before), _head(after)} - {""}
    found: set[bool] = set()
    for direction in Particulars.of(sentence).directions:
        clause = _clause(sentence, direction.shown)
        if direction.axis == turned.axis and heads <= set(terms(clause)):
            denied = _DENIED.search(clause.partition(direction.shown)[0]) is not None
            found.add((direction.up == turned.up) != denied)
    if len(found) != 1:
        return "unclear"
    return "for" if found.pop() else "against"


def _head(text: str) -> str:
    """Stem of the noun that the words are about: "stress" of "the buckling stress of cylinders"."""
    named = [part for part in map(terms, _LINK.split(text)) if part]
    return named[0][-1] if named else ""


def _clause(sentence: str, word: str) -> str:
    """The part between marks, "which" and "that" which holds the word."""
    return next((part for part in _BREAK.split(sentence) if word in part), "")
