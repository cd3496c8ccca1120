"""The models of cells: what is in the folder is what the labels give."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np

from assistant.fitted import load
from eval.cells import LABELS, threshold


def test_what_is_shown_is_right_where_it_was_fitted() -> None:
    shown: dict[str, list[bool]] = defaultdict(list)
    for line in map(json.loads, LABELS.read_text("utf-8").splitlines()):
        if load(f"cell_{line['column']}").log_odds(defaultdict(float, line["cues"])) >= 0:
            shown[line["column"]].append(line["right"])
    assert len(shown) == 5
    for column, right in shown.items():
        assert len(right) > 20, column
        assert np.mean(right) >= 0.9, column


def test_the_threshold_keeps_as_many_as_are_right_often_enough() -> None:
    odds = np.array([3.0, 2.0, 1.0, 0.0])
    right = np.array([True, True, False, True])
    assert threshold(odds, right, 1.0) == (2.0, 2)
    assert threshold(odds, right, 0.7) == (0.0, 4)
    assert threshold(odds, ~right, 0.9)[1] == 0
