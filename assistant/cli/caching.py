"""``assistant cache show|clear``: replies of language models that are kept on the disk."""

from __future__ import annotations

from assistant.cli.opening import chosen_settings
from assistant.cli.terminal import Terminal
from assistant.endpoint.cache import clear_replies, kept_replies

__all__ = ["clear", "show"]


def show(*, as_json: bool) -> None:
    """Prints how many replies are kept, and where."""
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


def clear(*, as_json: bool) -> None:
    """Removes the kept replies.

    Raises:
        ConfigurationError: they cannot be removed.
    """
    terminal = Terminal()
    count = clear_replies(chosen_settings(None))
    if as_json:
        terminal.data({"removed": count})
    else:
        terminal.say("1 reply removed." if count == 1 else f"{count:,} replies removed.")
