"""The fit of what a paper's most telling sentence is."""

from __future__ import annotations

import numpy as np

from eval.telling import f1, fitted, measured


def test_f1_is_of_stems() -> None:
    assert f1("Sorting lemons", "the lemon was sorted") == 1.0
    assert f1("Sorting lemons", "ships") == 0.0


def test_what_tells_gets_the_weight() -> None:
    """The cue that goes with good sentences, and not the one that goes with none."""
    rng = np.random.default_rng(0)
    abstracts = []
    for _ in range(40):
        good = rng.random(5)
        rows = [{"titled": float(g), "noise": float(rng.random())} for g in good]
        abstracts.append((rows, good))
    weights = fitted(abstracts)
    assert weights["titled"] > 5 * abs(weights["noise"])
    assert f"{np.mean([good.max() for _, good in abstracts]):.3f} (the first" in measured(
        weights, abstracts
    )
