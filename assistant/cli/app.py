"""The commands by name: which module has each, and what ``assistant --help`` says of it.

A command is a function with its arguments and its help, a group a `typer.Typer`; its module is
imported when it is called, so that ``--help`` loads nothing but this file and typer.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from assistant.cli.options import PLAIN
from assistant.cli.terminal import Interrupted, PipeClosed

__all__ = ["COMMANDS", "app"]

COMMANDS = {
    "demo": ("showcase.demo", "Answer a question from the sample papers that come along."),
    "ingest": ("adding.ingest", "Add papers to the library, and update those that changed."),
    "sync": ("syncing.sync", "Add what is new at services and feeds."),
    "enrich": ("syncing.enrich", "Fill in authors, years, venues and DOIs that papers lack."),
    "search": ("asking.search", "Find the papers that fit best, each with its best sentence."),
    "similar": (
        "watching.similar",
        "Find the papers of the library that are most like one of them.",
    ),
    "digest": (
        "watching.digest",
        "Show what is new since the last digest, ranked by what you liked.",
    ),
    "ask": ("asking.ask", "Answer a question; every sentence cites its papers."),
    "review": (
        "reviewing.review",
        "Write a literature review of a topic: themes, a comparison table, references.",
    ),
    "table": (
        "tabling.table",
        "Make a table over papers: any columns, each cell in the abstract's own words.",
    ),
    "screen": (
        "screening.screen",
        "Screen the library for a systematic review: include, exclude or maybe, by key.",
    ),
    "chat": ("chatting.chat", "Ask in a conversation: follow-ups, sources on demand."),
    "ui": (
        "page.ui",
        "Open the chat page; the same answers over HTTP (/v1, /api) and MCP (/mcp).",
    ),
    "doctor": (
        "checkup.doctor",
        "Check the installation, the model, the library and the settings.",
    ),
    "library": (
        "libraries.app",
        "Keep several libraries by name, and copy one from anywhere to anywhere.",
    ),
    "papers": ("papers.app", "List, show, remove and export the papers of the library."),
    "watch": (
        "watching.app",
        "Say what to watch for, and what you like; 'assistant digest' shows what is new.",
    ),
    "cache": ("caching.app", "See and clear kept replies of language models."),
}
"""Name → where it is, and the first line of its help (which a test holds to it)."""


class _Commands(TyperGroup):
    """Loads a command when it is called; passes on what typer would swallow."""

    def __init__(self, **settings: Any) -> None:
        shown = {name: TyperCommand(name, help=said) for name, (_, said) in COMMANDS.items()}
        super().__init__(**{**settings, "commands": shown})

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command itself."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(".")
        found = getattr(import_module(f"assistant.cli.{module}"), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(**PLAIN)
            alone.command(cmd_name)(found)
            found = alone
        return typer.main.get_command(found)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Lists the commands, of which none is loaded for it."""
        TyperGroup(commands=self.commands).format_commands(ctx, formatter)  # type: ignore[arg-type]

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("Interrupted; the library is as it was.") from None
        except BrokenPipeError:
            raise PipeClosed from None


app = typer.Typer(cls=_Commands, **PLAIN)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"assistant {version('abstract-assistant')}")
        raise typer.Exit


@app.callback()
def assistant(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask a library of research-paper abstracts.

    Every sentence of an answer cites papers by title, with the sentence that supports it; what
    the library does not hold, it says.

    \b
    See it at work:      assistant demo
    Add your papers:     assistant ingest papers.bib more.csv folder/
    Ask:                 assistant ask "Which papers prune experts without retraining?"
    Talk:                assistant chat
    Something is wrong:  assistant doctor

    Settings: environment variables ASSISTANT_… or a TOML file; 'assistant doctor' names it.
    """
    del version
