"""What short forms stand for, as the papers themselves spell them out: "long form (SHORT)"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from assistant.text import terms

__all__ = ["long_forms"]

_SPELLED = re.compile(r"((?:[\w’'-]+[ /]){1,9}?)\((\w[\w-]{1,9}?)s?\)")
_WORD = re.compile(r"[\w’']+")


def long_forms(texts: Iterable[str]) -> Counter[tuple[str, str]]:
    """(long form in lower case, short form) of what ``texts`` spell out, and how often."""
    return Counter(
        (long.casefold(), short)
        for text in texts
        for run, short in _SPELLED.findall(text)
        if (long := _long_form(run, short))
    )


def _long_form(run: str, short: str) -> str:
    """The words before "(SHORT)" whose letters make it; empty where none do.

    A digit that it begins with is one of them: "2DVR" is no "D virtual reality".
    """
    words = _WORD.findall(run)
    letters = re.sub(r"(?<!^)[^a-z]|^[^\da-z]", "", short.casefold())
    if len(letters) < 2 or not re.search(r"[A-Z]", short):
        return ""
    for start in range(len(words) - 1, -1, -1):
        initials = "".join(w[0] for w in words[start:]).casefold()
        content = "".join(w[0] for w in words[start:] if terms(w)).casefold()
        if len(words) - start > 1 and letters in (initials, content):
            at = [m.start() for m in _WORD.finditer(run)][start]
            return run[at:].strip()
    return ""
