"""Sentences made to stand alone, and cut around what matters."""

from __future__ import annotations

import numpy as np
import pytest
from fake_embedder import FakeEmbedder

from assistant.answering.question import Question
from assistant.answering.wording import short_name, shortened, standing_alone
from assistant.library import Library
from assistant.paper import Paper

NAMED = Paper(title="GRAIN: Sowing Numbers", abstract="x")
LONG_TITLED = Paper(title="On the Sowing of Numbers in Wide Fields", abstract="x")


def test_the_short_name_is_what_stands_before_the_colon() -> None:
    assert short_name(NAMED) == "GRAIN"
    assert short_name(LONG_TITLED) == "“On the Sowing of Numbers in Wide Fields”"
    assert (
        short_name(Paper(title="a long remark about many things: no name", abstract="x"))[0] == "“"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We sow numbers.", "The authors of GRAIN sow numbers."),
        ("In this paper, we sow numbers.", "The authors of GRAIN sow numbers."),
        ("However, our method sows 3 numbers.", "GRAIN sows 3 numbers."),
        ("It sows numbers.", "GRAIN sows numbers."),
        ("This approach sows numbers.", "GRAIN sows numbers."),
        ("Our results show 3 numbers.", "The results of GRAIN show 3 numbers."),
        (
            "(2) We find that our code is short.",
            "The authors of GRAIN find that their code is short.",
        ),
        ("I then sow numbers.", "The author of GRAIN then sow numbers."),
        ("Numbers grow in rows", "Numbers grow in rows."),
        ("It is well known that numbers grow.", "It is well known that numbers grow."),
        ("Moreover, xLSTM grows.", "xLSTM grows."),
        (
            "With the proposed plough, we sow.",
            "With the proposed plough, the authors of GRAIN sow.",
        ),
        ("To our knowledge, rows grow.", "In GRAIN, to their knowledge, rows grow."),
        ("On C4 this makes rows grow.", "On C4 GRAIN makes rows grow."),
        ("On five fields, it improves the yield.", "On five fields, GRAIN improves the yield."),
        ("On this field, rows grow.", "On this field, rows grow."),
        ("To address this issue, we propose hail.", "The authors of GRAIN propose hail."),
    ],
)
def test_the_subject_is_named(text: str, expected: str) -> None:
    assert standing_alone(text, NAMED, named=False) == expected


def test_after_the_first_sentence_the_paper_is_not_named_again() -> None:
    assert standing_alone("We sow.", NAMED, named=True) == "The authors sow."
    assert standing_alone("It sows 3.", NAMED, named=True) == "It sows 3."
    assert standing_alone("Our findings hold.", NAMED, named=True) == "The findings hold."


def test_words_that_stay_are_the_abstract_s_own() -> None:
    text = "Thus, the yield of US fields rises by 3.5% in May, as shown by Our World."
    worded = standing_alone(text, NAMED, named=False)
    assert worded == "The yield of US fields rises by 3.5% in May, as shown by Our World."


def question(text: str, library: Library) -> Question:
    embedder = FakeEmbedder()
    return Question.read(text, embedder.embed_query(text), library.index(), embedder)


def test_a_long_sentence_keeps_its_subject_and_what_is_asked_for(sample_library: Library) -> None:
    parts = [
        "The machine was tried in many fields",
        *(f"where rain fell on stones of sort {chr(97 + n)} all day" for n in range(8)),
        "and the harvest of beetroot grew by 41 percent in one year",
    ]
    text = ", ".join(parts) + "."
    cut = shortened(
        text, question("By how much did the beetroot harvest grow?", sample_library), 30
    )
    assert cut.startswith("The machine was tried in many fields")
    assert "beetroot grew by 41 percent" in cut
    assert "…" in cut
    assert len(cut.split()) <= 40
    assert set(cut.replace("…", "").split()) <= set(text.replace(",", " , ").split()) | set(
        text.split()
    )


def test_a_short_sentence_is_not_touched(sample_library: Library) -> None:
    text = "Numbers grow, as we know, in rows (of three)."
    assert shortened(text, question("what grows?", sample_library)) == text
    assert np.isfinite(question("what grows?", sample_library).rarity).all()
