"""Fitted models: one JSON file each in this folder, one class, one command that fits them.

``python -m eval.fit`` and the other fits of ``eval`` write the files; the program reads them. A
file holds ``intercept``, ``weights`` (feature → weight), and ``note``: what it was fitted on and
how well it does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

__all__ = ["LogisticModel", "load"]


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """log-odds = intercept + Σ weight · feature. ``words``: that features are made with."""

    intercept: float
    weights: Mapping[str, float]
    note: str = ""
    words: str = ""

    def log_odds(self, features: Mapping[str, float]) -> float:
        """Log-odds of the positive class; features without a weight are ignored."""
        return self.intercept + sum(w * features[name] for name, w in self.weights.items())

    def log_odds_of_few(self, features: Mapping[str, float]) -> float:
        """The same where few of many features are given (words): the others are 0."""
        given = features.items()
        return self.intercept + sum(self.weights.get(name, 0.0) * value for name, value in given)


@lru_cache
def load(name: str) -> LogisticModel:
    """The model in ``<name>.json`` of this folder."""
    text = files(__package__).joinpath(f"{name}.json").read_text("utf-8")
    return LogisticModel(**json.loads(text))
