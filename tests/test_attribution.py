"""Quotations: whole sentences, letter for letter, that can stand alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.attribution import (
    answers_nothing,
    dangles,
    is_verbatim,
    quotation,
    quoted,
    short_name,
)
from assistant.paper import Paper, squeeze
from assistant.text import sentences

ABSTRACT = (
    "Rain wears terraces down. It takes the upper soil first. This loss is slow. "
    "In this long report, we measure it on [0,1]. Walls halve it."
)
SPANS = sentences(ABSTRACT)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([0], "Rain wears terraces down."),
        ([1], "Rain wears terraces down. It takes the upper soil first."),
        ([2], "Rain wears terraces down. It takes the upper soil first. This loss is slow."),
        ([3], "In this long report, we measure it on [0,1]."),
        ([0, 4], "Rain wears terraces down. … Walls halve it."),
        ([4, 0], "Rain wears terraces down. … Walls halve it."),
    ],
)
def test_sentences_come_with_what_they_lean_on(places: list[int], expected: str) -> None:
    assert quotation(ABSTRACT, SPANS, places) == expected
    assert is_verbatim(expected, ABSTRACT)


def test_what_leans_on_nothing_is_not_quoted() -> None:
    text = "It is wet. These are dry."
    assert quotation(text, sentences(text), [0]) is None
    assert quotation(text, sentences(text), [1]) is None


@given(
    st.lists(
        st.sampled_from(
            [
                "This falls.",
                "Rain falls.",
                "It (e.g. mud) is 0.5 m deep.",
                "Type I soil holds.",
                "…",
            ]
        ),
        min_size=1,
        max_size=8,
    ),
    st.sets(st.integers(0, 7), min_size=1),
)
def test_a_quotation_is_always_verbatim(pieces: list[str], places: set[int]) -> None:
    abstract = squeeze(" ".join(pieces))
    spans = sentences(abstract)
    wanted = [place for place in places if place < len(spans)]
    shown = quotation(abstract, spans, wanted)
    if shown:
        assert is_verbatim(shown, abstract)


@pytest.mark.parametrize(
    "sentence",
    [
        "Does rain fall?",
        "Keywords: rain, soil, walls.",
        "Efficiency.",
        "Copyright 2020 The Authors.",
        "Our code is available at https://example.org/code.",
        "We consider the following:",
    ],
)
def test_what_answers_nothing(sentence: str) -> None:
    assert answers_nothing(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Walls halve the loss of soil.",
        "The code of conduct reduces harm by half.",
        "RESULTS: It rains often.",
    ],
)
def test_what_may_answer(sentence: str) -> None:
    assert not answers_nothing(sentence)


def test_what_dangles() -> None:
    assert dangles("These walls hold.")
    assert dangles("In such soils, roots are short.")
    assert not dangles("This study measures rain.")
    assert not dangles("In this technical report, we measure rain.")
    assert not dangles("It is shown that walls hold.")
    assert not dangles("Both rain and wind wear soil.")


def test_short_names() -> None:
    assert short_name(Paper(title="RAIN: A Study of Walls", abstract="a")) == "RAIN"
    assert short_name(Paper(title="A Study of Walls", abstract="a")) == "A Study of Walls"


def test_a_sentence_that_the_next_turns_round_comes_with_it() -> None:
    text = "Walls hold soil. However, rain fells walls. On the other hand, roots last. Mud dries."
    spans = sentences(text)
    pieces = [text[a:b] for a, b in spans]
    assert quotation(text, spans, [0]) == quoted(pieces, 0) == " ".join(pieces[:2])
    assert quoted(pieces, 1) == " ".join(pieces[1:3])
    assert quoted(pieces, 3) == pieces[3]


@pytest.mark.parametrize(
    "sentence",
    [
        "In other words, walls hold.",
        "Taken together, these results favour walls.",
        "None of them, however, held.",
        "In contrast, roots last.",
        "However, these walls fall.",
        "If true, walls would fall.",
        "If this was so, walls would fall.",
        "Instead, walls stand.",
    ],
)
def test_what_takes_up_the_sentence_before_dangles(sentence: str) -> None:
    assert dangles(sentence)
    assert not dangles("In contrast to walls, roots last.")
    assert not dangles("If walls fall, roots last.")
    assert not dangles("Instead of walls we planted hedges.")


def test_what_only_goes_on_from_the_sentence_before_is_far_enough() -> None:
    text = (
        "We build a wall. It holds soil. These soils are wet. They slide. "
        "To this end, the wall has a drain. It runs on rain."
    )
    spans = sentences(text)
    assert quotation(text, spans, [5]) == text[spans[4].start :]
    assert quotation(text, spans, [2]) == text[: spans[2].end]
    other = text.replace("To this end, the wall", "To this end, it")
    assert quotation(other, sentences(other), [5]) is None
