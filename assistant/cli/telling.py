"""An answer shown while it is made: its text as it comes, each verdict behind its sentence."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from assistant.assistant import Assistant
from assistant.cli.showing import (
    UNFINISHED,
    dots,
    remark,
    show_notes,
    show_sources,
    show_step,
    show_text,
    without_error,
)
from assistant.cli.terminal import WIDEST, Terminal, clean
from assistant.errors import AssistantError
from assistant.filters import Filters
from assistant.results import (
    Answer,
    DoneEvent,
    ErrorEvent,
    Event,
    Message,
    StatusEvent,
    TextEvent,
    VerdictEvent,
)

__all__ = ["Telling", "Writer", "events_of"]


def events_of(
    assistant: Assistant,
    question: str,
    turns: list[Message],
    filters: Filters | None = None,
) -> closing[Generator[Event, None, None]]:
    """The events of an answer; leaving the block stops the work, also at a provider."""
    return closing(assistant.stream(question, turns, filters=filters))


class Telling:
    """Shows one answer.

    Args:
        quotes: the sources with the sentences that support.
        known: notes that have been shown before, and are not shown again.
    """

    def __init__(
        self, terminal: Terminal, *, quotes: bool, known: frozenset[str] = frozenset()
    ) -> None:
        self._terminal = terminal
        self._writer = Writer(terminal)
        self._quotes = quotes
        self._known = known
        self._marked: dict[int, str] = {}

    def tell(
        self,
        assistant: Assistant,
        question: str,
        turns: list[Message],
        filters: Filters | None = None,
    ) -> Answer:
        """Asks, shows what comes, and returns the answer.

        Raises:
            AssistantError: it could not be made or finished; what there is of it was shown.
        """
        try:
            with events_of(assistant, question, turns, filters) as events:
                for event in events:
                    if isinstance(event, DoneEvent):
                        self._end(event.answer)
                        return event.answer
                    if isinstance(event, ErrorEvent):
                        self._break(event)
                        raise event.error or AssistantError(event.message)
                    self._take(event)
        finally:
            self._terminal.settle()
            self._writer.end()
        raise AssertionError("a stream ends with its answer or an error")

    def _take(self, event: Event) -> None:
        if isinstance(event, StatusEvent):
            self._writer.end()
            show_step(self._terminal, event)
        elif isinstance(event, TextEvent):
            self._terminal.settle()
            self._writer.write(event.text)
        elif isinstance(event, VerdictEvent):
            sentence = event.sentence
            mark = remark(sentence)
            if mark and self._writer.text.rstrip().endswith(sentence.text):
                self._writer.mark(*mark)
                self._marked[event.index] = sentence.support

    def _end(self, answer: Answer) -> None:
        """What the stream did not show: corrections, later verdicts, sources, notes."""
        self._terminal.settle()
        self._writer.end()
        if self._writer.text.split() != answer.answer.split():
            if self._writer.text:
                self._terminal.note("After checking, the answer is:")
            show_text(self._terminal, answer)
        else:
            self._show_verdicts(answer)
        show_sources(self._terminal, answer, quotes=self._quotes)
        notes = [note for note in answer.notes if note not in self._known]
        show_notes(self._terminal, answer.model_copy(update={"notes": notes}))

    def _show_verdicts(self, answer: Answer) -> None:
        """A line for each sentence whose verdict does not stand behind it."""
        for index, sentence in enumerate(answer.sentences):
            if self._marked.get(index, "") == sentence.support:
                continue
            if mark := remark(sentence):
                self._terminal.say((f"{mark[0]}: ", mark[1]), f"“{sentence.text}”")
            elif index in self._marked:
                self._terminal.say(("supported after all: ", "green"), f"“{sentence.text}”")

    def _break(self, event: ErrorEvent) -> None:
        """Marks what has come as not finished, with the sources and the cost of it."""
        self._terminal.settle()
        if event.partial is None:
            return
        if self._writer.text.strip():
            self._writer.write(dots(self._writer.text))
            self._writer.mark(*UNFINISHED)
            self._writer.end()
        else:
            show_text(self._terminal, event.partial, unfinished=True)
        partial = without_error(event.partial, event.message)
        show_sources(self._terminal, partial, quotes=self._quotes)
        show_notes(self._terminal, partial)


class Writer:
    """Text that arrives in pieces, written as it comes; words are not broken on a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._width = min(terminal.out.width, WIDEST) if terminal.rich else 0
        self._word = ""
        self._column = 0
        self._open = False
        self.text = ""

    def write(self, piece: str) -> None:
        """Takes the next piece."""
        self.text += piece
        if not self._width:
            self._put(clean(piece))
            self._terminal.flush()
            return
        for character in piece:
            if character.isspace():
                self._end_word()
                self._space(character)
            else:
                self._word += character
        self._terminal.flush()

    def mark(self, text: str, style: str) -> None:
        """A remark in brackets behind what has been written; no part of ``text``."""
        self._end_word()
        shown = f"({text})" if self.text[-1:].isspace() else f" ({text})"
        if self._width and self._column + len(shown) > self._width:
            self._put("\n")
            self._column, shown = 0, shown.lstrip()
        self._terminal.write_styled(shown, style)
        self._open = True
        self._column += len(shown)

    def end(self) -> None:
        """Ends the line, if one was begun."""
        self._end_word()
        if self._open:
            self._put("\n")
            self._column = 0
        self._terminal.flush()

    def _put(self, text: str) -> None:
        if text:
            self._terminal.write(text)
            self._open = not text.endswith("\n")

    def _end_word(self) -> None:
        if not self._word:
            return
        from rich.cells import cell_len  # noqa: PLC0415

        word, self._word = clean(self._word), ""
        length = cell_len(word)
        if self._column and self._column + length > self._width:
            self._put("\n")
            self._column = 0
        self._put(word)
        self._column += length

    def _space(self, character: str) -> None:
        if character == "\n":
            self._put("\n")
            self._column = 0
        elif self._column:
            self._put(" ")
            self._column += 1
