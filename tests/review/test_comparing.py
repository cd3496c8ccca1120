"""What is said across papers: only what their cells hold."""

from __future__ import annotations

import pytest

from assistant.review.comparing import across, disagreements

from .test_parts import material

LEAD = "Lemons are sour. We sort lemons by their colour on farms. "


def test_values_of_one_measure_stand_side_by_side_and_claim_no_more() -> None:
    one = material(f"{LEAD}The results show a colour accuracy of 92.3%.", "Sorter", 1)
    two = material(f"{LEAD}It reaches an average colour accuracy of 88.1%.", "Graders of Fruit", 2)
    (said,) = [s for s in across([one, two]) if "colour accuracy" in s.text]
    assert said.text.startswith("Both give “colour accuracy”, which need not be on the same data:")
    assert "“colour accuracy of 92.3%” [1]" in said.text
    assert said.text.endswith("[2].")
    assert said.citations == [1, 2]


def test_one_measure_of_one_paper_is_not_compared() -> None:
    one = material(f"{LEAD}The results show a colour accuracy of 92.3%.", "Sorter", 1)
    two = material(f"{LEAD}The results show a drying time of 12.5 h.", "Dryers of Fruit", 2)
    assert not [s for s in across([one, two]) if "give" in s.text]


@pytest.mark.parametrize(
    ("first", "second", "opposite"),
    [
        ("Peel thickness was higher in red lemons.", "Peel thickness was reduced in them.", True),
        ("We found an increase in peel thickness.", "We found a decrease in peel thickness.", True),
        ("We found an increase in peel thickness.", "Peel thickness increased after rain.", False),
        ("We found no increase in peel thickness.", "Peel thickness increased in rain.", True),
    ],
)
def test_findings_that_go_the_same_way_or_another(first: str, second: str, opposite: bool) -> None:
    one = material(f"{LEAD}Results: {first}", "Lemons of the South", 1)
    two = material(f"{LEAD}Results: {second}", "Rain on Orchards", 2)
    assert bool(disagreements([one, two])) is opposite
    assert any("Likewise" in s.text for s in across([one, two])) is not opposite
