"""The command line in this process, with streams that are caught and a quick embedding model."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assistant.assistant import Assistant
from assistant.cli import main
from assistant.results import DoneEvent, StatusEvent, TextEvent

from .fakes import FakeEmbedder

PAPERS: list[dict[str, Any]] = [
    {
        "title": "Pruning Experts Without Retraining",
        "abstract": "Experts of a mixture are pruned without retraining. Memory falls by 41%.",
        "authors": ["Ada King Lovelace", "José van der Berg"],
        "year": 2024,
        "venue": "Journal of Odd Things",
        "doi": "10.1000/prune_1",
    },
    {
        "title": "Gaze [bold]Estimation[/bold] with One Eye",
        "abstract": "A single eye is enough to estimate gaze. The error is 2.3 cm.",
        "year": 2023,
        "arxiv_id": "2301.00001",
    },
    {
        "title": "Sparse Attention & {Long} Documents: 50% of α_1",
        "abstract": 'Attention over long documents is made sparse; "quoted", #1, $5 and x < y.',
        "url": "https://example.org/a_b?c=1&d=2",
    },
]


@dataclass
class Result:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class Keyboard(Screen):
    """Standard input of a person; an exception among the lines is raised in its turn."""

    def __init__(self, *lines: str | type[BaseException]) -> None:
        super().__init__()
        self.lines = list(lines)

    def readline(self, size: int | None = -1, /) -> str:
        line = self.lines.pop(0) if self.lines else ""
        if isinstance(line, str):
            return line
        raise line


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("ASSISTANT_", "OPENAI_")) and name != "ASSISTANT_TEST_DATA":
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config.toml"
    config.touch()
    monkeypatch.setenv("ASSISTANT_CONFIG", str(config))
    monkeypatch.setenv("ASSISTANT_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("ASSISTANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> FakeEmbedder:
    fake = FakeEmbedder()
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: fake)
    return fake


@pytest.fixture
def run(
    embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command line: ``run("ask", "why?", stdin="…")``."""

    def run_it(*arguments: str, stdin: str | bytes = "") -> Result:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        capsys.readouterr()
        code = main(list(arguments))
        caught = capsys.readouterr()
        assert "Traceback" not in caught.out + caught.err
        return Result(code, caught.out, caught.err)

    return run_it


@pytest.fixture
def on_terminal(embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line for a person: ``on_terminal("chat", keys=["why?\\n"])``."""

    def run_it(
        *arguments: str, keys: Sequence[str | type[BaseException]] = (), width: int = 80
    ) -> Result:
        out, err = Screen(), Screen()
        keyboard = Keyboard(*keys)

        def read(prompt: str = "") -> str:
            out.write(prompt)
            line = keyboard.readline()
            if not line:
                raise EOFError
            return line.removesuffix("\n")

        with monkeypatch.context() as patch:
            patch.setenv("COLUMNS", str(width))
            for name, stream in (("stdin", keyboard), ("stdout", out), ("stderr", err)):
                patch.setattr(sys, name, stream)
            patch.setattr("builtins.input", read)
            code = main(list(arguments))
        return Result(code, out.getvalue(), err.getvalue())

    return run_it


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three papers as JSON Lines."""
    path = tmp_path / "papers.jsonl"
    path.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS), encoding="utf-8")
    return path


@pytest.fixture
def filled(run: Run, source: Path) -> Path:
    """The library of the settings, with the three papers."""
    assert run("ingest", str(source), "--quiet").code == 0
    return Path(os.environ["ASSISTANT_LIBRARY"])


class Script:
    """What `Assistant.stream` does, turn by turn, and what it was asked."""

    def __init__(self) -> None:
        self.turns: list[Any] = []
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []

    def stream(self, assistant: Assistant, question: str, history: Any = (), **options: Any) -> Any:
        del assistant, options
        self.asked.append((question, [(turn.role, turn.content) for turn in history]))
        turn = self.turns.pop(0)
        yield StatusEvent(text="searching")
        if isinstance(turn, BaseException):
            raise turn
        events = turn if isinstance(turn, list) else [TextEvent(text=turn.answer)]
        for event in events:
            if isinstance(event, BaseException):
                raise event
            yield event
        if not isinstance(turn, list):
            yield DoneEvent(answer=turn.model_copy(update={"question": question}))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Answers that are given in place of the assistant's own."""
    made = Script()
    monkeypatch.setattr(
        Assistant,
        "stream",
        lambda self, question, history=(), **_: made.stream(self, question, history),
    )
    return made
