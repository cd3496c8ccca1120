"""chat: a person's conversation, and questions from a pipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from assistant.cli.telling import Writer
from assistant.cli.terminal import Terminal
from assistant.errors import EndpointError
from assistant.results import DoneEvent, ErrorEvent, TextEvent

from .conftest import Run, Screen, Script
from .fakes import made_answer


@pytest.fixture(autouse=True)
def _no_colour(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def test_from_a_pipe(run: Run, script: Script) -> None:
    script.turns = [made_answer(), made_answer(answer="Another.", citations=[], sentences=[])]
    result = run("chat", stdin="Which pruning works?\n\n/sources\nand then?\n/quit\nnot asked\n")
    assert result.code == 0
    assert script.asked == [
        ("Which pruning works?", []),
        (
            "and then?",
            [("user", "Which pruning works?"), ("assistant", str(made_answer()))],
        ),
    ]
    first, second = result.out.split("> and then?\n")
    assert first.startswith("> Which pruning works?\nMagnitude pruning works [1].")
    assert "not supported: “It is free.”" in first
    assert first.count("“Memory falls.”") == 1  # only /sources shows quotes
    assert second.startswith("Another.\n")
    assert result.err.count("This is extraction.") == 1  # said once a conversation


def test_a_failed_turn_is_not_in_the_history(run: Run, script: Script) -> None:
    half = [TextEvent(text="Half"), EndpointError("It stopped.", "Try again.")]
    script.turns = [half, [ErrorEvent(message="It broke.")], made_answer()]
    result = run("chat", stdin="one?\ntwo?\nthree?\n")
    assert result.code == 1
    assert result.err.startswith("It stopped. Try again.\nIt broke.\n")
    assert "Half\n" in result.out
    assert script.asked[2] == ("three?", [])


def test_a_question_without_words_does_not_end_it(run: Run) -> None:
    result = run("chat", stdin="???\nWhat is pruned?\n")
    assert result.code == 1
    assert "no word" in result.err
    assert "Sources:" in result.out or "papers:" in result.out


def test_commands(run: Run, script: Script) -> None:
    script.turns = [made_answer(), made_answer()]
    result = run("chat", stdin="/sources\n/help\n/nonsense\none?\n/new\n/sources\ntwo?\n")
    assert "There is no answer yet." in result.err
    assert "/save FILE" in result.out
    assert "There is no /nonsense" in result.err
    assert script.asked == [("one?", []), ("two?", [])]


def test_the_history_names_what_was_cited(run: Run, script: Script) -> None:
    script.turns = [made_answer(), made_answer()]
    assert run("chat", stdin="one?\nwhich others?\n").code == 0
    (_, said) = script.asked[1][1]
    assert said[0] == "assistant"
    assert "[2] Half the Memory" in said[1]


def test_save(run: Run, script: Script, tmp_path: Path) -> None:
    script.turns = [made_answer(), made_answer()]
    (tmp_path / "mine.md").write_text("kept", encoding="utf-8")
    lines = "one?\n/save\n/save mine.md\n/save talk.md\n/save talk.json\n/save no/such.md\n"
    result = run("chat", stdin=lines + "two?\n/save talk.md\n")
    assert (tmp_path / "mine.md").read_text(encoding="utf-8") == "kept"
    assert "exists already" in result.err
    assert "Say where" in result.err
    assert "such.md cannot be written" in result.err
    text = (tmp_path / "talk.md").read_text(encoding="utf-8")
    assert text.startswith("## one?\n\nMagnitude pruning works [1].")
    assert "## two?" in text
    assert "> Memory falls." in text
    turns = json.loads((tmp_path / "talk.json").read_text(encoding="utf-8"))
    assert [turn["role"] for turn in turns] == ["user", "assistant"]
    script.turns = [made_answer()]
    assert run("ask", "three?", "--history", "talk.json").code == 0
    assert script.asked[-1][1][0] == ("user", "one?")


def test_a_person_is_greeted_and_leaves_by_ctrl_d(on_terminal: Run, script: Script) -> None:
    script.turns = [made_answer()]
    result = on_terminal("chat", keys=["Which pruning works?\n"])
    assert result.code == 0
    assert "3 papers. Ask, or type /help" in result.err
    assert "> Which" not in result.out  # it stands there as it was typed
    assert "[2] Half the Memory" in result.out


def test_ctrl_c_stops_the_answer_and_forgets_the_turn(on_terminal: Run, script: Script) -> None:
    script.turns = [[TextEvent(text="Half an "), KeyboardInterrupt()], made_answer()]
    result = on_terminal("chat", keys=["one?\n", "two?\n"])
    assert result.code == 0
    assert "Half an" in result.out
    assert "not part of the conversation" in result.err
    assert script.asked == [("one?", []), ("two?", [])]


def test_ctrl_c_twice_leaves(on_terminal: Run, script: Script) -> None:
    keys = [KeyboardInterrupt, "one?\n", KeyboardInterrupt, KeyboardInterrupt, "never\n"]
    script.turns = [made_answer()]
    result = on_terminal("chat", keys=keys)
    assert result.code == 0
    assert result.err.count("Ctrl-C again leaves") == 2
    assert script.asked == [("one?", [])]


def test_ctrl_c_in_a_pipe_is_130(run: Run, script: Script) -> None:
    script.turns = [made_answer(), KeyboardInterrupt()]
    result = run("chat", stdin="one?\ntwo?\nthree?\n")
    assert result.code == 130
    assert result.err.endswith("Interrupted; 1 answered questions are above.\n")


def test_an_answer_that_was_corrected_is_shown_again(run: Run, script: Script) -> None:
    answer = made_answer(answer="The corrected text.", citations=[], sentences=[])
    script.turns = [
        [TextEvent(text="The first "), TextEvent(text="text."), DoneEvent(answer=answer)]
    ]
    result = run("chat", stdin="one?\n")
    assert "The first text.\nThe corrected text.\n" in result.out
    assert "After checking" in result.err


def test_lines_are_remembered_for_the_next_chat(
    on_terminal: Run, script: Script, tmp_path: Path
) -> None:
    pytest.importorskip("readline")
    script.turns = [made_answer()]
    on_terminal("chat", keys=["one?\n"])
    file = tmp_path / "cache" / "chat-lines"
    assert file.exists()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_words_are_not_broken_however_the_text_is_cut(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Some words of an answer [1], in pieces.\n\nAnd 日本語 too, \x1bc harmless."
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "20")
    writer = Writer(Terminal())
    for start in range(0, len(text), size):
        writer.write(text[start : start + size])
    writer.end()
    lines = [line.rstrip() for line in screen.getvalue().split("\n")]
    expected = ["Some words of an", "answer [1], in", "pieces.", "", "And 日本語 too,"]
    assert lines[:5] == expected
    assert "\x1b" not in screen.getvalue()
    assert writer.text == text
