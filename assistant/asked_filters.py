"""Filters that a question itself names: "since 2022", "in 2023", "by Brandt".

Only what is said in so many words, and only where the records can tell: an author must be one of
the library's. What was understood is said beside the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assistant.filters import Filters

__all__ = ["asked_filters"]

_YEAR = r"((?:19|20)\d{2})"
_PERIODS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Filters]], ...] = (
    (
        re.compile(rf"\b(?:between|from) {_YEAR} (?:and|to|until|till) {_YEAR}\b", re.IGNORECASE),
        lambda m: Filters(first_year=int(m[1]), last_year=int(m[2])),
    ),
    (
        re.compile(rf"\b(?:since|from) {_YEAR}(?: on(?:wards?)?)?\b", re.IGNORECASE),
        lambda m: Filters(first_year=int(m[1])),
    ),
    (re.compile(rf"\bafter {_YEAR}\b", re.IGNORECASE), lambda m: Filters(first_year=int(m[1]) + 1)),
    (re.compile(rf"\bbefore {_YEAR}\b", re.IGNORECASE), lambda m: Filters(last_year=int(m[1]) - 1)),
    (
        re.compile(rf"\b(?:until|up to) {_YEAR}\b", re.IGNORECASE),
        lambda m: Filters(last_year=int(m[1])),
    ),
    (
        re.compile(rf"\b(?:published |papers? )?in (?:the year )?{_YEAR}\b", re.IGNORECASE),
        lambda m: Filters(first_year=int(m[1]), last_year=int(m[1])),
    ),
)
_BY = re.compile(r"\b(?:by|did|does|has|from) ((?:[A-ZÀ-Þ][\w'’-]+)(?: [A-ZÀ-Þ][\w'’-]+){0,2})")


def asked_filters(
    question: str, years: Callable[[], bool], authors: Callable[[str], list[str]]
) -> Filters | None:
    """The filters that ``question`` names; None where it names none.

    Args:
        question: as it was asked.
        years: whether any paper of the library has a year.
        authors: the library's authors whose names hold a text as a part.
    """
    filters = Filters()
    for pattern, made in _PERIODS:
        found = pattern.search(question)
        if found:
            filters = made(found) if years() else filters
            break
    for found in _BY.finditer(question):
        wanted = found[1]
        named = [name for name in authors(wanted) if _is_name(wanted, name)]
        if named:
            filters = filters.model_copy(update={"author": (wanted,)})
            break
    return filters if filters else None


def _is_name(wanted: str, author: str) -> bool:
    """Whether ``wanted`` is whole words of ``author``: "Li" is no part of "Lindholm"."""
    words = re.findall(r"[^\W_]+", author.casefold())
    return all(word in words for word in re.findall(r"[^\W_]+", wanted.casefold()))
