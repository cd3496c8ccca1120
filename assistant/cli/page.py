"""``assistant ui``."""

from __future__ import annotations

from assistant.cli.opening import chosen_settings
from assistant.cli.terminal import Terminal

__all__ = ["ui"]


def ui(*, library: str | None, host: str, port: int, browser: bool) -> None:
    """Serves the chat page until it is interrupted.

    Raises:
        ConfigurationError: the address cannot be used, or would be open to everybody.
    """
    from assistant.server.running import serve  # noqa: PLC0415

    terminal = Terminal()
    serve(chosen_settings(library), host=host, port=port, browser=browser, tell=terminal.note)
