"""The pairs that the support checker is measured on."""

from __future__ import annotations

from fake_embedder import FakeEmbedder

from assistant.paper import Paper
from eval.checker import Checks, made
from eval.checker_pairs import CHANGES, make_pairs, neighbours

PAPERS = [
    Paper(
        title=f"Method{n}X for experts",
        abstract=f"We propose Method{n}X, which reduces memory by {40 + n}% on large models. "
        f"It is {n + 2}.5 times faster than the best baseline with fewer than 1,{n}00 samples. "
        "The experts of a mixture are pruned without any retraining at all.",
    )
    for n in range(6)
]
DIGEST = Paper(
    title="Method0X for experts",
    abstract="Memory falls by 40% when Method0X prunes a mixture's experts.",
    kind="digest",
)


def test_every_kind_is_made_and_labelled() -> None:
    pairs = make_pairs([*PAPERS, DIGEST], seed=1)
    seldom = {"number_swapped", "numbers_exchanged", "thing_changed", "made_causal"}
    assert {pair.kind for pair in pairs} >= {"right", *CHANGES} - seldom
    assert {pair.style for pair in pairs} == {"copy", "light", "digest"}
    assert all((pair.kind == "right") == bool(pair.label) for pair in pairs)
    originals = {pair.origin: pair for pair in pairs if pair.kind == "right"}
    for pair in pairs:
        right = originals[pair.origin]
        if pair.kind in ("wrong_paper", "other_paper"):
            assert pair.paper != right.paper
            assert pair.sentence == right.sentence
        elif pair.kind != "right":
            assert pair.paper == right.paper
            assert pair.sentence != right.sentence
    assert pairs == make_pairs([*PAPERS, DIGEST], seed=1)


def test_a_neighbour_is_another_paper() -> None:
    assert all(i != near for i, near in enumerate(neighbours(PAPERS)))


def test_the_checker_is_measured_by_kind_of_error() -> None:
    papers = [*PAPERS, DIGEST]
    checks = Checks(papers, FakeEmbedder())
    found = made(papers, checks, 1)
    assert found["true_pairs"] > 0
    assert set(found["kinds"]) <= set(CHANGES)
    assert found["kinds"]["number_changed"]["auroc"] > 0.9
