"""What a paper does and what it reports: the sentence of its abstract for each of the two.

Two fitted models (`assistant.fitted`, ``contribution_does`` and ``contribution_finds``;
``python -m eval.contributions``) say of every sentence how likely a careful reader would take it
for one that tells what the paper sets out to do, or something that it found, showed or claims: by
what the sentence and its neighbours do in the abstract (`assistant.roles`), where it stands, its
form, and the common words of scholarship.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

from assistant.fitted import load
from assistant.roles import ROLES, Role

__all__ = ["SURE", "Column", "contribution_cues", "contribution_odds", "word_cues"]

Column = Literal["does", "finds"]

SURE = 1.0
"""Log-odds beyond those from which a sentence is shown, from which it is sure: the models are
scaled so that it is shown from 0, and from 1 on 98 in 100 of those fitted on are right."""
_MOST = 5.0
_TOKEN = re.compile(r"[a-z]+|\d[\d.,]*|%")
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|been|being)\s(?:\w+ly\s)?\w+(?:ed|en|wn|ne|ade)\b(?!\sby\b)",
    re.IGNORECASE,
)
_HEDGED = re.compile(r"\b(?:may|might|should|would|will|could|must)\b", re.IGNORECASE)


def contribution_odds(column: Column, cues: Mapping[str, float]) -> float:
    """Log-odds beyond those from which a sentence is shown in ``column``: "does" or "finds"."""
    return load(f"contribution_{column}").log_odds_of_few(cues)


def word_cues(sentence: str) -> list[str]:
    """Words and pairs of neighbours, each once and in quotation marks; a number is "0"."""
    tokens = ["0" if t[0].isdigit() else t for t in _TOKEN.findall(sentence.casefold())]
    found = dict.fromkeys([*tokens, *(f"{a} {b}" for a, b in pairwise(tokens))])
    return [f"'{words}'" for words in found]


def contribution_cues(
    sentences: Sequence[str],
    place: int,
    scores: Sequence[Mapping[Role, float]],
    told: Mapping[str, float],
) -> dict[str, float]:
    """What tells of the sentence at ``place``, by name, without its words.

    Args:
        sentences: of the abstract, in order.
        scores: (sentences,) the chance of each role.
        told: what the caller knows of its form.
    """
    odds = [{role: _odds(one[role]) for role in ROLES} for one in scores]
    found = {str(role): odds[place][role] for role in ROLES}
    for step in (-1, 1):
        beside = odds[place + step] if 0 <= place + step < len(odds) else None
        for role in ("background", "result"):
            found[f"{role}{step:+}"] = beside[role] if beside else 0.0
    results = [one["result"] for one in odds]
    text, along = sentences[place], place / max(1, len(sentences) - 1)
    return {
        **found,
        "result_before": max(results[:place], default=-_MOST),
        "result_after": max(results[place + 1 :], default=-_MOST),
        "own_before": max((1.0 - one["background"] for one in scores[:place]), default=0.0),
        "along": along,
        "along_squared": along * along,
        "first": float(place == 0),
        "last": float(place == len(sentences) - 1),
        "passive": float(bool(_PASSIVE.search(text))),
        "hedged": float(bool(_HEDGED.search(text))),
        "number": float(bool(re.search(r"\d", text))),
        **told,
    }


def _odds(chance: float) -> float:
    low = 1.0 / (1.0 + math.exp(_MOST))
    chance = min(max(chance, low), 1.0 - low)
    return math.log(chance / (1.0 - chance))
