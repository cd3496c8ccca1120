"""``assistant chat``: a conversation in the terminal, or from a pipe, one question a line."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from assistant.assistant import Assistant
from assistant.cli.opening import open_assistant
from assistant.cli.options import (
    BaseUrl,
    Effort,
    Language,
    Library,
    MaxCost,
    MaxTokens,
    Model,
    Verify,
)
from assistant.cli.showing import show_sources, told_usage
from assistant.cli.telling import Telling
from assistant.cli.terminal import Interrupted, Terminal, clean
from assistant.errors import AssistantError, EndpointError
from assistant.results import Answer, Message, Usage

__all__ = ["chat"]

_PROMPT = "> "
_REMEMBERED = 1000
"""Lines that the arrow keys bring back in the next chat."""
_HELP = """\
Ask anything; a follow-up may lean on what was said before.
/sources     the sources of the last answer, with the sentences that support it
/usage       what the language model has taken: tokens, and the cost where it is known
/new         forget this conversation and begin another
/save FILE   keep the conversation: Markdown, or JSON for 'assistant ask --history'
/help        this
/quit        leave (as Ctrl-D, or Ctrl-C twice; once it stops an answer)"""


def chat(
    *,
    library: Library = None,
    llm: Model = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    verify: Verify = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    language: Language = None,
) -> None:
    """Ask in a conversation: follow-ups, sources on demand.

    Ctrl-C stops an answer, also at the provider of a language model; /help lists what else
    there is. From a pipe, each line is a question.

    \b
    Examples:
      assistant chat
      assistant chat --library sample
      assistant chat --llm gpt-5-mini --language French
    """
    terminal = Terminal()
    model = {
        "llm": llm,
        "base_url": base_url,
        "effort": effort,
        "verify": verify,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
        "language": language,
    }
    assistant = open_assistant(library, terminal, model)
    with terminal.at_work("opening the library…"):
        assistant.library.ready()
        papers = len(assistant.library)
    if terminal.asks:
        terminal.note(
            f"{papers:,} papers{_answered_by(assistant)}. Ask, or type /help; Ctrl-D leaves."
        )
    talk = _Chat(assistant, terminal)
    with _remembered_lines(assistant.settings.cache.expanduser() / "chat-lines", terminal):
        try:
            talk.run()
        finally:
            assistant.close()
    if talk.failed:
        raise typer.Exit(1)


class _Chat:
    """One conversation. A turn is in ``turns`` whole or not at all."""

    def __init__(self, assistant: Assistant, terminal: Terminal) -> None:
        self._assistant = assistant
        self._terminal = terminal
        self.turns: list[Answer] = []
        self.failed = False
        self._spent = Usage()
        self._stopped = 0
        self._saved: set[Path] = set()
        self._commands: dict[str, Callable[[str], None]] = {
            "/sources": self._sources,
            "/usage": self._usage,
            "/new": self._new,
            "/save": self._save,
            "/help": lambda _: terminal.say(_HELP),
        }

    @property
    def history(self) -> list[Message]:
        """The turns so far, as `Assistant.stream` takes them."""
        return [
            message
            for turn in self.turns
            for message in (
                Message(role="user", content=turn.question),
                Message(role="assistant", content=str(turn)),
            )
        ]

    def run(self) -> None:
        """Reads and answers, line by line."""
        interrupted = False
        while True:
            try:
                line = self._line()
                if line is None or line in {"/quit", "/exit"}:
                    return
                interrupted = not self._take(line)
            except KeyboardInterrupt:
                self._terminal.settle()
                if not self._terminal.asks:
                    kept = f"{len(self.turns)} answered questions are above"
                    raise Interrupted(f"Interrupted; {kept}.") from None
                if interrupted:
                    return
                interrupted = True
                self._terminal.note("\nCtrl-C again leaves; /help says what else there is.")

    def _line(self) -> str | None:
        """The next line, or None at the end."""
        self._terminal.flush()
        try:
            if not self._terminal.asks:
                line = sys.stdin.readline()
                return line.strip() if line else None
            if self._terminal.rich:
                return input(_PROMPT).strip()
            sys.stderr.write(_PROMPT)
            sys.stderr.flush()
            return input().strip()
        except EOFError:
            self._terminal.note("")
            return None

    def _take(self, line: str) -> bool:
        """Does what a line says; returns False where Ctrl-C stopped the answer."""
        if not line:
            return True
        if not line.startswith("/"):
            return self._ask(line)
        name, _, rest = line.partition(" ")
        command = self._commands.get(name)
        if command is None:
            self._terminal.error(f"There is no {name}; /help lists what there is.")
        else:
            command(rest.strip())
        return True

    # ------------------------------------------------------------------ questions

    def _ask(self, question: str) -> bool:
        question = question.encode("utf-8", "replace").decode("utf-8")
        if not self._terminal.asks:  # the questions of a pipe stand nowhere else
            self._terminal.say((f"{_PROMPT}{question}", "bold"))
        known = frozenset(note for turn in self.turns for note in turn.notes)
        telling = Telling(self._terminal, quotes=False, known=known)
        try:
            self._terminal.working("thinking…")
            answer = telling.tell(self._assistant, question, self.history)
        except KeyboardInterrupt:
            self._stopped += 1
            if not self._terminal.asks:
                raise
            self._terminal.note("Stopped; this turn is not part of the conversation.")
            return False
        except AssistantError as error:
            self.failed = True
            if isinstance(error, EndpointError) and error.usage:
                self._spent += error.usage
            self._terminal.error(str(error))
            return True
        self._terminal.say()
        self.turns.append(answer)
        self._spent += answer.usage or Usage()
        return True

    # ------------------------------------------------------------------ commands

    def _sources(self, _: str) -> None:
        if not self.turns:
            self._terminal.note("There is no answer yet.")
        elif not self.turns[-1].citations:
            self._terminal.note("The last answer cites no paper.")
        else:
            show_sources(self._terminal, self.turns[-1])

    def _usage(self, _: str) -> None:
        if not self._spent.prompt_tokens:
            self._terminal.note("No language model has been called in this conversation.")
            return
        without = " (without what you stopped)" if self._stopped else ""
        self._terminal.say(f"This conversation{without}: {told_usage(self._spent)}.")

    def _new(self, _: str) -> None:
        self.turns.clear()
        self._spent, self._stopped = Usage(), 0
        self._terminal.note("A new conversation.")

    def _save(self, name: str) -> None:
        if not name:
            self._terminal.error("Say where: /save FILE")
            return
        path = Path(name).expanduser().absolute()
        if path.exists() and path not in self._saved:
            self._terminal.error(f"{path} exists already; give another name.")
            return
        if path.suffix == ".json":
            turns = [message.model_dump() for message in self.history]
            text = json.dumps(turns, ensure_ascii=False, indent=2) + "\n"
        else:
            text = _as_markdown(self.turns)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self._terminal.error(f"{path} cannot be written: {error.strerror or error}.")
            return
        self._saved.add(path)
        self._terminal.note(f"Saved to {path}.")


def _answered_by(assistant: Assistant) -> str:
    model = assistant.settings.llm
    return f", answered by {model}" if model else ""


def _as_markdown(turns: list[Answer]) -> str:
    """The conversation with its sources, for reading."""
    blocks: list[str] = []
    for turn in turns:
        blocks += [f"## {turn.question}", turn.answer]
        for citation in turn.citations:
            link = f" ({citation.url})" if citation.url else ""
            verdict = "" if citation.support == "supported" else f" — {citation.support}"
            blocks.append(f"[{citation.number}] **{citation.title}**{link}{verdict}")
            blocks.append(f"> {citation.quote}")
    return clean("\n\n".join(blocks)) + "\n"


@contextlib.contextmanager
def _remembered_lines(path: Path, terminal: Terminal) -> Iterator[None]:
    """Line editing, with the lines of earlier chats on the arrow keys, where Python has it."""
    try:
        import readline  # noqa: PLC0415
    except ImportError:  # Windows
        yield
        return
    if not terminal.asks:
        yield
        return
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        readline.set_history_length(_REMEMBERED)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # a person's own questions
            readline.write_history_file(path)
