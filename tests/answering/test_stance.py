"""What a sentence says to a yes/no question: only where it is sure."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.answering.question import Question, WordStates
from assistant.answering.stance import stance


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
    ("asked", "sentence", "says"),
    [
        ("Does lime raise the yield of rye?", "Lime raised the yield of rye by 12%.", "for"),
        ("Does lime raise the yield of rye?", "Lime reduced the yield of rye.", "against"),
        ("Does lime raise the yield of rye?", "Lime did not raise the yield of rye.", "against"),
        ("Does lime need water?", "Lime does not rely on water.", "against"),
        ("Does lime raise the yield of rye?", "Lime did not lower the yield of rye.", "unclear"),
        ("Does lime raise the yield of rye?", "Lime may raise the yield of rye.", "unclear"),
        ("Does lime raise the yield of rye?", "We ask whether lime raises the yield.", "unclear"),
        ("Does lime raise the yield of rye?", "The soil of rye fields was sampled.", "unclear"),
        ("Doesn't lime raise the yield?", "Lime did not raise the yield.", "unclear"),
        ("Does lime help rye?", "No convincing evidence was found that lime helps rye.", "against"),
    ],
)
def test_stance(asked: str, sentence: str, says: str) -> None:
    assert stance(question(asked), sentence, "Lime on rye").says == says


def test_what_turns_a_question_round_weighs_though_unsure() -> None:
    asked = question("Why does lime lower the yield of rye?")
    assert stance(asked, "Lime may raise the yield of rye.", "").turns > 0.5
    assert stance(asked, "Lime may lower the yield of rye.", "").turns == 0
