"""search and ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.results import CLOSEST, Answer, ErrorEvent, TextEvent, Usage

from .conftest import Run, Script
from .fakes import made_answer

CONTRACT = {
    "question": str,
    "standalone_question": str,
    "answer": str,
    "answered": bool,
    "status": str,
    "confidence": float,
    "mode": str,
    "citations": list,
    "sentences": list,
    "passages": list,
    "timings_ms": dict,
}


def test_search_json(filled: Path, run: Run) -> None:
    result = run("search", "pruning experts without retraining", "-k", "2", "--json")
    assert result.code == 0
    assert [list(hit) for hit in result.json] == [
        ["rank", "paper_id", "title", "score", "passage"]
    ] * 2
    assert [hit["rank"] for hit in result.json] == [1, 2]
    assert result.json[0]["title"] == "Pruning Experts Without Retraining"
    assert result.json[0]["paper_id"] == "doi:10.1000/prune_1"
    assert result.err == ""


def test_search_text(filled: Path, run: Run) -> None:
    result = run("search", "-", "-k", "1", stdin="gaze estimation with one eye")
    first, passage, paper_id = result.out.splitlines()
    assert first.startswith("1. Gaze [bold]Estimation[/bold] with One Eye  ")
    assert passage.strip() in ("A single eye is enough to estimate gaze.", "The error is 2.3 cm.")
    assert paper_id == "   arxiv:2301.00001"


def test_ask_for_real(filled: Path, run: Run) -> None:
    result = run("ask", "Which experts are pruned without retraining?", "--json")
    assert result.code == 0
    for field, kind in CONTRACT.items():
        assert isinstance(result.json[field], kind), field
    assert {"model", "usage"} <= set(result.json)
    assert result.json["question"] == "Which experts are pruned without retraining?"
    Answer.model_validate(result.json)
    assert result.err == ""


def test_k_limits_the_papers(filled: Path, run: Run) -> None:
    for k in (1, 3):
        answer = run("ask", "what is pruned?", "-k", str(k), "--json").json
        assert len(answer["passages"]) == k


def test_ask_shows_text_marks_sources_and_notes(filled: Path, run: Run, script: Script) -> None:
    script.turns = [made_answer()]
    result = run("ask", "Which pruning works?")
    assert result.code == 0
    assert result.out.splitlines() == [
        "Magnitude pruning works [1]. It halves memory [2]. (partly supported) "
        "It is free. (not supported)",
        "",
        "Sources:",
        "[1] Pruning [bold]by[/bold] Magnitude (https://example.org/1)",
        "    “We prune by magnitude.”",
        "[2] Half the Memory · partly supported",
        "    “Memory falls.”",
    ]
    assert result.err.splitlines() == [
        "Answered; confidence that the library answers: 90%.",
        "This is extraction.",
    ]


def test_a_verdict_is_never_lost(filled: Path, run: Run, script: Script) -> None:
    script.turns = [made_answer(answer="Reworded as a whole.")]
    out = run("ask", "Which pruning works?").out
    assert "partly supported: “It halves memory [2].”" in out
    assert "not supported: “It is free.”" in out


def test_what_a_language_model_cost_is_said(filled: Path, run: Run, script: Script) -> None:
    usage = Usage(prompt_tokens=1200, completion_tokens=34, cost_usd=0.0021)
    script.turns = [made_answer(model="some-model", usage=usage, notes=[])]
    told = run("ask", "why?").err.splitlines()
    assert told[1:] == ["some-model: 1,200 tokens in, 34 out, $0.0021."]


def test_closest_and_absent_look_different(filled: Path, run: Run, script: Script) -> None:
    closest = made_answer(status="closest", answered=False, answer="Nothing answers this; [1].")
    absent = made_answer(
        status="absent", answered=False, answer="Not held.", citations=[], sentences=[]
    )
    by_a_model = absent.model_copy(update={"mode": "generative"})
    script.turns = [closest, absent, by_a_model]
    result = run("ask", "why?")
    assert result.code == 0
    assert "Closest papers:" in result.out
    assert "Sources:" not in result.out
    assert run("ask", "why?").out.splitlines() == ["Not held."]  # it names what is near itself
    result = run("ask", "why?")
    assert result.code == 0
    assert result.out.splitlines() == ["Not held.", "", "Nearest papers:", "- A Near Paper"]


def test_a_list_does_not_name_its_papers_twice(filled: Path, run: Run, script: Script) -> None:
    listed = "2 papers here:\nPruning [bold]by[/bold] Magnitude [1]\nHalf the Memory [2]"
    script.turns = [made_answer(answer=listed, sentences=[])]
    result = run("ask", "which papers?")
    assert "[1] (https://example.org/1)" in result.out
    assert result.out.count("Pruning [bold]by[/bold] Magnitude") == 1
    assert str(made_answer(answer=listed)) == listed


def test_on_a_terminal_an_answer_not_held_is_a_card(
    filled: Path, on_terminal: Run, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    script.turns = [made_answer(status="absent", answered=False)]
    assert "─ not in this library ─" in on_terminal("ask", "why?").out
    script.turns = [made_answer(status="closest", answered=False, answer=f"{CLOSEST}\nIt is [1].")]
    shown = on_terminal("ask", "why?")
    assert "no direct answer" in shown.out
    assert "Nothing in this library" not in shown.out
    script.turns = [made_answer()]
    shown = on_terminal("ask", "why?")
    assert "╭" not in shown.out
    assert "[1] Pruning [bold]by[/bold] Magnitude" in shown.out
    assert "searching" in shown.err


def test_harm_in_a_title_does_not_reach_the_terminal(
    filled: Path, run: Run, script: Script
) -> None:
    answer = made_answer()
    answer.citations[0].title = "Evil\x1b]0;owned\x07\x1b[2J \x9b title"
    answer.citations[0].quote = "quote\x1b[31m"
    script.turns = [answer, answer]
    out = run("ask", "why?").out
    assert "[1] Evil  title" in out
    assert not any(harm in out for harm in "\x1b\x07\x9b")
    assert run("ask", "why?", "--json").json["citations"][0]["title"] == answer.citations[0].title


def test_history_is_passed_on(tmp_path: Path, filled: Path, run: Run, script: Script) -> None:
    turns = [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "b."}]
    file = tmp_path / "turns.json"
    file.write_text(json.dumps(turns), encoding="utf-8")
    script.turns = [made_answer()]
    assert run("ask", "and then?", "--history", str(file)).code == 0
    assert script.asked == [("and then?", [("user", "a?"), ("assistant", "b.")])]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        ("{not json", "it is not JSON"),
        ('{"role": "user"}', "list"),
        ('[{"role": "system", "content": "x"}]', "0.role"),
        ('[{"role": "user"}]', "0.content"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_a_wrong_history_is_one_sentence(
    content: str | None, reason: str, tmp_path: Path, filled: Path, run: Run
) -> None:
    file = tmp_path / "turns.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    result = run("ask", "why?", "--history", str(file))
    assert (result.code, result.out) == (1, "")
    assert reason in result.err
    assert str(file) in result.err
    assert result.err.count("\n") == 1


def test_a_question_without_words(filled: Path, run: Run) -> None:
    for question in ("", "???", " \n "):
        result = run("ask", question, "--json")
        assert (result.code, result.out) == (1, "")
        assert "no word" in result.err


def test_a_question_that_is_no_utf8(filled: Path, run: Run) -> None:
    result = run("ask", "what is pruned \udcff?", "--json")
    assert result.code == 0
    assert result.json["question"] == "what is pruned \ufffd?"


def test_an_answer_that_breaks_off_is_a_failure(filled: Path, run: Run, script: Script) -> None:
    part = made_answer(answer="Half an", citations=[], sentences=[], notes=[])
    events: list[Any] = [
        TextEvent(text="Half an"),
        ErrorEvent(message="The endpoint stopped. Try again.", partial=part),
    ]
    script.turns = [events, events]
    result = run("ask", "why?")
    assert (result.code, result.out) == (1, "Half an… (not finished)\n")
    assert result.err == "The endpoint stopped. Try again.\n"
    result = run("ask", "why?", "--json")
    assert (result.code, result.out) == (1, "")
