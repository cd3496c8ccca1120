"""The models that are shipped are those that ``python -m eval.fit`` wrote, and none by hand."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")

import numpy as np

from assistant.fitted import TokenModel, load, load_token_model
from eval.fit import NAMES, SEAL, digests
from eval.membership import NAMES as MEMBERSHIP


def test_the_models_are_what_the_fit_wrote() -> None:
    sealed = dict(line.split()[::-1] for line in SEAL.read_text("utf-8").splitlines())
    assert digests() == sealed


@pytest.mark.parametrize("name", NAMES)
def test_a_model_has_the_features_that_the_fit_names(name: str) -> None:
    assert list(load(name).weights) == list(NAMES[name])


def test_the_model_of_lists_has_the_features_that_its_fit_names() -> None:
    assert list(load("membership").weights) == list(MEMBERSHIP)


def test_a_model_of_tokens_weighs_what_its_heads_find() -> None:
    model = TokenModel(
        attend=[[9.0, 0.0]],
        attend_bias=[0.5],
        value=[[0.0, 2.0]],
        value_bias=[0.1],
        out=[3.0],
        intercept=-1.0,
        weights={"words": 0.25},
    )
    states = np.array([[0.0, -1.0], [1.0, 1.0]], np.float32)
    looked = np.exp([0.5, 9.5]) / np.exp([0.5, 9.5]).sum()
    found = looked @ np.tanh([-1.9, 2.1])
    odds = model.log_odds(states, {"words": 2.0, "other": 7.0})
    assert odds == pytest.approx(-0.5 + 3 * found, abs=1e-5)
    assert model.log_odds(states[:0], {"words": 2.0}) == -0.5
    with pytest.raises(KeyError):
        model.log_odds(states, {})


@pytest.mark.parametrize(
    "name", ["steering", "contribution_does_tokens", "contribution_finds_tokens"]
)
def test_the_models_of_tokens_fit_the_embedding_model(name: str) -> None:
    model = load_token_model(name)
    assert np.shape(model.attend) == np.shape(model.value) == (len(model.out), 384)
    assert len(model.attend_bias) == len(model.value_bias) == len(model.out)
    assert model.note
