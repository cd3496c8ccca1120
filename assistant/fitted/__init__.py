"""Fitted models: one JSON file each in this folder, two classes, one command that fits them.

``python -m eval.fit`` and the other fits of ``eval`` write the files; the program reads them. A
file holds ``intercept``, ``weights`` (feature → weight), and ``note``: what it was fitted on and
how well it does; that of a model that reads a sentence token by token also what it looks for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "LogisticModel", "TokenModel", "load", "load_token_model"]

Floats = NDArray[np.float32]


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


@dataclass(frozen=True)
class TokenModel:
    """Reads a sentence token by token, beside what else is known of it.

    log-odds = intercept + Σ weight · feature + Σ_h out_h · Σ_t softmax_t(x_t · attend_h +
    attend_bias_h) · tanh(x_t · value_h + value_bias_h), with x_t the state of token t in the third
    layer of all-MiniLM-L6-v2. That is attention pooling (Yang et al., Hierarchical Attention
    Networks, 2016) of a few heads, each of which looks for the tokens that matter to it.

    ``attend``, ``value``: (heads, dimension).
    """

    attend: Sequence[Sequence[float]]
    attend_bias: Sequence[float]
    value: Sequence[Sequence[float]]
    value_bias: Sequence[float]
    out: Sequence[float]
    intercept: float
    weights: Mapping[str, float]
    note: str = ""

    @cached_property
    def _tables(self) -> tuple[Floats, ...]:
        attend, value = np.array(self.attend, np.float32).T, np.array(self.value, np.float32).T
        rows = (self.attend_bias, self.value_bias, self.out)
        return attend, value, *(np.array(row, np.float32) for row in rows)

    def log_odds(self, states: Floats, features: Mapping[str, float]) -> float:
        """Log-odds of the positive class.

        Args:
            states: (tokens, dimension) of the third layer, without the two at the ends.
            features: every one that has a weight; others are ignored.
        """
        odds = self.intercept + sum(w * features[name] for name, w in self.weights.items())
        if not len(states):
            return odds
        attend, value, attend_bias, value_bias, out = self._tables
        looked = states @ attend + attend_bias
        looked = np.exp(looked - looked.max(axis=0))
        looked /= looked.sum(axis=0)
        found = np.tanh(states @ value + value_bias)
        return odds + float((looked * found).sum(axis=0) @ out)


@lru_cache
def load(name: str) -> LogisticModel:
    """The model in ``<name>.json`` of this folder."""
    return LogisticModel(**_content(name))


@lru_cache
def load_token_model(name: str) -> TokenModel:
    """The model in ``<name>.json`` of this folder that reads tokens."""
    return TokenModel(**_content(name))


def _content(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath(f"{name}.json").read_text("utf-8")
    return dict(json.loads(text))
