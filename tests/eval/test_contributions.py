"""The fit of what a paper does and reports."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from assistant.fitted import LogisticModel
from eval.cells import threshold
from eval.contributions import COLUMNS, LABELS, Labelled, best, fit


def labelled(source: str, right: int) -> Labelled:
    return Labelled(
        source,
        {place: {"near": float(place == right), "'walls'": 1.0} for place in range(4)},
        {place: np.zeros((3, 384), np.float16) for place in range(4)},
        {column: frozenset({right}) for column in COLUMNS},
        dict.fromkeys(COLUMNS, frozenset(range(4))),
    )


def test_what_tells_is_learned() -> None:
    papers = [labelled(f"source {n % 7}", n % 4) for n in range(28)]
    model = fit(papers, "does")
    highest, right = best(papers, [model] * len(papers), "does")
    assert right.all()
    assert threshold(highest, right, 0.95)[0] == highest.min()
    assert threshold(highest, 1 - right, 0.95)[0] > highest.max()


def test_a_paper_without_a_place_has_none() -> None:
    barred = replace(labelled("one", 0), shown=dict.fromkeys(COLUMNS, frozenset()))
    highest, right = best([barred], [LogisticModel(0.0, {})], "finds")
    assert np.isneginf(highest).all()
    assert not right.any()


def test_the_labels_name_each_paper_once() -> None:
    lines = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    assert len({line["p"] for line in lines}) == len(lines)
    assert {line["set"] for line in lines} == {"fitted", "held-out"}
