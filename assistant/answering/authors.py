"""Who is one author: names that differ by initials only, counted as one where that is sure.

"V. Saab", "Saab VA" and "Victoria A. Saab" are one person where the library knows no other
Saab whose names fit a V: no second full first name, and no second middle initial. A family name
that many here bear (Wang, Smith) says too little for that.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from assistant.paper import normalised_title

__all__ = ["one_name"]

_INITIALS = re.compile(r"[A-Z]{1,3}|(?:[A-Z]\.[-\s]?){1,4}")
_COMMON = 4
"""First letters of the given names beside one family name from which it is a common one."""
_Given = tuple[str, ...]


def one_name(names: Iterable[str]) -> dict[str, str]:
    """Each of ``names`` → the fullest of the names that surely are the same person's."""
    families: defaultdict[tuple[str, str], dict[str, _Given]] = defaultdict(dict)
    told = {}
    for name in dict.fromkeys(names):
        told[name] = name
        family, given = _parted(name)
        if given:
            families[family, given[0][0]][name] = given
    letters = Counter(family for family, _ in families)
    for (family, _), held in families.items():
        if letters[family] < _COMMON and _agree(held.values()):
            groups = [list(held)]
        else:  # those with the same full first name may still be one
            first: defaultdict[str, list[str]] = defaultdict(list)
            for name, given in held.items():
                first[given[0] if len(given[0]) > 1 else name].append(name)
            groups = [some for some in first.values() if _agree(held[name] for name in some)]
        for group in groups:
            fullest = max(group, key=lambda name: (sum(map(len, held[name])), name))
            told.update(dict.fromkeys(group, fullest))
    return told


def _parted(name: str) -> tuple[str, _Given]:
    """Family and given names in small letters: of "Ada B. Roe" and of "Roe AB"."""
    tokens = name.split()
    last = len(tokens) > 1 and _INITIALS.fullmatch(tokens[-1]) is not None
    family, given = (tokens[:-1], tokens[-1:]) if last else (tokens[-1:], tokens[:-1])
    if last and _INITIALS.fullmatch(tokens[0]):
        family, given = tokens[-1:], tokens[:-1]  # "J. LI"
    parts: list[str] = []
    for token in given:
        letters = list(token) if re.fullmatch("[A-Z]{2,3}", token) else [token]
        parts += [part for one in letters for part in normalised_title(one).split()]
    return normalised_title(" ".join(family)), tuple(parts)


def _agree(givens: Iterable[Sequence[str]]) -> bool:
    """Whether all may be of one person: names as far as both are told, or their initials."""
    return all(
        a == b or (min(len(a), len(b)) == 1 and a[0] == b[0])
        for one, other in combinations(set(map(tuple, givens)), 2)
        for a, b in zip(one, other, strict=False)
    )
