"""Which sentences claim something, and what was understood of a question."""

from __future__ import annotations

import pytest

from assistant.answering.checking import is_claim
from assistant.answering.understanding import condensed, plan_from_reply
from assistant.conversation import small_talk
from assistant.results import Message


@pytest.mark.parametrize(
    "text",
    [
        "Experts are pruned without retraining.",
        "- Merging saves memory on large models",
        "The paper's method does not need a calibration set.",
        "No paper reports more than 62% there.",
        "剪枝后的模型在大多数任务上保持准确率不变。",
        "62%.",
        "| Pruning | 41% less memory |",
        "Two methods by Lin and Sato reach the same accuracy on every one of the tasks.",
    ],
)
def test_claims(text: str) -> None:
    assert is_claim(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "In short:",
        "## Results of the methods",
        "Which method is meant here?",
        "Two papers agree:",
        "The papers do not say how long training takes.",
        "None of the abstracts mentions a licence.",
        "Nothing is said about energy in the passages.",
        "The library does not cover robotics.",
        "Yes.",
        "Two methods learn such masks.",
        "The papers given describe no method that trains both together.",
        "Pruning and merging were mentioned before.",
        "|---|---|",
    ],
)
def test_what_claims_nothing(text: str) -> None:
    assert not is_claim(text)


def test_small_talk_is_small() -> None:
    assert small_talk("How many papers do you hold?", 1) == "The library holds 1 paper."
    assert small_talk("How many papers prune experts?", 9) is None
    assert small_talk("Hello, which papers prune experts?", 9) is None
    assert small_talk("help", 0)


def test_plans_keep_to_their_bounds() -> None:
    reply = '{"question": "' + "x" * 5000 + '", "queries": ["a", "a", 3, "", "b", "c", "d", "e"]}'
    plan = plan_from_reply(reply, "asked")
    assert len(plan.question) == 1000
    assert plan.searches[:4] == ["a", "b", "c", "d"]  # the model's words come first
    assert plan.library
    assert not plan_from_reply("nonsense", "asked").understood


def test_history_keeps_the_last_turns() -> None:
    turns = [Message(role="user", content=f"question {n} [1]") for n in range(100)]
    text = condensed(turns, 200)
    assert text.endswith("user: question 99")
    assert "question 0\n" not in text
    assert condensed(turns, 0) == ""
    assert condensed([], 100) == ""
