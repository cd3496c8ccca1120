"""Trains models that read a sentence token by token (`assistant.fitted.TokenModel`), with torch,
which is no part of the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import open_embedder
from assistant.embedding.base import WordEmbedder
from assistant.fitted import TokenModel
from assistant.settings import Settings
from eval.data import EvalError

__all__ = ["States", "TokenTrainer", "states_of"]

HEADS, _BATCH, _RATE = 8, 64, 2e-3
_SOFTER, _LOUDER = 4.0, 3.0
"""Scales inside the model, so that it begins near a straight line."""
_TOKENS = 96
Floats = NDArray[np.float64]
States = NDArray[np.float16]
"""(tokens, dimension) of the third layer, without the two at the ends."""


def states_of(texts: Sequence[str]) -> list[States]:
    """What the program's own embedding model makes of each sentence, read alone.

    Raises:
        EvalError: it is another one that is set.
    """
    embedder = open_embedder(Settings.load())
    if not isinstance(embedder, WordEmbedder):
        raise EvalError("Only all-MiniLM-L6-v2 gives states of tokens.", "Unset the provider.")

    def read(text: str) -> States:
        return np.asarray(embedder.read(text).lower_tokens, dtype=np.float16)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(read, texts))


class TokenTrainer:
    """Holds what models are trained on; each `train` takes some of it.

    Args:
        states: of each sentence.
        features: (sentences, names) what else is known of it.
        names: of the features.
        labels: (sentences,) whether it is of the positive class.
        steps: of training.
        dropped: share of the inputs left out in each step.
        decay: of the weights.
    """

    def __init__(
        self,
        states: Sequence[States],
        features: Floats,
        names: Sequence[str],
        labels: NDArray[np.bool_],
        *,
        steps: int,
        dropped: float,
        decay: float,
    ) -> None:
        import torch  # noqa: PLC0415

        self._torch, self._names = torch, list(names)
        self._steps, self._dropped, self._decay = steps, dropped, decay
        self._states = torch.zeros((len(states), _TOKENS, states[0].shape[1]), dtype=torch.float16)
        self._held = torch.zeros((len(states), _TOKENS), dtype=torch.bool)
        for row, one in enumerate(states):
            some = torch.from_numpy(one[:_TOKENS])
            self._states[row, : len(some)] = some
            self._held[row, : max(1, len(some))] = True
        self._spread = float(self._states[self._held][:200_000].float().std())
        self._middles, self._spreads = features.mean(axis=0), features.std(axis=0) + 1e-9
        scaled = (features - self._middles) / self._spreads
        self._features = torch.tensor(scaled, dtype=torch.float32)
        self._labels = torch.tensor(labels, dtype=torch.float32)

    def train(self, chances: Floats) -> TokenModel:
        """The model of the sentences, each drawn with its chance."""
        torch, nn = self._torch, self._torch.nn
        torch.manual_seed(1)
        dimension, count = self._states.shape[2], len(self._names)
        attend, value = nn.Linear(dimension, HEADS), nn.Linear(dimension, HEADS)
        out, drop = nn.Linear(HEADS + count, 1), nn.Dropout(self._dropped)
        nn.init.normal_(out.weight, std=0.01)
        parameters = [p for one in (attend, value, out) for p in one.parameters()]
        optimiser = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=self._decay)
        chance, shares = np.random.default_rng(1), chances / chances.sum()
        for step in range(self._steps):
            rows = torch.from_numpy(chance.choice(len(shares), _BATCH, p=shares))
            states = drop(self._states[rows].float() / self._spread)
            looked = attend(states).masked_fill(~self._held[rows][..., None], -1e4).softmax(1)
            found = (looked * torch.tanh(value(states) / _SOFTER)).sum(1) * _LOUDER
            odds = out(torch.cat([found, drop(self._features[rows])], -1))[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(odds, self._labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            for group in optimiser.param_groups:
                group["lr"] = _RATE * (1 - step / self._steps)
        weights = out.weight[0, HEADS:].detach().numpy().astype(np.float64) / self._spreads
        return TokenModel(
            attend=_rounded(attend.weight, self._spread),
            attend_bias=_rounded(attend.bias),
            value=_rounded(value.weight, self._spread * _SOFTER),
            value_bias=_rounded(value.bias, _SOFTER),
            out=_rounded(out.weight[0, :HEADS], 1 / _LOUDER),
            intercept=round(float(out.bias[0].detach()) - float(weights @ self._middles), 4),
            weights={n: round(float(w), 4) for n, w in zip(self._names, weights, strict=True)},
        )


def _rounded(tensor: Any, over: float = 1.0) -> Any:
    return np.round(tensor.detach().numpy().astype(np.float64) / over, 4).tolist()
