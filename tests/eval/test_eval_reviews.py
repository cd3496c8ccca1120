"""The measures of reviews, on papers written for it."""

from __future__ import annotations

import pytest

from assistant.assistant import Assistant
from eval import reviews
from eval.data import EvalError
from tests.review.conftest import expert_papers, experts  # noqa: F401  (a fixture)


def test_the_topics_are_ten_and_more() -> None:
    topics = reviews.read_topics()
    assert len([t for t in topics if t.kind == "held"]) == 10
    assert {t.kind for t in topics} == {"held", "thin", "absent"}
    assert all(t.relevant for t in topics if t.kind != "absent")


def test_measures(experts: Assistant) -> None:  # noqa: F811
    titles = [p.title for p in expert_papers()]
    topics = [
        reviews.Topic(id="experts", topic="mixture of experts", kind="held", relevant=titles),
        reviews.Topic(id="none", topic="gene editing by CRISPR", kind="absent", relevant=[]),
    ]
    found = reviews.measure(experts, topics, [30], lambda _: None)["30"]
    held, absent = found["topics"]
    assert held["coverage"] == held["precision"] == held["citation_precision"] == 1.0
    assert held["right"]
    assert absent["right"]
    assert absent["coverage"] is None
    assert held["purity"]["same"] > held["purity"]["chance"]
    assert 0 <= held["repetition"] <= 1
    assert found["mean"]["coverage"] == 1.0
    assert found["forced"]["papers"] == 18


def test_topics_of_other_papers_are_refused(experts: Assistant) -> None:  # noqa: F811
    with pytest.raises(EvalError, match="does not hold"):
        reviews.measure(experts, reviews.read_topics()[:1], [30], lambda _: None)
