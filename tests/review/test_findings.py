"""What a paper is shown to report: a finding, and neither an announcement nor a fragment."""

from __future__ import annotations

import pytest

from .test_parts import material

FINDING = "Sorting lemons by colour raised the yield of the farms by 40%."
PLAIN = "Sorting lemons by colour doubled the yield of the farms."
"""A finding without a number, which the model of its column may think too unlikely."""
AIM = "We study the sorting of lemons on large farms."


@pytest.mark.parametrize(
    "aside",
    [
        "The sorting of lemons on large farms is also discussed.",
        "The results on the yield of lemons are presented and discussed.",
        "We also discuss the sorting of lemons by colour on farms.",
        "Our results provide new insights into the sorting of lemons.",
        "Sorting lemons by colour may one day help the farms.",
        "To our knowledge, research has yet to look at sorting lemons by colour.",
        "Lemons were sorted by size and by colour on the farms; 2.",
        "3. Yield of the farms that sorted lemons by colour.",
    ],
)
@pytest.mark.parametrize("title", ["Sorting Lemons by Colour", "Yield of Farms"])
def test_what_only_says_that_something_is_told_is_no_finding(aside: str, title: str) -> None:
    read = material(f"{AIM} {FINDING} {aside}", title)
    shown = [cell.text for cell in read.contribution if cell]
    assert aside not in shown
    assert read.contribution[1] is not None
    assert read.contribution[1].text == FINDING
    plain = material(f"{AIM} {PLAIN} {aside}", title).contribution
    assert aside not in [cell.text for cell in plain if cell]
    assert plain[1] is None or plain[1].text == PLAIN


def test_what_a_paper_describes_is_what_it_does() -> None:
    aim = "In this paper, we describe a new way of sorting lemons on farms by their colour."
    does, reports = material(aim, "A New Way of Sorting Lemons").contribution
    assert does is not None
    assert does.text == aim
    assert reports is None


@pytest.mark.parametrize(
    "sentence",
    [
        "We report that sorting lemons by colour doubled the yield of the farms.",
        "We demonstrate significant gains of yield by sorting lemons by colour.",
    ],
)
def test_what_is_said_to_be_found_is_no_announcement(sentence: str) -> None:
    read = material(f"{AIM} {sentence}", "Sorting Lemons by Colour")
    place = read.sentences.index(sentence)
    assert not read.announces(place)
    assert not read.aside(place)


@pytest.mark.parametrize(
    "sentence",
    [
        "Further research is needed on red lemons.",
        "In future work, we will sort red lemons.",
        "This effect on red lemons warrants further study.",
        "These results have to be validated on red lemons.",
        "A limitation is that only ripe lemons were sorted.",
        "The study is limited by the small number of farms.",
        "The results should be interpreted with caution.",
        "Future studies should look at red lemons.",
    ],
)
def test_what_a_paper_leaves_open_is_found(sentence: str) -> None:
    left = material(f"{AIM} {FINDING} {sentence}").left_open()
    assert left is not None
    assert left.text.endswith(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "It was unknown so far whether lemons can be sorted.",
        "Limitations and future work are discussed.",
        "Lemons are limited to warm countries.",
        "We solve an open problem of sorting.",
    ],
)
def test_what_is_not_left_open(sentence: str) -> None:
    assert material(f"{AIM} {FINDING} {sentence}").left_open() is None
