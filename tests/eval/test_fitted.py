"""The models that are shipped are those that ``python -m eval.fit`` wrote, and none by hand."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")

from assistant.fitted import load
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
