"""A sentence that denies what a question supposes is told from one that does not."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.answering.question import Question, WordStates
from assistant.answering.stance import finds_none, turns


class Statistics:
    """A library in which all words are as rare."""

    papers_held = 100

    def document_frequency(self, term: str) -> int:
        return 1

    def idf(self, term: str) -> float:
        return 1.0


def question(text: str) -> Question:
    empty = np.zeros((0, 0), np.float32)
    return Question(text, np.zeros(4), Statistics(), WordStates((), (), empty), np.zeros(0))


@pytest.mark.parametrize(
    ("sentence", "turned"),
    [
        ("Lime may raise the yield of rye.", True),
        ("Lime did not lower the yield of rye.", True),
        ("Lime may lower the yield of rye.", False),
        ("The soil of rye fields was sampled.", False),
    ],
)
def test_what_turns_a_question_round_weighs(sentence: str, turned: bool) -> None:
    found = turns(question("Why does lime lower the yield of rye?"), sentence)
    assert found > 0.5 if turned else found == 0


@pytest.mark.parametrize(
    ("asked", "sentence", "none"),
    [
        ("Why does lime raise the yield?", "Yields did not differ between the plots.", True),
        ("Why does lime raise the yield?", "There was no significant change in yield.", True),
        ("Why does lime raise the yield?", "Yields rose by a third on limed plots.", False),
        ("Why is lime not raising the yield?", "Yields did not differ.", False),
        ("What is lime?", "Yields did not differ between the plots.", False),
    ],
)
def test_no_change_is_told_where_one_is_supposed(asked: str, sentence: str, none: bool) -> None:
    assert finds_none(question(asked), sentence) is none


def test_what_the_title_tells_counts_for_a_sentence_that_turns_a_question() -> None:
    asked, sentence = question("Why does lime lower the yield of rye?"), "The yield was unchanged."
    assert turns(asked, sentence, "Lime on fields of rye") > turns(asked, sentence) > 0
    assert turns(asked, "Nothing was unchanged.", "Lime on fields of rye") == 0
