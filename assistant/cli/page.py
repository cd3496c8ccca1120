"""``assistant ui``."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.opening import chosen_settings
from assistant.cli.options import Library
from assistant.cli.terminal import Terminal

__all__ = ["ui"]


def ui(
    library: Library = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="0 takes a free one.")
    ] = 7860,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Open the chat page; the same answers over HTTP (/v1, /api) and MCP (/mcp).

    Other machines can reach it only if --host says so and a password or token is set.

    \b
    Examples:
      assistant ui
      assistant ui --library sample --port 8000 --no-browser
      ASSISTANT_SERVER__PASSWORD=… assistant ui --host 0.0.0.0
    """
    from assistant.server.running import serve  # noqa: PLC0415

    terminal = Terminal()
    serve(chosen_settings(library), host=host, port=port, browser=browser, tell=terminal.note)
