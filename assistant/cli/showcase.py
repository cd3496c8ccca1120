"""``assistant demo``: a question answered from the sample library, and where to go from there."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.asking import answered
from assistant.cli.opening import SAMPLE, open_assistant, read_text
from assistant.cli.showing import show_answer
from assistant.cli.terminal import Terminal

__all__ = ["QUESTION", "demo"]

QUESTION = "When should pruning begin and end during pre-training, and what does that gain?"


def demo(
    question: Annotated[
        str | None,
        typer.Argument(
            metavar="[QUESTION]", help="Another question than the usual.", show_default=False
        ),
    ] = None,
) -> None:
    """Answer a question from the sample papers that come along.

    \b
    Examples:
      assistant demo
      assistant demo "Is there anything on gaze estimation with one eye?"
    """
    terminal = Terminal()
    text = read_text(question or QUESTION, terminal)
    assistant = open_assistant(SAMPLE, terminal)
    terminal.say((text, "bold"))
    terminal.say()
    show_answer(terminal, answered(assistant, text, [], terminal))
    terminal.say()
    name = _called()
    terminal.say("Ask another:      ", (f'{name} ask --library sample "…"', "cyan"))
    terminal.say("Open the page:    ", (f"{name} ui --library sample", "cyan"))
    terminal.say("Your own papers:  ", (f"{name} ingest FILE", "cyan"))
    terminal.say("A conversation:   ", (f"{name} chat", "cyan"))


def _called() -> str:
    """How the program can be called from here: by its name, or by the path that was used."""
    used = Path(sys.argv[0])
    found = shutil.which("assistant")
    if used.name != "assistant" or (found and Path(found).resolve() == used.resolve()):
        return "assistant"
    return os.path.relpath(used)
