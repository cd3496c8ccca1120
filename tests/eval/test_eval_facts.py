"""A fact is found however a number, a unit or a space is written."""

from __future__ import annotations

import pytest

from eval.facts import normalised, states, without_markers


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("a 2× speedup", "2x"),
        ("a speedup of 2 x", "2×"),
        ("It is two times as fast.", "2x"),
        ("a twofold gain", "2x"),
        ("trained on 1,400 GPUs", "1400"),
        ("with 10k images", "10,000"),
        ("ten thousand images", "10k"),
        ("fewer than ten thousand parameters", "ten thousand"),
        ("a 3.8 billion parameter model", "3.8B"),
        ("loses 3 percent", "3%"),
        ("loses 3 % of it", "3%"),
        ("about twenty-one models", "21"),
        ("an INT 4 model", "INT4"),
        ("Phi tiny MoE", "Phi-tiny-MoE"),
        ("by 7–15% points", "7-15%"),
        ("it uses TVD++ here", "TVD++"),
        ("in 41 hours", "41"),
        ("up to 41. That is", "41"),
        ("paraphrasing helps", "paraphras"),
        ("scores 0.95.", "0.95"),
        ("an MFU of 30%", "30.0%"),
        ("a recall of 96.1 % [2]", "96.1%"),
    ],
)
def test_stated(text: str, fact: str) -> None:
    assert states(text, fact)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("in 2410 hours", "41"),
        ("in 41.5 hours", "41"),
        ("version 1.41", "41"),
        ("see [41]", "41"),
        ("LoRank", "rank"),
        ("about 3x", "3%"),
        ("4 million", "4B"),
        ("", "41"),
        ("anything", ""),
    ],
)
def test_not_stated(text: str, fact: str) -> None:
    assert not states(text, fact)


def test_markers_are_not_part_of_an_answer() -> None:
    assert without_markers("It is so [1], and so [2, 3] [4-6].") == "It is so, and so."


def test_normalising_twice_changes_nothing() -> None:
    text = "Two-fold: 1,400 × 3.5 per cent of twenty-one thousand — 7B"
    assert normalised(normalised(text)) == normalised(text)
