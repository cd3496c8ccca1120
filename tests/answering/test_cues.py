"""What a sentence tells by its words."""

from __future__ import annotations

import pytest

from assistant.answering.cues import DEFINED, aims, defines, phrase, worth
from assistant.answering.forms import asking
from tests.answering.test_stance import question


@pytest.mark.parametrize(
    "sentence",
    [
        "A neap tide is a tide of small range.",
        "Neap tides, the tides of small range, fall between the spring tides.",
        "Tides of small range, called neap tides, are studied.",
        "Neap tide can be defined as the tide of the quarter moon.",
        "We introduce the neap-tide, a tide of small range.",
        "One of them, which I call neap tide, holds for a day.",
        "We call a tide whose range is the smallest of the month the neap tide.",
        "We define the neap tide as the tide of the quarter moon.",
        "The authors define neap tide as any tide of small range.",
        "The neap tide hypothesis states that ranges shrink.",
    ],
)
def test_a_sentence_that_defines(sentence: str) -> None:
    assert defines(sentence, phrase("neap tide")) >= DEFINED


@pytest.mark.parametrize(
    "sentence",
    [
        "For boats that stay out at neap tide, the harbour is open.",
        "The heights of spring and neap tide may be the same.",
        "We propose Lunar Neap Tide, a model of harbours.",
        "The non-neap-tide is a term that nobody uses.",
        "Neap tides have been measured.",
        "The term neap tide has been criticised.",
        "We call attention to the danger of the neap tide.",
        "We call for more research into neap tides in harbours.",
        "To better understand neap tides as well as floods, we built a basin.",
        "We characterize the neap tide as a function of depth.",
        "Here we name ten dangers, among them the height of neap tides.",
        "The harbour is a place.",
    ],
)
def test_a_sentence_that_only_speaks_of_it(sentence: str) -> None:
    assert defines(sentence, phrase("neap tide")) < DEFINED


def test_letters_in_brackets_are_defined_by_what_stands_before_them() -> None:
    assert defines("Mean low water (MLW) was measured.", phrase("MLW")) >= DEFINED


@pytest.mark.parametrize(
    "asked",
    ["Does lime affect yield compared with marl?", "What is the effect of lime?", "lime vs marl"],
)
def test_where_an_effect_is_asked_for_what_was_found_is_worth_most(asked: str) -> None:
    tells = worth(asking(asked), question(asked))
    method = "Methods: Forty plots were randomly assigned to lime or marl."
    result = "Results: Yields were significantly higher on limed plots (p = 0.01)."
    assert tells(result) > tells(method)  # by how much is fitted


def test_how_it_was_done_is_not_worth_less_where_that_is_asked_for() -> None:
    tells = worth(asking("How many plots were limed?"), question("How many plots were limed?"))
    assert tells("Forty plots were randomly assigned to lime.") >= tells("Yields were higher.")


def test_a_thing_may_be_called_what_it_is_beside_its_name() -> None:
    topic = phrase("neap lag")
    assert defines("The neap lag (NL) phenomenon consists in a late tide.", topic) >= DEFINED
    assert defines("The neap lag effect is the lateness of a tide.", topic) >= DEFINED


@pytest.mark.parametrize(
    "sentence",
    [
        "We report a direct comparison of two clocks.",
        "Using both clocks, we also investigated their drift.",
        "The trial was designed to compare both clocks.",
    ],
)
def test_what_was_studied_is_not_what_came_of_it(sentence: str) -> None:
    assert aims(sentence) > 0
    assert not aims("We report an increase of drift in both clocks.")


def test_what_is_commonly_thought_is_worth_less_than_what_was_found() -> None:
    asked = "does the moon move the tide?"
    tells = worth(asking(asked), question(asked))
    found = "It is concluded that the moon moves it."
    assert tells(found.replace("is", "is commonly")) < tells(found)
    assert tells("Sailors often said that the moon moves it.") >= tells(found) - 0.9
    assert tells("They call it a tide.") < tells("They call it a tide of the moon.")
