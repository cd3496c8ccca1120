"""Logistic regression over named features, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LogisticModel"]


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """log-odds = intercept + Σ weight · feature."""

    intercept: float
    weights: Mapping[str, float]

    def log_odds(self, features: Mapping[str, float]) -> float:
        """Log-odds of the positive class; features without a weight are ignored."""
        return self.intercept + sum(w * features[name] for name, w in self.weights.items())
