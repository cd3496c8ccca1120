"""What surely answers: a title that holds a topic, a sentence that says or defines what is asked.

The fitted confidence weighs what an abstract holds of a question; where one of these stands in
it, there is nothing to weigh.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from assistant.acronyms import long_forms
from assistant.answering.confidence import Assessment
from assistant.answering.cues import COMPARES, DEFINED, defines, phrase
from assistant.answering.evidence import NUMBER
from assistant.answering.membership import alternatives
from assistant.answering.question import compact
from assistant.attribution import answers_nothing
from assistant.retrieved import RetrievedPaper
from assistant.text import terms, words

__all__ = ["called", "is_compared", "is_defined", "is_titled", "is_told", "naming"]

_NAME_WORDS, _SAYING = 3, 0.5
"""Words that a paper may be called by, and rarity in English from which a word has to be said
beside its name."""


def is_titled(assessment: Assessment) -> bool:
    """Whether the title of a paper that was found holds the whole topic, or one of two: then it
    is here.
    """
    either = [set(terms(topic)) for topic in alternatives(assessment.retrieval.question)]
    topics = [topic for topic in either or [set(assessment.question.terms)] if topic]
    titles = [set(terms(found.paper.title)) for found in assessment.retrieval]
    return any(topic <= title for topic in topics for title in titles)


def called(assessment: Assessment) -> list[RetrievedPaper]:
    """The papers that the question calls by name: by what stands before the colon of a title."""
    said = f" {' '.join(words(assessment.asked.text))} "
    heads = ((found, found.paper.title.partition(":")) for found in assessment.retrieval)
    return [
        found
        for found, (head, colon, _) in heads
        if colon and 0 < len(words(head)) <= _NAME_WORDS and f" {' '.join(words(head))} " in said
    ]


def is_told(assessment: Assessment) -> bool:
    """Whether a paper that is called by name has all else that is asked for in one sentence."""
    question = assessment.question
    weighty = [w for w, rare in zip(question.states.words, question.rarity, strict=True)
               if rare >= _SAYING]  # fmt: skip
    for found in called(assessment):
        name = set(terms(found.paper.title.partition(":")[0]))
        wanted = {t for word in weighty for t in terms(word)} - name
        for text in found.sentences if wanted else ():
            numbered = NUMBER.search(text) or not question.wants_number
            if numbered and wanted <= set(terms(text)):
                return True
    return False


def is_compared(sides: Sequence[str]) -> Callable[[Assessment], bool]:
    """Whether a sentence compares all of ``sides``, of which its paper's title may name some."""

    def holds(text: str, side: str) -> bool:
        return compact(side) in compact(text) or set(terms(side)) <= set(terms(text))

    def compared(assessment: Assessment) -> bool:
        return any(
            COMPARES.search(text)
            and any(holds(text, side) for side in sides)
            and all(holds(f"{found.paper.title}. {text}", side) for side in sides)
            for found in assessment.retrieval[: len(assessment.readings)]
            for text in found.sentences
        )

    return compared


def is_defined(topic: str, assessment: Assessment) -> bool:
    """Whether a sentence says what ``topic``, by its very name, is."""
    name = naming(topic, assessment.retrieval)
    return bool(terms(topic)) and any(
        defines(text, name) >= DEFINED and not answers_nothing(text)
        for found in assessment.retrieval
        for text in found.sentences
    )


def naming(topic: str, papers: Iterable[RetrievedPaper]) -> re.Pattern[str]:
    """Finds ``topic`` in a sentence, also by the short form that ``papers`` give it."""
    stems = terms(topic)
    spelled = long_forms(found.paper.text for found in papers)
    shorts = dict.fromkeys(short for (long, short), _ in spelled.items() if terms(long) == stems)
    names = (phrase(name).pattern for name in (topic, *shorts))
    return re.compile("|".join(names), re.IGNORECASE)
