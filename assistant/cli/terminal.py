"""What a command writes on: plain lines for programs, colours and tables for people.

Text of papers and models is never trusted: control characters, escape sequences and characters
that turn the direction of a line are taken out of everything that is written here, and rich never
reads it as markup. Rich is imported only when standard output or error is a terminal.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.text import Text

__all__ = ["Interrupted", "Part", "PipeClosed", "Terminal", "clean", "fitting", "prepare_streams"]

Part = str | tuple[str, str]
"""Text, or text and its rich style."""

WIDEST = 100
"""Columns of running text; longer lines are hard to read."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links, clipboard
    r"|\x1b[ -/]*[0-~]?"
)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Interrupted(Exception):
    """Ctrl-C, with one sentence on what is kept."""


class PipeClosed(Exception):
    """Whoever read our output has gone."""


def clean(text: str) -> str:
    """``text`` without anything that a terminal would obey; line ends and tabs stay."""
    text = text.replace("\r\n", "\n")
    return _UNSEEN.sub("", _ESCAPES.sub("", text)) if not text.isprintable() else text


def fitting(text: str, stream: TextIO) -> str:
    """``text`` with "?" for the characters that the stream's encoding does not have."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding, "replace")


def prepare_streams() -> None:
    """Lets no character stop us: what an encoding does not have becomes "?"."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


class Terminal:
    """Standard output and error of one command.

    Args:
        quiet: no notes and no progress.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._status: Status | None = None

    @property
    def rich(self) -> bool:
        """Whether a person looks at standard output."""
        return sys.stdout.isatty()

    @property
    def rich_notes(self) -> bool:
        """Whether a person looks at standard error."""
        return sys.stderr.isatty() and not self.quiet

    @property
    def asks(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    @cached_property
    def out(self) -> Console:
        """Rich's view of standard output; only for terminals."""
        return _console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """Rich's view of standard error; only for terminals."""
        return _console(sys.stderr)

    # ------------------------------------------------------------------ results

    def say(self, *parts: Part, indent: int = 0, hang: int = 0) -> None:
        """One paragraph of the result on standard output; wrapped on a terminal only.

        Args:
            parts: of the text.
            indent: columns before it.
            hang: further columns before all lines but the first, on a terminal.
        """
        if not self.rich:
            plain = clean("".join(map(_plain, parts)))
            self.write("\n".join(" " * indent + line for line in plain.split("\n")) + "\n")
            return
        width = max(20, min(self.out.width, WIDEST) - indent - hang)
        for place, line in enumerate(_wrapped(assembled(parts), width)):
            line.pad_left(indent + (hang if place else 0))
            self.out.print(line, no_wrap=True, crop=False, overflow="ignore")

    def card(self, title: str, *parts: Part) -> None:
        """A paragraph in a frame on a terminal, plain elsewhere."""
        if not self.rich:
            self.say(*parts)
            return
        from rich.panel import Panel  # noqa: PLC0415

        panel = Panel(assembled(parts), title=title, title_align="left", border_style="yellow")
        self.out.print(panel, width=min(self.out.width, WIDEST))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[Part]]) -> None:
        """A table on a terminal (the first column gives way); else a row a line, by tabs."""
        if not self.rich:
            for row in rows:
                self.write("\t".join(_cell(part) for part in row) + "\n")
            return
        from rich import box  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for place, head in enumerate(heads):
            table.add_column(head, no_wrap=place > 0, overflow="fold")
        for row in rows:
            table.add_row(*(assembled([part]) for part in row))
        self.out.print(table)

    def data(self, value: object) -> None:
        """``value`` as JSON on standard output, safe to look at and in any encoding."""
        ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
        text = json.dumps(value, ensure_ascii=ascii_only, indent=2)
        self.write(_NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")

    def write(self, text: str) -> None:
        """``text`` as it is on standard output."""
        sys.stdout.write(text)

    def write_styled(self, text: str, style: str) -> None:
        """``text`` in a style where a person looks, within a line."""
        if self.rich:
            self.out.print(assembled([(text, style)]), end="", soft_wrap=True)
        else:
            self.write(clean(text))

    def document(self, pieces: Iterable[str]) -> None:
        """A file on standard output: UTF-8 whatever the terminal's encoding, unless shown."""
        if sys.stdout.isatty():
            pieces = map(clean, pieces)
        elif isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        for piece in pieces:
            sys.stdout.write(piece)

    def flush(self) -> None:
        """Lets the reader of standard output see all of it."""
        sys.stdout.flush()

    # ------------------------------------------------------------------ notes

    def note(self, text: str) -> None:
        """A quiet line on standard error: what takes long, what was noticed."""
        self.settle()
        if self.quiet:
            return
        self.flush()
        if self.rich_notes:
            self.err.print(assembled([(text, "dim")]), width=min(self.err.width, WIDEST))
        else:
            sys.stderr.write(clean(text) + "\n")
            sys.stderr.flush()

    def error(self, text: str) -> None:
        """A line on standard error about what failed, where the command goes on."""
        self.settle()
        self.flush()
        if sys.stderr.isatty():
            self.err.print(assembled([(text, "red")]), width=min(self.err.width, WIDEST))
        else:
            sys.stderr.write(clean(text) + "\n")
            sys.stderr.flush()

    def working(self, text: str) -> None:
        """Shows, on a terminal, that something is being done, until `settle` or a note."""
        if not self.rich_notes:
            return
        shown = assembled([(text, "dim")])
        if self._status is not None:
            self._status.update(shown)
        else:
            self._status = self.err.status(shown, spinner_style="dim")
            self._status.start()

    def settle(self) -> None:
        """Takes away what `working` shows."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    @contextmanager
    def at_work(self, text: str) -> Iterator[None]:
        """`working` while the block runs."""
        self.working(text)
        try:
            yield
        finally:
            self.settle()


def assembled(parts: Sequence[Part]) -> Text:
    """The parts as rich text; nothing in them is read as markup."""
    from rich.text import Text  # noqa: PLC0415

    text = Text()
    for part in parts:
        content, style = (part, "") if isinstance(part, str) else part
        text.append(clean(content), style=style)
    return text


def _wrapped(text: Text, width: int) -> Iterator[Text]:
    """Lines of at most ``width`` columns; a longer word, such as a web address, stays whole."""
    from rich.cells import cell_len  # noqa: PLC0415

    for paragraph in text.split("\n", allow_blank=True):
        breaks, column = [], 0
        for word in re.finditer(r"\S+\s*", paragraph.plain):
            if column and column + cell_len(word[0].rstrip()) > width:
                breaks.append(word.start())
                column = 0
            column += cell_len(word[0])
        for line in paragraph.divide(breaks):
            line.rstrip()
            yield line


def _console(stream: TextIO) -> Console:
    from rich.console import Console  # noqa: PLC0415

    return Console(file=stream, markup=False, highlight=False, emoji=False)


def _plain(part: Part) -> str:
    return part if isinstance(part, str) else part[0]


def _cell(part: Part) -> str:
    return " ".join(clean(_plain(part)).split())
