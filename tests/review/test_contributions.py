"""What a paper does and what it reports, on abstracts of kinds that nothing learned from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.embedding import WordEmbedder, open_embedder
from assistant.review.contributions import contribution_cues, word_cues
from assistant.roles import role_scores
from assistant.settings import Settings

from .test_parts import material

THEORY = (
    "Dry stone walls are studied since antiquity. In this paper we study walls without mortar as "
    "graphs whose vertices are stones. We prove that every wall of n stones stands if its graph "
    "is planar. The bound is tight for walls of two rows."
)
HISTORY = (
    "The hedge laws of the parish are often said to be of Roman origin. I examine the court rolls "
    "of three villages. I argue that the laws were written by tenants, and that no Roman ever saw "
    "them."
)
MACHINE = (
    "Picking pears by hand is slow. We present PearBot, a robot that finds ripe pears by their "
    "smell. In orchards it picks 40% more pears than a person and drops fewer."
)


of_each_kind = pytest.mark.parametrize(
    ("abstract", "does", "finds"),
    [
        (THEORY, "In this paper we study walls", "We prove that every wall"),
        (HISTORY, "I examine the court rolls", "I argue that the laws"),
        (MACHINE, "We present PearBot", "In orchards it picks 40%"),
    ],
)


@of_each_kind
def test_a_sentence_for_what_is_done_and_one_for_what_came_of_it(
    abstract: str, does: str, finds: str
) -> None:
    first, second = material(abstract).contribution
    assert first is not None
    assert second is not None
    assert first.text.startswith(does)
    assert finds in second.text


@of_each_kind
def test_tokens_tell_it_where_the_programs_own_model_reads(
    abstract: str, does: str, finds: str
) -> None:
    reader = open_embedder(Settings.load())
    assert isinstance(reader, WordEmbedder)
    read = replace(material(abstract), reader=reader)
    by_words = replace(read, reader=None)
    for column in ("does", "finds"):
        assert read.odds(column).keys() == by_words.odds(column).keys()
        assert read.odds(column) != by_words.odds(column)
    first, second = read.contribution
    assert first is not None
    assert second is not None
    assert first.text.startswith(does)
    assert finds in second.text


def test_no_sentence_stands_in_both_columns() -> None:
    read = material("We show that walls of clay stand for a hundred years where rain is rare.")
    shown = [cell for cell in read.contribution if cell]
    assert len(shown) == 1


def test_words_are_told_from_cues_of_one_name() -> None:
    sentences = ["The result is first, and the method is 3 walls."]
    words = word_cues(sentences[0])
    assert "'result'" in words
    assert "'is 0'" in words
    cues = contribution_cues(sentences, role_scores(sentences), {0: {}})
    assert not {*cues[0]} & {*words}


def test_a_paper_of_a_few_words_has_a_cell_and_a_notice_has_none() -> None:
    for abstract in ("We prove a long conjecture.", "Smith (2010) showed that mice sleep well."):
        shown = [cell for cell in material(abstract).contribution if cell]
        assert [cell.certainty for cell in shown] == ["likely"]
    for nothing in ("", "No abstract available.", "Copyright 2019 by nobody at all."):
        assert material(nothing).contribution == (None, None)
