"""Which sentence of an abstract says what its paper is, for lists, reviews and tables.

A fitted model (`assistant.fitted`, ``telling``; `eval.telling`) on what the sentence does in its
abstract, how much of the title it holds, its meaning and its form; no field's words play a part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.attribution import answers_nothing, quoted
from assistant.fitted import load
from assistant.roles import Role, role_scores
from assistant.text import terms

__all__ = ["BACKGROUND", "cues", "most_telling", "telling"]

_ADDS = re.compile(
    r"\W*(?:furthermore|moreover|additionally|in addition|also|finally|besides)\b", re.IGNORECASE
)
BACKGROUND = 0.5
"""Chance from which a sentence is of the background."""


def cues(
    title: str,
    sentences: Sequence[str],
    place: int,
    roles: Mapping[Role, float],
    near: float,
) -> dict[str, float]:
    """What speaks for the sentence at ``place``: its chances of each role, the share of the
    title's stems that it holds, how ``near`` in meaning it is (a cosine), whether it only adds,
    or leans on the one before.
    """
    text, stems = sentences[place], set(terms(title))
    return {
        **{str(role): chance for role, chance in roles.items()},
        "titled": len(stems & set(terms(text))) / max(3, len(stems)),
        "near": near,
        "adds": float(bool(_ADDS.match(text))),
        "leans": float((quoted(sentences, place) or text) != text),
    }


def telling(found: Mapping[str, float]) -> float:
    """How near a sentence with these `cues` comes to saying what its paper is; no unit."""
    return load("telling").log_odds(found)


def most_telling(
    title: str,
    sentences: Sequence[str],
    near: Sequence[float],
    beside: Sequence[float] | None = None,
) -> list[int]:
    """The places of the sentences that may stand alone, the most telling first.

    What is background comes last; ``near``: (sentences,) cosine of each to the paper, or to what
    is asked of it; ``beside``: (sentences,) what else each is worth, in log-odds.
    """
    scores = role_scores(sentences)
    order = [
        (
            scores[place]["background"] < BACKGROUND,
            telling(cues(title, sentences, place, scores[place], near[place]))
            + (beside[place] if beside else 0.0),
            -place,
        )
        for place, text in enumerate(sentences)
        if not answers_nothing(text) and quoted(sentences, place) is not None
    ]
    return [-place for *_, place in sorted(order, reverse=True)]
