"""How far a long command is: a bar that moves on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from assistant.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Shown", "duration"]

_EVERY = 5.0
"""Seconds between two lines where nobody looks."""


class Shown:
    """Shows how far the work is; a context manager.

    Args:
        terminal: where; nothing is shown on a quiet one.
        first: said until there is something to show.
    """

    def __init__(self, terminal: Terminal, first: str = "") -> None:
        self._terminal, self._first = terminal, first
        self._last = time.monotonic()
        self._live: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        if self._first:
            self._terminal.working(self._first)
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.settle()
        if self._live is not None:
            self._live[0].stop()

    def show(self, text: str, done: int, total: int | None, seconds_left: float | None) -> None:
        """Says ``text``, and how long it may take still."""
        if self._terminal.quiet:
            return
        text += "" if seconds_left is None else f" · {duration(seconds_left)} left"
        if self._terminal.rich_notes:
            if self._live is None:
                self._terminal.settle()
                self._live = self._begin()
            bar, task = self._live
            bar.update(task, completed=done, total=total, text=text)
        elif time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            self._terminal.note(text)

    def _begin(self) -> tuple[Progress, TaskID]:
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

        bar = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}", markup=False),
            console=self._terminal.err,
            transient=True,
        )
        task = bar.add_task("", total=None, text="")
        bar.start()
        return bar, task


def duration(seconds: float) -> str:
    """In seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
