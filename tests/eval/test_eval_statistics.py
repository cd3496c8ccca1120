"""Intervals, tests and curves say what they should on cases with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from eval.answers import average_precision
from eval.bench import exponent
from eval.statistics import calibration_error, mean_interval, paired, percentiles, separation


def test_an_interval_holds_the_mean_and_shrinks_with_the_sample() -> None:
    few, many = mean_interval([0.0, 1.0] * 10), mean_interval([0.0, 1.0] * 1000)
    assert few["low"] < few["mean"] == many["mean"] == 0.5 < few["high"]
    assert many["high"] - many["low"] < few["high"] - few["low"]
    assert mean_interval([])["mean"] is None


def test_a_clear_difference_is_sure_and_none_is_not() -> None:
    generator = np.random.default_rng(1)
    before = generator.random(60)
    better = paired((before + 0.2).tolist(), before.tolist())
    same = paired(generator.permutation(before).tolist(), before.tolist())
    assert better["p"] < 0.001
    assert better["low"] == better["mean"] == better["high"] == pytest.approx(0.2)
    assert same["p"] > 0.5
    assert paired(before.tolist(), before.tolist())["p"] == 1.0


def test_separation_of_apart_and_of_equal_scores() -> None:
    apart = separation([0.8, 0.9, 1.0], [0.1, 0.2])
    equal = separation([0.5] * 4, [0.5] * 4)
    assert apart["auroc"] == 1.0
    assert apart["refused_at_5"] == 1.0
    assert equal["auroc"] == 0.5
    assert equal["refused_at_5"] == 0.0
    assert separation([], [0.1])["auroc"] is None


def test_a_power_law_is_found_again() -> None:
    found = exponent([(n, 3 * n**0.5) for n in (545, 10_000, 100_000)])
    assert found == pytest.approx(0.5, abs=1e-3)
    assert exponent([(545, 1.0)]) is None


def test_percentiles() -> None:
    assert percentiles(list(range(1, 101))) == {"p50": 50.5, "p95": 95.05, "n": 100}


def test_average_precision_of_known_rankings() -> None:
    assert average_precision([1, 2], 8) == 1.0
    assert average_precision([2], 8) == 0.5
    assert average_precision([1, 9], 8) == 0.5
    assert average_precision([None], 8) == 0.0


def test_a_confidence_that_means_what_it_says_has_no_calibration_error() -> None:
    true = calibration_error([0.75] * 4 + [0.25] * 4, [True] * 3 + [False] * 4 + [True])
    assert true["ece"] == 0.0
    assert [b["n"] for b in true["bins"]] == [4, 4]
    assert calibration_error([1.0, 1.0], [False, False])["ece"] == 1.0
    assert calibration_error([], [])["ece"] is None
