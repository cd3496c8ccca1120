"""Does a sentence deny, or turn round, what a question supposes? For the order of sentences.

It is not told to a reader as a yes or a no: by words alone that was wrong too often.
"""

from __future__ import annotations

from functools import lru_cache

from assistant.answering.particulars import CHANGE_AXIS, Particulars
from assistant.answering.question import Question
from assistant.text import terms

__all__ = ["turns"]


@lru_cache(maxsize=4096)
def _read(text: str) -> Particulars:
    return Particulars.of(text)


def turns(question: Question, sentence: str) -> float:
    """Share of ``question``, by idf, in a sentence that denies it or turns it round; else 0."""
    asked, said = _read(question.text), _read(sentence)
    pairs = [
        (mine, other)
        for mine in asked.directions
        for other in said.directions
        if mine.axis == other.axis != CHANGE_AXIS and mine.context & other.context
    ]
    same = {mine.shown for mine, other in pairs if mine.up == other.up}
    turned = any(mine.up != other.up and mine.shown not in same for mine, other in pairs)
    same_stems = {t for a, b in pairs if a.up == b.up for t in terms(b.shown)}
    denied = (said.denied & question.idf.keys()) - asked.denied or same_stems & said.denied
    if not (turned or denied):
        return 0.0
    held = {*terms(sentence), *(t for mine, _ in pairs for t in terms(mine.shown))}
    total = sum(question.idf.values())
    return sum(w for t, w in question.idf.items() if t in held) / total if total else 0.0
