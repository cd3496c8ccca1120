"""What is written can do no harm to a terminal, and JSON is JSON."""

from __future__ import annotations

import json
import sys

import pytest

from assistant.cli.terminal import Terminal, clean

from .conftest import Screen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [1] [bold]text[/bold] :smile:", "plain [1] [bold]text[/bold] :smile:"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "alink"),
        ("a\x1b]52;c;cHduZWQ=\x07b", "ab"),
        ("a\x1bcb", "ab"),
        ("a\x9b31mb", "a31mb"),
        ("over\rwritten\b\b", "overwritten"),
        ("line\r\nline\tend", "line\nline\tend"),
        ("abc\u202egnp.exe\u2066", "abcgnp.exe"),
        ("naïve – “α” 日本語 é", "naïve – “α” 日本語 é"),
        ("unfinished\x1b", "unfinished"),
        ("unfinished\x1b]0;never ends", "unfinished"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_json_survives_any_content(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"title": "a\x1b[31m\x9b\u202e\udcff – α", "n": [1, None, 0.5]}
    Terminal().data(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert "α" in out
    assert not any(harm in out for harm in "\x1b\x9b\u202e")


def test_a_row_stays_one_line_of_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table(["title", "id"], [["tab\there\nand line", ("x", "dim")]])
    assert capsys.readouterr().out == "tab here and line\tx\n"


def test_on_a_terminal_text_is_wrapped_and_markup_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("NO_COLOR", "1")
    url = "https://example.org/" + "x" * 40
    Terminal().say("[1] ", "[bold]words[/bold] " * 5, url, hang=4)
    lines = screen.getvalue().splitlines()
    assert lines[0] == "[1] [bold]words[/bold]"
    assert lines[1] == "    [bold]words[/bold]"
    assert lines[-1] == f"    {url}"


def test_colours_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    for no_color, coloured in (("", True), ("1", False)):
        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("NO_COLOR", no_color)
        Terminal().say(("text", "red"))
        assert ("\x1b[31m" in screen.getvalue()) is coloured
        assert "text" in screen.getvalue()
