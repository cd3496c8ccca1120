"""The size of a sample: how counts are written, and which of them is what was looked at."""

from __future__ import annotations

import pytest

from assistant.review.samples import counted

from .test_parts import material


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("41", 41), ("1,204", 1204), ("36K", 36_000), ("2.5 million", 2_500_000),
        ("fifty-nine", 59), ("Twenty three", 23), ("a hundred", 100), ("two hundred and five", 205),
        ("three thousand", 3000), ("", 0),
    ],
)  # fmt: skip
def test_counts_in_figures_and_words(text: str, value: int) -> None:
    assert counted(text) == value


@pytest.mark.parametrize(
    ("sentence", "size"),
    [
        ("Fifty-nine patients with frostbite were studied for two winters.", "Fifty-nine patients"),
        ("The harness was tried by sailors in a survey with 77 participants.", "77 participants"),
        ("A total of 1,204 adults were asked about their bread.", "1,204 adults"),
        ("30 students took part in the experiment with lemons.", "30 students"),
        ("The study rests on interviews with 22 lighthouse keepers on fog.",
         "22 lighthouse keepers"),
        ("We conducted a survey of more than 1300 harbour pilots on tides.",
         "more than 1300 harbour pilots"),
        ("In a study with two hundred and five adults, bread was weighed.",
         "two hundred and five adults"),
        ("Data were collected from 150 beehives over one summer.", "150 beehives"),
        ("The effect was seen in a field study (N = 31) on sailors.", "N = 31"),
    ],
)  # fmt: skip
def test_what_was_looked_at_is_the_sample(sentence: str, size: str) -> None:
    read = material(f"Cold hands are a nuisance at sea. {sentence} The effect was small.")
    assert [cell.text for cell in read.sample_size()] == [size]


@pytest.mark.parametrize(
    "sentence",
    [
        "There are about 3 million sailors around the world today.",
        "The port serves over 75,000 sailors each year.",
        "The paper has 4 chapters and Lecture 5 covers tides.",
        "We study physics in 6 years and 12 dimensions.",
        "The critical case n = 1 is solved.",
        "The reader finds 12 exercises at the end.",
    ],
)
def test_what_there_is_in_the_world_is_no_sample(sentence: str) -> None:
    read = material(f"Cold hands are a nuisance at sea. {sentence} The effect was small.")
    assert read.sample_size() == []


def test_a_group_is_not_the_sample() -> None:
    read = material(
        "We conducted a study with 48 sailors. Twelve sailors were assigned to the control group. "
        "In 9 sailors the effect was seen."
    )
    assert [cell.text for cell in read.sample_size()] == ["48 sailors"]
