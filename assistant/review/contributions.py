"""What a paper does and what it reports: the sentence of its abstract for each of the two.

Two fitted models (`assistant.fitted`, ``contribution_does_tokens`` and
``contribution_finds_tokens``; ``python -m eval.contributions``) say of every sentence how likely a
careful reader would take it for one that tells what the paper sets out to do, or something that it
found, showed or claims: by what its tokens are in context, what the sentence and its neighbours do
in the abstract (`assistant.roles`), where it stands, and its form. With another embedding model
than all-MiniLM-L6-v2 the common words of scholarship stand in for the tokens
(``contribution_does``, ``contribution_finds``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from assistant.fitted import Floats, load, load_token_model
from assistant.roles import ROLES, Role, word_features

__all__ = [
    "SURE",
    "Column",
    "contribution_cues",
    "contribution_odds",
    "form_cues",
    "own_before",
    "word_cues",
]

Column = Literal["does", "finds"]

SURE = 1.0
"""Log-odds beyond those from which a sentence is shown, from which it is sure: the models are
scaled so that it is shown from 0, and from 1 on 98 in 100 of those fitted on are right."""
_MOST = 5.0
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|been|being)\s(?:\w+ly\s)?\w+(?:ed|en|wn|ne|ade)\b(?!\sby\b)",
    re.IGNORECASE,
)
_HEDGED = re.compile(r"\b(?:may|might|should|would|will|could|must)\b", re.IGNORECASE)


def contribution_odds(
    column: Column, cues: Mapping[str, float], states: Floats | None = None
) -> float:
    """Log-odds beyond those from which a sentence is shown in ``column``: "does" or "finds".

    Args:
        column: which of the two.
        cues: what `contribution_cues` gives, and, where there are no states, `word_cues`.
        states: (tokens, dimension) of the third layer of all-MiniLM-L6-v2.
    """
    if states is None:
        return load(f"contribution_{column}").log_odds_of_few(cues)
    return load_token_model(f"contribution_{column}_tokens").log_odds(states, cues)


def word_cues(sentence: str) -> dict[str, float]:
    """Its words and pairs of neighbours (`word_features`), in quotation marks: 1 for each."""
    return dict.fromkeys((f"'{words}'" for words in word_features(sentence)), 1.0)


def form_cues(sentence: str) -> dict[str, float]:
    """Whether it is in the passive, hedged, or holds a number."""
    return {
        "passive": float(bool(_PASSIVE.search(sentence))),
        "hedged": float(bool(_HEDGED.search(sentence))),
        "number": float(bool(re.search(r"\d", sentence))),
    }


def own_before(scores: Sequence[Mapping[Role, float]], place: int) -> float:
    """How surely a sentence before ``place`` is no background any more."""
    return max((1.0 - one["background"] for one in scores[:place]), default=0.0)


def contribution_cues(
    sentences: Sequence[str],
    scores: Sequence[Mapping[Role, float]],
    told: Mapping[int, Mapping[str, float]],
) -> dict[int, dict[str, float]]:
    """What tells of sentences, by place and name, without their words.

    Args:
        sentences: of the abstract, in order.
        scores: (sentences,) the chance of each role.
        told: what the caller knows of the form of those that are asked for, by place.
    """
    odds = [{role: _odds(one[role]) for role in ROLES} for one in scores]
    results = [one["result"] for one in odds]

    def cues(place: int) -> dict[str, float]:
        found = {str(role): odds[place][role] for role in ROLES}
        for step in (-1, 1):
            beside = odds[place + step] if 0 <= place + step < len(odds) else None
            for role in ("background", "result"):
                found[f"{role}{step:+}"] = beside[role] if beside else 0.0
        along = place / max(1, len(sentences) - 1)
        return {
            **found,
            "result_before": max(results[:place], default=-_MOST),
            "result_after": max(results[place + 1 :], default=-_MOST),
            "own_before": own_before(scores, place),
            "along": along,
            "along_squared": along * along,
            "first": float(place == 0),
            "last": float(place == len(sentences) - 1),
            **form_cues(sentences[place]),
            **told[place],
        }

    return {place: cues(place) for place in told}


def _odds(chance: float) -> float:
    low = 1.0 / (1.0 + math.exp(_MOST))
    chance = min(max(chance, low), 1.0 - low)
    return math.log(chance / (1.0 - chance))
