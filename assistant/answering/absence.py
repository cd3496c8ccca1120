"""What is missing when a library does not hold an answer, by name.

Only what is surely so is said: a word that no paper holds, a detail that the nearest one does
not mention, or two words that no found paper holds together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from assistant.answering.question import compact
from assistant.answering.spelling import missing_words
from assistant.text import terms

if TYPE_CHECKING:
    from assistant.answering.confidence import Assessment

__all__ = ["missing_note"]

_NAMED = 3
_WEIGHTY, _SAYING = 0.35, 0.5
"""Rarity in English from which a word that the library lacks is worth saying, and one that only
the papers found lack: "features" or "killed" may be said in other words."""


def missing_note(assessment: Assessment) -> str:
    """One sentence on what no abstract holds; empty where nothing is surely missing."""
    question = assessment.question
    missing = _weighty(missing_words(question.text, assessment.statistics), assessment)
    if missing:
        return f"No abstract here mentions {_either(missing[:_NAMED])}."
    texts = [compact(f"{p.paper.title} {p.paper.abstract}") for p in assessment.retrieval]
    names = [
        word
        for word in question.text.split()
        if compact(word.strip(".,;:?!()“”\"'")) in question.names
        and not any(compact(word.strip(".,;:?!()“”\"'")) in text for text in texts)
    ]
    if names:
        shown = [name.strip(".,;:?!()“”\"'") for name in names]
        return f"No abstract found here mentions {_either(shown[:_NAMED])}."
    if lacking := _not_told(assessment):
        return lacking
    pair = _apart(assessment)
    return f"No abstract found here mentions both “{pair[0]}” and “{pair[1]}”." if pair else ""


def _not_told(assessment: Assessment) -> str:
    """The detail that was asked for, where the nearest paper has all else, and not that."""
    question = assessment.question
    if not (assessment.readings and assessment.is_near and question.focus.any()):
        return ""
    evidence = assessment.evidence
    nearest = assessment.retrieval[evidence.index(max(evidence))].paper
    held = set(terms(f"{nearest.title} {nearest.abstract}"))
    wanted = [w for w, asked in zip(question.states.words, question.focus, strict=True) if asked]
    lacking = [word for word in wanted if not held.issuperset(terms(word))]
    lacking = _weighty(lacking, assessment, _SAYING)
    others = _weighty([w for w in question.states.words if w not in wanted], assessment)
    if not lacking or not all(held.issuperset(terms(word)) for word in others):
        return ""
    return f"The abstract of “{nearest.label}” does not mention {_either(lacking[:_NAMED])}."


def _weighty(words: Sequence[str], assessment: Assessment, least: float = _WEIGHTY) -> list[str]:
    """Those of ``words`` that carry what is asked for."""
    rarity = dict(
        zip(assessment.question.states.words, map(float, assessment.question.rarity), strict=True)
    )
    return [
        word
        for word in words
        if max((rarity.get(piece, 1.0) for piece in word.split("-")), default=1.0) >= least
    ]


def _apart(assessment: Assessment) -> tuple[str, str] | None:
    """The two rarest words of the question that no found paper holds together."""
    question = assessment.question
    held: dict[str, set[int]] = {}
    weight: dict[str, float] = {}
    bags = [set(terms(f"{p.paper.title} {p.paper.abstract}")) for p in assessment.retrieval]
    for word, rare in zip(question.states.words, question.rarity, strict=True):
        stems = terms(word)
        if stems and float(rare) >= _SAYING:
            held[word] = {n for n, bag in enumerate(bags) if bag.issuperset(stems)}
            weight[word] = float(rare)
    pairs = [
        (weight[one] + weight[other], one, other)
        for one, other in combinations(held, 2)
        if held[one] and held[other] and not held[one] & held[other]
    ]
    return max(pairs)[1:] if pairs else None


def _either(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
