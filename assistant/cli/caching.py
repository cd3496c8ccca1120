"""``assistant cache show|clear``: replies of language models that are kept on the disk."""

from __future__ import annotations

import typer

from assistant.cli.opening import chosen_settings
from assistant.cli.options import PLAIN, Json
from assistant.cli.terminal import Terminal
from assistant.endpoint.cache import clear_replies, kept_replies

__all__ = ["app"]

app = typer.Typer(**PLAIN)


@app.callback()
def cache() -> None:
    """See and clear kept replies of language models.

    A reply is kept under its model, messages and parameters, so that the same call is not paid
    for twice. Reviews keep replies; answers do with ASSISTANT_GENERATION__CACHE=true.

    \b
    Examples:
      assistant cache show
      assistant cache clear
    """


@app.command("show")
def show(as_json: Json = False) -> None:
    """Tell how many replies are kept, and where.

    \b
    Examples:
      assistant cache show
      assistant cache show --json
    """
    terminal, settings = Terminal(), chosen_settings(None)
    kept = kept_replies(settings)
    if as_json:
        terminal.data({"folder": str(kept.folder), "replies": kept.count, "bytes": kept.size})
        return
    count = "1 reply" if kept.count == 1 else f"{kept.count:,} replies"
    terminal.say(f"{count}, {kept.size / 1e6:.1f} MB, in {kept.folder}")
    if not settings.generation.cache:
        terminal.note(
            "Reviews keep replies and use them again; answers do so with "
            "ASSISTANT_GENERATION__CACHE=true."
        )


@app.command("clear")
def clear(as_json: Json = False) -> None:
    """Remove the kept replies; papers and embedding models stay.

    \b
    Examples:
      assistant cache clear
    """
    terminal = Terminal()
    count = clear_replies(chosen_settings(None))
    if as_json:
        terminal.data({"removed": count})
    else:
        terminal.say("1 reply removed." if count == 1 else f"{count:,} replies removed.")
