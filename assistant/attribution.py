"""Attribution: whose sentence it is, set beside it; the sentence itself is never edited.

What is shown of an abstract is whole sentences of it, letter for letter. A sentence that cannot
stand alone gets its antecedent in front, or is not shown. Nothing is cut but between sentences,
and every cut is marked with "…".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.paper import Paper

__all__ = ["CUT", "dangles", "is_verbatim", "quoted", "short_name"]

CUT = " … "
"""What stands between two sentences that are not neighbours in their abstract."""

_DANGLING = re.compile(
    r"\W*(?:this|these|those|that|such|it|its|they|their|both|the former|the latter|here|hence"
    r"|thus|therefore|consequently|as a result|for this|to this end|to do (?:so|this)"
    r"|(?:in|by|with|from|to|on|of) (?:this|these|such|its|their)(?! (?:paper|work|study|article"
    r"|report|review|survey|letter|thesis)\b))\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\W*(?:(?:this|the present) (?:paper|work|study|article|report|review|survey|letter|thesis)"
    r"|it (?:is|was|has been) (?:\w+ )?(?:that|to)\b"
    r"|it (?:is|was|has been) (?:shown|found|known|concluded|suggested|proposed|demonstrated"
    r"|observed|argued|important|possible|necessary|clear|well))\b",
    re.IGNORECASE,
)


def short_name(paper: Paper) -> str:
    """What people call the paper: the name before the colon of its title, else the title."""
    head, colon, _ = paper.label.partition(":")
    if colon and 0 < len(head.split()) <= 4 and re.search(r"[A-Z0-9]", head):
        return head.strip()
    return paper.label


def dangles(sentence: str) -> bool:
    """Whether ``sentence`` begins by pointing to what stood before it."""
    return _DANGLING.match(sentence) is not None and _OWN.match(sentence) is None


def quoted(sentences: Sequence[str], place: int, *, most: int = 3) -> str | None:
    """The sentence at ``place`` with as many before it as it needs to stand alone.

    Args:
        sentences: of the abstract, in order.
        place: of the sentence that is wanted.
        most: sentences at the most; None is returned where more would be needed.
    """
    start = place
    while start > 0 and dangles(sentences[start]):
        start -= 1
        if place - start >= most:
            return None
    if dangles(sentences[start]):
        return None
    return " ".join(sentences[start : place + 1])


def is_verbatim(quote: str, abstract: str) -> bool:
    """Whether every piece of ``quote`` between marked cuts stands in ``abstract``, in order."""
    at = 0
    for piece in (part.strip() for part in quote.split("…")):
        found = abstract.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True
