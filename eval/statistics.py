"""How sure a number is: bootstrap intervals, paired tests, curves of a yes-or-no signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

RESAMPLES = 2000
"""Of a bootstrap. The interval is the percentile one, 95%."""
SEED = 20_240

Floats = NDArray[np.float64]


def mean_interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean with its 95% bootstrap interval, resampling the questions.

    Returns:
        ``{"mean", "low", "high", "n"}``; None for a mean of nothing.
    """
    sample = np.asarray(values, dtype=np.float64)
    if not len(sample):
        return {"mean": None, "low": None, "high": None, "n": 0}
    low, high = np.percentile(_resampled_means(sample), [2.5, 97.5])
    return {
        "mean": round(float(sample.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "n": len(sample),
    }


def _resampled_means(sample: Floats) -> Floats:
    generator = np.random.default_rng(SEED)
    picks = generator.integers(0, len(sample), size=(RESAMPLES, len(sample)))
    means: Floats = sample[picks].mean(axis=1)
    return means


def paired(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Difference of two systems on the same questions, ours minus theirs.

    The interval is a bootstrap over questions; ``p`` is the two-sided paired permutation test
    (signs of the differences flipped at random), which assumes no distribution.
    """
    differences = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    result = mean_interval(differences.tolist())
    if len(differences) < 2 or not np.any(differences):
        return {**result, "p": 1.0}
    test = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=9999,
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    return {**result, "p": round(float(test.pvalue), 4)}


def separation(positive: Sequence[float], negative: Sequence[float]) -> dict[str, Any]:
    """How well a score tells ``positive`` cases (should be high) from ``negative`` ones.

    Returns:
        the area under the ROC curve with its bootstrap interval, and the share of the negative
        that is refused when at most 5% of the positive are.
    """
    if not len(positive) or not len(negative):
        return {"auroc": None, "low": None, "high": None, "refused_at_5": None}
    high, low = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    labels = np.r_[np.ones(len(high)), np.zeros(len(low))]
    scores = np.r_[high, low]
    generator = np.random.default_rng(SEED)
    areas = [
        _area(high[generator.integers(0, len(high), len(high))],
              low[generator.integers(0, len(low), len(low))])
        for _ in range(500)
    ]  # fmt: skip
    kept_negative, kept_positive, _ = roc_curve(labels, scores, drop_intermediate=False)
    allowed = kept_positive >= 0.95
    interval = np.percentile(areas, [2.5, 97.5])
    return {
        "auroc": round(float(roc_auc_score(labels, scores)), 4),
        "low": round(float(interval[0]), 4),
        "high": round(float(interval[1]), 4),
        "positive": len(high),
        "negative": len(low),
        "refused_at_5": round(float((1 - kept_negative[allowed]).max()), 4),
    }


def _area(high: Floats, low: Floats) -> float:
    return float(stats.mannwhitneyu(high, low).statistic / (len(high) * len(low)))


def calibration_error(scores: Sequence[float], right: Sequence[bool]) -> dict[str, Any]:
    """The expected calibration error: mean distance of score and share right over ten bins.

    Returns:
        ``{"ece", "bins"}``; a bin is ``{"score", "right", "n"}``, means of those in it.
    """
    values, labels = np.asarray(scores, np.float64), np.asarray(right, np.float64)
    place = np.minimum((values * 10).astype(int), 9)
    bins = [
        {
            "score": round(float(values[place == n].mean()), 4),
            "right": round(float(labels[place == n].mean()), 4),
            "n": int((place == n).sum()),
        }
        for n in range(10)
        if (place == n).any()
    ]
    total = sum(b["n"] * abs(b["score"] - b["right"]) for b in bins)
    return {"ece": round(total / len(values), 4) if bins else None, "bins": bins}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """``{"p50", "p95", "n"}`` of measured times."""
    if not values:
        return {"p50": 0.0, "p95": 0.0, "n": 0}
    p50, p95 = np.percentile(np.asarray(values), [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "n": len(values)}
