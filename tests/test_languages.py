"""The language of a question, and its slips."""

from __future__ import annotations

import pytest

from assistant.answering.spelling import (
    Correction,
    Vocabulary,
    corrections,
    missing_words,
    with_corrections,
)
from assistant.languages import content_of, language_of
from assistant.library import Library
from assistant.paper import Paper


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Which papers treat the erosion of soil?", "English"),
        ("de novo synthesis in vivo", "English"),
        ("Welche Arbeiten behandeln die Erosion von Böden?", "German"),
        ("Quels articles parlent de la pluie ?", "French"),
        ("¿Qué es la lluvia ácida y por qué cae?", "Spanish"),
        ("Какие статьи о дожде?", "Russian"),
        ("雨とは何ですか", "Japanese"),
        ("关于雨的论文", "Chinese"),
        ("", "English"),
        ("p < 0.05", "English"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_what_is_left_without_function_words() -> None:
    assert content_of("Quelle est la densité du fréon-12 ?", "French") == ["densité", "fréon", "12"]


VOCABULARY = Vocabulary(
    lambda: [
        Paper(title="Erosion of Terraces", abstract="Terraces lose soil to erosion."),
        Paper(title="Erosion and Rain", abstract="Rain falls on terraces, and erosion follows."),
    ]
)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("erosoin", "erosion"), ("terrasses", "terraces"), ("rian", None), ("Byzantine", None)],
)
def test_the_word_that_was_meant(word: str, meant: str | None) -> None:
    assert VOCABULARY.nearest(word) == meant


@pytest.mark.parametrize(
    ("word", "meant"),
    [("Erosión", "erosion"), ("Regen", None), ("terraza", None)],
)
def test_a_word_of_another_language_that_is_surely_one_of_the_library(
    word: str, meant: str | None
) -> None:
    assert VOCABULARY.cognate(word) == meant


def test_names_are_not_corrected() -> None:
    assert corrections(["EROSIOM", "erosi0n"], VOCABULARY) == []
    made = corrections(["erosiom"], VOCABULARY)
    assert made == [Correction("erosiom", "erosion")]
    assert with_corrections("the erosiom of soil", made) == "the erosion of soil"


def test_words_that_no_paper_holds(sample_library: Library) -> None:
    statistics = sample_library.statistics
    assert missing_words("pruning of xylophones", statistics) == ["xylophones"]
    assert missing_words("the of and", statistics) == []
