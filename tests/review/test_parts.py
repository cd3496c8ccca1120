"""The parts: wording, numbers, roles, acronyms, numbering."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.paper import Paper
from assistant.review.drafting import marked
from assistant.review.numbers import figures, scale_of
from assistant.review.roles import points_back, read
from assistant.review.search import UsedPaper, acronyms
from assistant.review.themes import projected
from assistant.review.wording import attributed, clean, clipped, counted, name_of

CUTTER = Paper(title="Cutter: Pruning Without Tears", abstract="Cutter prunes experts.")
PLAIN = Paper(title="On the Pruning of Experts", abstract="We prune experts.")


@pytest.mark.parametrize(
    ("title", "abstract", "name"),
    [
        ("Cutter: Pruning", "We show.", "Cutter"),
        ("Big Cutter: Pruning", "The Big Cutter cuts.", "Big Cutter"),
        ("Just Like That: Pruning", "We show.", "“Just Like That”"),
        ("Two Words: Pruning", "We show.", "“Two Words: Pruning”"),
        ("On the Pruning of Experts", "We show.", "“On the Pruning of Experts”"),
    ],
)
def test_names(title: str, abstract: str, name: str) -> None:
    assert name_of(Paper(title=title, abstract=abstract)) == name


def test_a_long_title_is_cut() -> None:
    assert len(name_of(Paper(title="Pruning " * 250, abstract="x y."))) < 100


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("We propose Cutter, a method that prunes.", "Cutter is a method that prunes."),
        ("To this end, we introduce Cutter (C), the first of its kind.",
         "Cutter is the first of its kind."),
        ("We present a new method, Cutter, that prunes.", "Cutter is a new method that prunes."),
        ("We introduce Mild Pruning (Cutter), a method.", "Cutter (Mild Pruning) is a method."),
        ("This paper presents Cutter, a method.", "Cutter is a method."),
        ("We show that pruning helps.", "Cutter shows that pruning helps."),
        ("At the end, we show gains.", "At the end, Cutter shows gains."),
        ("We prune and propose a loss.", "The authors of Cutter prune and propose a loss."),
        ("Our Cutter is quick.", "Cutter is quick."),
        ("Experiments show gains.", "In Cutter, experiments show gains."),
        ("With little tuning, it helps a lot.", "With little tuning, Cutter helps a lot."),
    ],
)  # fmt: skip
def test_sentences_with_their_subject(said: str, shown: str) -> None:
    assert attributed(said, CUTTER) == shown


def test_a_title_as_the_subject() -> None:
    assert attributed("We show gains.", PLAIN) == "“On the Pruning of Experts” shows gains."


def test_cleaning() -> None:
    assert clean(r"at 50\% of $x$ [12, 13] \textbf{now}") == "at 50% of x now"


def test_clipping_ends_after_a_clause() -> None:
    text = (
        "It prunes experts by a score of the router, which is cheap, and then tunes the rest well"
    )
    assert clipped(text, 12) == "It prunes experts by a score of the router, which is cheap …"
    assert clipped("short enough", 12) == "short enough"
    assert clipped(
        "Although it is cheap, it prunes experts by a score that is large", 8
    ).startswith("Although it is cheap, it prunes")


def test_counting() -> None:
    assert (counted(1), counted(3), counted(14)) == ("one paper", "three papers", "14 papers")


def test_runs_of_numbers() -> None:
    assert marked([1, 3]) == "[1][3]"
    assert marked([1, 2, 3, 4, 5, 6, 8]) == "[1]–[6][8]"


@pytest.mark.parametrize(
    ("sentence", "kind", "text"),
    [
        ("Decoding is 2.3x faster on one GPU.", "speed", "Decoding is 2.3x faster on one GPU"),
        ("The memory falls by 41%, which is much.", "size", "The memory falls by 41%"),
        (
            "It reaches 78.3% accuracy on ImageNet.",
            "quality",
            "It reaches 78.3% accuracy on ImageNet",
        ),
        (
            "Throughput is 1,148 tokens/s per card.",
            "speed",
            "Throughput is 1,148 tokens/s per card",
        ),
    ],
)
def test_figures(sentence: str, kind: str, text: str) -> None:
    found = figures([sentence], [0])
    assert [(f.kind, f.text) for f in found] == [(kind, text)]


@pytest.mark.parametrize(
    "sentence",
    ["It is compared with Llama 3.1 and others.", "We train models of 2 billion parameters.",
     "There are 3 stages.", "In 2024 this was new."],
)  # fmt: skip
def test_what_is_no_figure(sentence: str) -> None:
    assert figures([sentence], [0]) == []


def test_scale() -> None:
    said = ["A model of 7B parameters is trained on 1.5M images of ImageNet with 8 GPUs."]
    assert [text for text, _ in scale_of(said, [0])] == [
        "7B parameters", "1.5M images", "8 GPUs", "ImageNet",
    ]  # fmt: skip


def test_points_back() -> None:
    assert points_back("These issues are solved.")
    assert points_back("We solve this problem.")
    assert not points_back("To this end, we propose Cutter, a method.")
    assert not points_back("Pruning is popular.")


def test_roles() -> None:
    said = [
        "Experts fill the memory.",
        "However, dropping experts is difficult and costly.",
        "We propose Cutter, a method that prunes experts.",
        "Cutter reduces memory by 41%.",
        "It does not help when batches are small.",
        "How rare knowledge is kept remains an open question.",
        "Our code is available at https://example.org.",
    ]
    vectors = np.eye(7, 8, dtype=np.float32)
    used = UsedPaper(0, CUTTER, 1.0, said, vectors, vectors.mean(axis=0))
    reading = read(used, np.ones(8, dtype=np.float32) / np.sqrt(8, dtype=np.float32))
    assert (reading.problem, reading.method, reading.result) == (1, 2, 3)
    assert (reading.limits, reading.open_late) == (4, [5])


def test_acronyms() -> None:
    found = acronyms("mixture-of-experts compression")
    assert "moe" in found
    assert found["moe"] == {"mixtur", "expert"}
    assert "llm" in acronyms("large language models")


def test_a_map_lies_in_the_square() -> None:
    rows = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    flat = projected(rows)
    assert flat.shape == (9, 2)
    assert flat.min() >= 0
    assert flat.max() <= 1
    assert np.array_equal(flat, projected(rows.copy()))
    assert projected(rows[:1]).tolist() == [[0.5, 0.5]]
