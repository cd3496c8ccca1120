"""Exit codes, errors, help."""

from __future__ import annotations

import io
import sys
from importlib.metadata import version
from typing import Any

import pytest

from assistant.assistant import Assistant
from assistant.cli import main
from assistant.cli.app import COMMANDS as LISTED
from assistant.errors import EndpointError

from .conftest import Run
from .fakes import made_answer

COMMANDS = (
    ["demo"],
    ["ingest"],
    ["search"],
    ["ask"],
    ["chat"],
    ["doctor"],
    ["papers"],
    ["papers", "list"],
    ["papers", "show"],
    ["papers", "remove"],
    ["papers", "export"],
    ["cache", "show"],
    ["cache", "clear"],
)


def test_version(run: Run) -> None:
    result = run("--version")
    assert (result.code, result.out) == (0, f"assistant {version('abstract-assistant')}\n")


def test_help_names_the_commands_and_where_to_begin(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    for command in COMMANDS:
        assert command[0] in result.out
    assert "assistant demo" in result.out
    assert "completion" not in result.out
    assert result.err == ""


@pytest.mark.parametrize("name", LISTED)
def test_the_list_of_commands_says_what_they_say(name: str, run: Run) -> None:
    help_text = " ".join(run(name, "--help").out.split())
    assert f" {LISTED[name][1]} " in help_text


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_teaches_by_example(command: list[str], run: Run) -> None:
    result = run(*command, "--help")
    assert result.code == 0
    examples = result.out.partition("Examples:")[2]
    assert f"\n    assistant {' '.join(command)}" in examples  # a line of its own each
    assert "\b" not in result.out
    assert "\\b" not in result.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["ask"],
        ["ask", "why?", "--no-such-option"],
        ["ask", "why?", "-k", "0"],
        ["search", "words", "-k", "many"],
        ["ingest"],
        ["papers", "export", "--format", "docx"],
        ["papers", "remove", "a title"],
        ["papers", "list", "--limit", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(arguments: list[str], run: Run) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Usage: assistant" in result.err


def test_a_failure_is_one_sentence(filled: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EndpointError("The endpoint\nsaid \x1b[31mno.", "Check the key.")

    monkeypatch.setattr(Assistant, "search", fail)
    result = run("search", "words", "--json")
    assert (result.code, result.out) == (1, "")
    assert result.err == "The endpoint said no. Check the key.\n"


def test_a_defect_is_one_sentence_and_the_traceback_is_there_when_wanted(
    monkeypatch: pytest.MonkeyPatch, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(Assistant, "search", fail)
    result = run("search", "words")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "ZeroDivisionError: by nought" in result.err
    assert "this is a defect, run again with ASSISTANT_DEBUG=1 for details" in result.err
    monkeypatch.setenv("ASSISTANT_DEBUG", "1")
    assert main(["search", "words"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupted_is_130(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Assistant, "search", interrupt)
    result = run("search", "words")
    assert result.code == 130
    assert result.err == "Interrupted; the library is as it was.\n"


def test_no_library_yet_says_what_to_do(run: Run) -> None:
    for command in (["ask", "why?"], ["search", "words"], ["chat"], ["papers", "list"]):
        result = run(*command)
        assert (result.code, result.out) == (1, "")
        assert "assistant ingest" in result.err
        assert result.err.count("\n") == 1


def test_a_wrong_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_RETRIEVAL__TOP_K", "many")
    result = run("search", "words")
    assert result.code == 1
    assert "retrieval.top_k" in result.err


def test_an_empty_library_name_is_refused(run: Run) -> None:
    result = run("papers", "list", "--library", "")
    assert result.code == 1
    assert "--library" in result.err


def test_an_encoding_without_the_characters_stops_nothing(
    filled: Any, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.turns = [made_answer(answer="α is 日本 – “so” \udcff."), made_answer(answer="α “so”")]
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252"))
    assert main(["ask", "why?"]) == 0
    sys.stdout.flush()
    assert raw.getvalue().decode("cp1252").startswith("? is ?? – “so” ?.")
    raw.truncate(0)
    raw.seek(0)
    assert main(["ask", "why?", "--json"]) == 0
    sys.stdout.flush()
    assert b'"answer": "\\u03b1 \\u201cso\\u201d"' in raw.getvalue()
