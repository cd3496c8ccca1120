"""What a sentence tells by its words."""

from __future__ import annotations

import pytest

from assistant.answering.cues import DEFINED, defines, phrase


@pytest.mark.parametrize(
    "sentence",
    [
        "A neap tide is a tide of small range.",
        "Neap tides, the tides of small range, fall between the spring tides.",
        "Tides of small range, called neap tides, are studied.",
        "Neap tide can be defined as the tide of the quarter moon.",
        "We introduce the neap-tide, a tide of small range.",
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
        "The harbour is a place.",
    ],
)
def test_a_sentence_that_only_speaks_of_it(sentence: str) -> None:
    assert defines(sentence, phrase("neap tide")) < DEFINED


def test_letters_in_brackets_are_defined_by_what_stands_before_them() -> None:
    assert defines("Mean low water (MLW) was measured.", phrase("MLW")) >= DEFINED
