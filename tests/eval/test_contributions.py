"""The fit of what a paper does and reports."""

from __future__ import annotations

import json

import numpy as np

from eval.contributions import COLUMNS, LABELS, Labelled, best, fit, threshold


def labelled(source: str, right: int) -> Labelled:
    cues = tuple({"near": float(place == right)} for place in range(4))
    words = tuple(frozenset({"'walls'"}) for _ in range(4))
    every = frozenset(range(4))
    return Labelled(
        source,
        tuple(range(4)),
        cues,
        words,
        {column: frozenset({right}) for column in COLUMNS},
        dict.fromkeys(COLUMNS, every),
    )


def test_what_tells_is_learned() -> None:
    papers = [labelled(f"source {n % 7}", n % 4) for n in range(28)]
    model = fit(papers, "does")
    highest, right = best(papers, [model.odds(paper) for paper in papers], "does")
    assert right.all()
    assert threshold(highest, right, 0.95) == highest.min()
    assert threshold(highest, 1 - right, 0.95) > highest.max()


def test_a_paper_without_a_place_has_none() -> None:
    paper = labelled("one", 0)
    barred = Labelled(
        paper.source, paper.places, paper.cues, paper.words, paper.right,
        dict.fromkeys(COLUMNS, frozenset()),
    )  # fmt: skip
    highest, right = best([barred], [np.zeros(4)], "finds")
    assert np.isneginf(highest).all()
    assert not right.any()


def test_the_labels_name_each_paper_once() -> None:
    lines = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    assert len({line["p"] for line in lines}) == len(lines)
    assert {line["set"] for line in lines} == {"fitted", "held-out"}
