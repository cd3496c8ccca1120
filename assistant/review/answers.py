"""A topic that is a yes-or-no question: what the papers say to it, each in one sentence.

Yes or no is the reader's to judge: told by words alone, it was wrong too often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assistant.answering.forms import asking
from assistant.attribution import answers_nothing, quoted
from assistant.review.cells import Material
from assistant.review.comparing import Statement, name_of
from assistant.review.model import ReviewSentence
from assistant.text import terms

__all__ = ["answers"]

_HELD = 0.6
"""Share of the question's words, by idf, that a sentence with its paper's title must hold."""
_MOST = 8
Idf = Callable[[str], float]


def answers(topic: str, materials: Sequence[Material], idf: Idf) -> list[ReviewSentence]:
    """The nearest sentence of each paper, nearest first; none for a topic that asks nothing."""
    asked = asking(topic)
    if asked is None or asked.form != "yes_no":
        return []
    found = [(m, told) for m in materials if (told := _evidence(topic, m, idf))]
    found.sort(key=lambda pair: -pair[1][0])
    return [
        Statement().cite(m, words, shown=f"{name_of(m.paper)}: “{words}”").done()
        for m, (_, words) in found[:_MOST]
    ]


def _evidence(topic: str, material: Material, idf: Idf) -> tuple[float, str] | None:
    """How near one paper comes, and the words that do."""
    told: list[tuple[float, str]] = []
    wanted = set(terms(topic))
    weight = sum(map(idf, wanted)) or 1.0
    title = set(terms(material.paper.title))
    for place, text in enumerate(material.sentences):
        words = quoted(material.sentences, place)
        own = wanted & set(terms(text))
        share = sum(map(idf, wanted & (own | title))) / weight
        if words is None or not own or share < _HELD or answers_nothing(text):
            continue
        near = material.salience[place] if material.salience else share
        told.append((near + 0.2 * (material.role(place) == "result"), words))
    return max(told, default=None)
