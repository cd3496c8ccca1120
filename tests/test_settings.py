"""Settings: what is refused is named in one sentence, whatever way it came in."""

from __future__ import annotations

import pytest

from assistant.errors import ConfigurationError
from assistant.settings import Settings, unknown_variables


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ASSISTANT_EMBEDDING", "foo", "ASSISTANT_EMBEDDING__PROVIDER"),
        ("ASSISTANT_EMBEDDING", "{", "ASSISTANT_EMBEDDING__PROVIDER"),
        ("ASSISTANT_EMBEDDING", "[1]", "'embedding'"),
        ("ASSISTANT_EMBEDDING", "{}", ""),
        ("ASSISTANT_GENERATION", "quick", "ASSISTANT_GENERATION__EFFORT"),
        ("ASSISTANT_EMBEDDING__MODLE", "x", "There is no setting 'embedding.modle'"),
        ("ASSISTANT_RETRIEVAL__TOP_K", "many", "'retrieval.top_k'"),
        ("ASSISTANT_RETRIEVAL__TOP_K__X", "1", "'retrieval.top_k'"),
        ("ASSISTANT_GENERATION__EFFORT", "huge", "'generation.effort'"),
        ("ASSISTANT_GENERATION__MAX_COST", "0", "'generation.max_cost'"),
    ],
)
def test_a_bad_variable_is_one_clear_sentence(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    if not said:
        Settings.load()
        return
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.do


def test_arguments_join_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_GENERATION__VERIFY", "true")
    generation = Settings.load(generation={"effort": "deep"}).generation
    assert (generation.effort, generation.verify) == ("deep", "model")


def test_unknown_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(unknown_variables()) == []
    monkeypatch.setenv("assistant_llm", "known in either case")
    monkeypatch.setenv("ASSISTANT_LMM", "x")
    monkeypatch.setenv("ASSISTANT_SERVER__TOKEN", "x")
    monkeypatch.setenv("ASSISTANT_LLM__X", "x")
    assert list(unknown_variables()) == [
        ("ASSISTANT_LLM__X", "ASSISTANT_LLM"),
        ("ASSISTANT_LMM", "ASSISTANT_LLM"),
    ]
