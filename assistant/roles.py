"""What a sentence does in its abstract: background, aim, method or result.

Four fitted models (`assistant.fitted`) over the words and the place of the sentence; fitted by
``python -m eval.roles`` on abstracts of four fields. What the words alone
tell is looked at where the place does not carry over from one field to another.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from assistant.fitted import load

__all__ = ["ROLES", "Role", "chances", "features", "role_scores", "word_features"]

Role = Literal["background", "aim", "method", "result"]
ROLES: tuple[Role, ...] = ("background", "aim", "method", "result")
_TOKEN = re.compile(r"[a-z]+|\d[\d.,]*|%")
_PARTS = 5


def features(sentence: str, place: int, count: int) -> Counter[str]:
    """Words and pairs of words (numbers as 0), and where of ``count`` sentences it stands."""
    found = Counter(dict.fromkeys(word_features(sentence), 1))
    part = min(_PARTS - 1, place * _PARTS // max(1, count))
    found.update({f"@{part}": 1, "@first": int(place == 0), "@last": int(place == count - 1)})
    return found


def word_features(sentence: str) -> list[str]:
    """Words and pairs of neighbours, each once; a number is "0"."""
    tokens = ["0" if t[0].isdigit() else t for t in _TOKEN.findall(sentence.casefold())]
    return list(dict.fromkeys([*tokens, *(f"{a} {b}" for a, b in pairwise(tokens))]))


def role_scores(sentences: Sequence[str]) -> list[dict[Role, float]]:
    """The chance of each role for each sentence of an abstract, in order: they add up to one."""
    return [_shares(features(text, n, len(sentences))) for n, text in enumerate(sentences)]


@lru_cache(maxsize=8192)
def chances(sentence: str) -> Mapping[Role, float]:
    """The chance of each role for ``sentence``, by its words alone: they add up to one."""
    row = features(sentence, 0, 1)
    return _shares(Counter({f: n for f, n in row.items() if not f.startswith("@")}))


def _shares(row: Counter[str]) -> dict[Role, float]:
    odds = {role: math.exp(load(f"role_{role}").log_odds_of_few(row)) for role in ROLES}
    total = sum(odds.values())
    return {role: value / total for role, value in odds.items()}
