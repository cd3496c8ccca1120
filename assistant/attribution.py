"""Attribution: whose sentence it is, set beside it; the sentence itself is never edited.

What is shown of an abstract is whole sentences of it, letter for letter. A sentence that cannot
stand alone gets its antecedent in front, or is not shown; one that the next turns round gets the
next. Nothing is cut but between sentences, and every cut is marked with "…".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.paper import Paper
from assistant.text import Span

__all__ = [
    "CUT", "answers_nothing", "dangles", "is_verbatim", "quotation", "quoted", "short_name",
    "turned",
]  # fmt: skip

CUT = " … "
"""What stands between two sentences that are not neighbours in their abstract."""

_LEAD = r"(?:(?:however|but|yet|nevertheless|furthermore|additionally|in addition|finally),? )"
_DANGLING = re.compile(
    rf"\W*(?:{_LEAD}(?:this|these|those|such|they|their|its)"
    r"|this|these|those|that|such|it|its|they|their|both|the former|the latter|here|hence"
    r"|thus|therefore|consequently|as a result|for this|to this end|to do (?:so|this)|moreover"
    r"|taken together|on the other hand|in other words|conversely|(?:in|by) contrast(?=,)"
    r"|instead(?=,)|on the contrary|if (?:this|that|these|those|so|true)"
    r"|[\w-]+ (?:of|among) (?:them|these|those)"
    r"|(?:in|by|with|from|to|on|of|at|for|under|among|after|despite|beyond|besides) "
    r"(?:this|these|those|such|its|their|both|doing so|so doing)"
    r"(?! (?:[\w-]+ ){0,2}(?:paper|work|study|article|report|review|survey|letter|thesis)\b))\b",
    re.IGNORECASE,
)
_JOINS = re.compile(
    rf"\W*{_LEAD}?(?:hence|thus|therefore|consequently|as a result|to this end|moreover)\W+(?=\w)"
    r"(?!(?:this|these|those|that|such|its?|they|their|both|he|she|his|her)\b)",
    re.IGNORECASE,
)
"""What only binds a sentence to the one before."""
_TURNING = re.compile(
    r"\W*(?:however|nevertheless|nonetheless|yet|but|alternatively|conversely|on the other hand"
    r"|unfortunately|(?:in|by) contrast(?=,)|despite (?:this|these|that|such|its|their))\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    rf"\W*{_LEAD}?(?:(?:this|the present) (?:[\w-]+ ){{0,2}}"
    r"(?:paper|work|study|article|report|review|survey|letter|thesis)"
    r"|it (?:is|was|has been) (?:\w+ )?(?:that|to)\b"
    r"|it (?:is|was|has been) (?:shown|found|known|concluded|suggested|proposed|demonstrated"
    r"|observed|argued|important|possible|necessary|clear|well)"
    r"|(?:both|either) (?:\w+ ){1,4}(?:and|or)\b|such as\b|here,? we\b)\b",
    re.IGNORECASE,
)
_NO_ANSWER = re.compile(
    r"""^\W*(?:
      (?:key\s?words?|index\ terms|copyright|trial\ registration|published\ by|correspondence
        |project\ page|supplementary|code|data\ availability|acknowledge?ments?|funding
        |(?:clinical)?trials?\.gov)\b
     |©|\(c\)\s
    )
    |\b(?:all\ rights\ reserved|creative\ commons|licen[sc]ed\ under)\b
    |^\W*https?://\S+\W*$
    |\b(?:code|available|found|page|released?|demo|visit|see|project|accessed)\b.*https?://
    |\b(?:code|implementation|models?|data(?:\ ?sets?)?|checkpoints|weights|materials|software)\b
      [^.]{0,40}\b(?:is|are|will\ be|has\ been|have\ been)\ (?:\w+\ )*?
      (?:available|released|open-?sourced|published|accessible)\b
    |\brelease\ (?:the|our|all|its)\ (?:\w+\ ){0,3}(?:code|weights|data)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHORTEST = 4
"""Words that a sentence must have: what has fewer is a heading or a broken piece."""
_LISTED = 0.3
"""Share of commas and semicolons among its words from which a text without a verb is a list."""


def short_name(paper: Paper) -> str:
    """What people call the paper: the name before the colon of its title, else the title."""
    head, colon, _ = paper.label.partition(":")
    if colon and 0 < len(head.split()) <= 4 and re.search(r"[A-Z0-9]", head):
        return head.strip()
    return paper.label


def dangles(sentence: str) -> bool:
    """Whether ``sentence`` begins by pointing to what stood before it."""
    return _DANGLING.match(sentence) is not None and _OWN.match(sentence) is None


def turned(sentences: Sequence[str], place: int) -> bool:
    """Whether the next sentence turns round what the one at ``place`` says: "However, …"."""
    return any(_TURNING.match(text) for text in sentences[place + 1 : place + 2])


def answers_nothing(sentence: str) -> bool:
    """Whether ``sentence`` can be no answer: a question, a heading, a notice."""
    words = sentence.split()
    if len(words) < _SHORTEST or sentence.rstrip("\"'”)] ").endswith(("?", ":")):
        return True
    if sum(word.endswith((",", ";")) for word in words) > _LISTED * len(words) and not re.search(
        r"\b(?:is|are|was|were|we|has|have|had|can|that|which|by|with|and)\b", sentence
    ):
        return True
    return _NO_ANSWER.search(sentence) is not None


def quoted(sentences: Sequence[str], place: int, *, most: int = 3) -> str | None:
    """The sentence at ``place`` with as many before it as it needs to stand alone.

    One that turns it round is shown with it.

    Args:
        sentences: of the abstract, in order.
        place: of the sentence that is wanted.
        most: sentences at the most; None is returned where more would be needed.
    """
    start, end = _antecedent(sentences, place, most), place + 1 + turned(sentences, place)
    return None if start is None else " ".join(sentences[start:end])


def quotation(
    abstract: str, spans: Sequence[Span], places: Iterable[int], *, most: int = 3
) -> str | None:
    """The sentences at ``places`` in the order of the abstract, each able to stand there.

    Each gets the sentences before it that it needs, and one that turns it round; what lies
    between pieces is marked as cut.

    Args:
        abstract: letter for letter.
        spans: of its sentences.
        places: of the sentences that are wanted.
        most: sentences at the most that one of them may need; None where one needs more.
    """
    sentences = [abstract[start:end] for start, end in spans]
    shown: set[int] = set()
    for place in places:
        start = _antecedent(sentences, place, most)
        if start is None:
            return None
        shown.update(range(start, place + 1 + turned(sentences, place)))
    pieces: list[list[int]] = []
    for place in sorted(shown):
        if pieces and pieces[-1][1] == place - 1:
            pieces[-1][1] = place
        else:
            pieces.append([place, place])
    return CUT.join(abstract[spans[first].start : spans[last].end] for first, last in pieces)


def _antecedent(sentences: Sequence[str], place: int, most: int) -> int | None:
    """Where the sentence begins that the one at ``place`` leans on; None where too far.

    Where it is too far, one that only goes on from what stood before it ("To this end, …") and
    names its own subject is far enough.
    """
    start, joined = place, None
    while start > 0 and dangles(sentences[start]):
        start -= 1
        if joined is None and _JOINS.match(sentences[start]):
            joined = start
        if place - start >= most:
            return joined
    first = sentences[start]  # empty: left out, and nothing may lean on it
    return None if not first or dangles(first) or _is_question(first) else start


def _is_question(sentence: str) -> bool:
    return sentence.rstrip("\"'”)] ").endswith("?")


def is_verbatim(quote: str, abstract: str) -> bool:
    """Whether every piece of ``quote`` between marked cuts stands in ``abstract``, in order."""
    at = 0
    for piece in (part.strip() for part in quote.split("…")):
        found = abstract.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True
