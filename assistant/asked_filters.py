"""Filters that a question itself names: "since 2022", "in 2023", "by Brandt".

Only what is said in so many words, and only where the records can tell: an author must be one of
the library's. What was understood is said beside the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from assistant.filters import Filters

__all__ = ["Asked", "asked_filters"]

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


_PAPERS = re.compile(
    r"\b(?:papers?|preprints?|studies|articles?|works?|publications?|publish(?:ed)?|literature)\b",
    re.IGNORECASE,
)
"""A period is of publication where the question speaks of papers; else it may be of the matter."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question without the period that it names, the filters that it names, and what to say."""

    text: str
    filters: Filters | None = None
    note: str = ""


def asked_filters(
    question: str, years: Callable[[], bool], authors: Callable[[str], list[str]]
) -> Asked:
    """What ``question`` says about which papers are meant.

    Args:
        question: as it was asked.
        years: whether any paper of the library has a year.
        authors: the library's authors whose names hold a text as a part.
    """
    filters, text, note = Filters(), question, ""
    found = next((m for p, _ in _PERIODS if (m := p.search(question))), None)
    if found and _PAPERS.search(question):
        text = " ".join((question[: found.start()] + question[found.end() :]).split())
        if years():
            made = next(made for pattern, made in _PERIODS if pattern is found.re)
            filters = made(found)
        else:
            note = (
                f"No paper of this library has a year, so “{found[0]}” could not be heeded; "
                "'assistant enrich' looks years up."
            )
    for by in _BY.finditer(question):
        if any(_is_name(by[1], name) for name in authors(by[1])):
            filters = filters.model_copy(update={"author": (by[1],)})
            break
    if not filters:
        return Asked(text, None, note)
    return Asked(text, filters, note or f"Only papers {filters}, as the question says.")


def _is_name(wanted: str, author: str) -> bool:
    """Whether ``wanted`` is whole words of ``author``: "Li" is no part of "Lindholm"."""
    words = re.findall(r"[^\W_]+", author.casefold())
    return all(word in words for word in re.findall(r"[^\W_]+", wanted.casefold()))
