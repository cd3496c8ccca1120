"""How sure a cell of a table must be: fits the models behind it, and says how often they are right.

    python -m eval.cells [LABELS.jsonl]

Lines are ``{"field", "column", "cues": {name: number}, "right"}``: a candidate that somebody read
beside its abstract, what speaks for it (`assistant.review.cells`), and whether a cell with it
would be right. Each column's logistic regression is measured with one field left out in turn;
its intercept is moved so that of the candidates with log-odds from 0, nineteen in twenty of those
fields were right (of some columns `_WANTED_OF`). Where lines say of which ``paper`` they are, only
the surest of each is shown, and counted.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from assistant.files import write_atomically

FITTED = Path(__file__).parents[1] / "assistant" / "fitted"
LABELS = Path(__file__).with_suffix(".jsonl")
_WANTED = 0.95
_WANTED_OF = {"numbers": 0.91, "sample": 0.93}
"""Of a column whose share is another: with 0.95 fewer than half of its right ones are shown."""
_NEAR = 0.015
"""A column whose candidates are as often right as this is shown whole."""
_C = 0.3


def threshold(odds: np.ndarray, right: np.ndarray, wanted: float = _WANTED) -> tuple[float, int]:
    """The log-odds from which ``wanted`` of the candidates are right, and how many there are."""
    order = np.argsort(-odds, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    if right.mean() >= wanted - _NEAR:
        return float(odds.min()), len(odds)
    good = np.flatnonzero(share >= wanted)
    if not len(good):
        return float(odds.max()) + 1.0, 0
    return float(odds[order[good[-1]]]), int(good[-1]) + 1


def _surest(lines: list[dict[str, Any]], odds: np.ndarray) -> np.ndarray:
    """(shown,) places of the lines that are shown: all, or of each paper the one with most odds."""
    best: dict[Any, int] = {}
    for place, line in enumerate(lines):
        paper = (line["field"], line["paper"]) if "paper" in line else place
        if paper not in best or odds[place] > odds[best[paper]]:
            best[paper] = place
    return np.array(sorted(best.values()))


def fitted(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The model of one column."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    names = sorted({name for line in lines for name in line["cues"]})
    rows = np.array([[line["cues"].get(name, 0.0) for name in names] for line in lines])
    right = np.array([line["right"] for line in lines], bool)
    fields = np.array([line["field"] for line in lines])
    odds = np.zeros(len(lines))
    for field in sorted(set(fields)):
        apart = fields == field
        model = LogisticRegression(C=_C, max_iter=1000).fit(rows[~apart], right[~apart])
        odds[apart] = model.decision_function(rows[apart])
    shown = _surest(lines, odds)
    wanted = _WANTED_OF.get(lines[0]["column"], _WANTED)
    least, kept = threshold(odds[shown], right[shown], wanted)
    seen = right[shown][odds[shown] >= least]
    model = LogisticRegression(C=_C, max_iter=1000).fit(rows, right)
    note = (
        f"{len(lines)} candidates of {len(set(fields))} fields, {right.mean():.0%} right; with one "
        f"field left out, {seen.mean() if kept else 0:.0%} of {kept} that are shown"
    )
    return {
        "intercept": round(float(model.intercept_[0]) - least, 3),
        "weights": {n: round(float(w), 3) for n, w in zip(names, model.coef_[0], strict=True)},
        "note": note,
    }


def main(file: Path = LABELS) -> None:
    """Fits every column of the file and writes its model."""
    columns: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in map(json.loads, file.read_text("utf-8").splitlines()):
        columns[line["column"]].append(line)
    for column, lines in sorted(columns.items()):
        made = fitted(lines)
        print(f"{column}: {made['note']}")
        write_atomically(FITTED / f"cell_{column}.json", json.dumps(made) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
