"""``assistant search`` and ``assistant ask``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.assistant import Assistant
from assistant.cli.opening import chosen_filters, open_assistant, read_history, read_text
from assistant.cli.showing import show_answer, show_step, without_error
from assistant.cli.telling import Telling, events_of
from assistant.cli.terminal import Terminal
from assistant.errors import AssistantError
from assistant.filters import Filters
from assistant.results import Answer, DoneEvent, ErrorEvent, Message, StatusEvent

__all__ = ["answered", "ask", "search"]


def search(
    query: str,
    *,
    library: str | None,
    k: int | None,
    as_json: bool,
    filters: Mapping[str, Any] | None = None,
) -> None:
    """Prints the papers that fit a query best.

    Raises:
        AssistantError: what `Assistant.search` raises.
    """
    terminal = Terminal()
    text, chosen = read_text(query, terminal), chosen_filters(filters)
    assistant = open_assistant(library, terminal)
    with terminal.at_work("searching…"):
        results = assistant.search(text, k, filters=chosen)
    if as_json:
        terminal.data([result.model_dump(mode="json") for result in results])
        return
    width = len(str(len(results)))
    for result in results:
        rank = f"{result.rank:>{width}}. "
        score = (f"  {result.score:.2f}", "dim")
        terminal.say((rank, "cyan"), (result.title, "bold"), score, hang=len(rank))
        terminal.say(result.passage, indent=len(rank))
        terminal.say((result.paper_id, "dim"), indent=len(rank))


def ask(
    question: str,
    *,
    library: str | None,
    k: int | None,
    history: Path | None,
    as_json: bool,
    model: Mapping[str, object] | None = None,
    filters: Mapping[str, Any] | None = None,
) -> None:
    """Prints the answer to a question; a person sees a model write it.

    ``model``: as `open_assistant` takes it.

    Raises:
        AssistantError: what `Assistant.stream` raises, or what ended it early.
    """
    terminal = Terminal()
    turns = read_history(history)
    text, chosen = read_text(question, terminal), chosen_filters(filters)
    settings = {} if k is None else {"retrieval": {"top_k": k}}
    assistant = open_assistant(library, terminal, model, **settings)
    try:
        if terminal.rich and not as_json and assistant.settings.llm:
            terminal.working("opening the library…")
            Telling(terminal, quotes=True).tell(assistant, text, turns, chosen)
            return
        answer = answered(assistant, text, turns, terminal, as_json=as_json, filters=chosen)
    finally:
        assistant.close()
    if as_json:
        terminal.data(answer.model_dump(mode="json"))
    else:
        show_answer(terminal, answer)


def answered(
    assistant: Assistant,
    question: str,
    turns: list[Message],
    terminal: Terminal,
    *,
    as_json: bool = False,
    filters: Filters | None = None,
) -> Answer:
    """The answer, with the steps of the work shown while it is made.

    Raises:
        AssistantError: it could not be made or finished; what there is of it was shown, but
            not as JSON, which is a whole answer or nothing.
    """
    terminal.working("opening the library…")
    try:
        with events_of(assistant, question, turns, filters) as events:
            for event in events:
                if isinstance(event, StatusEvent):
                    show_step(terminal, event)
                if isinstance(event, DoneEvent):
                    return event.answer
                if isinstance(event, ErrorEvent):
                    if event.partial is not None and not as_json:
                        partial = without_error(event.partial, event.message)
                        show_answer(terminal, partial, unfinished=True)
                    raise event.error or AssistantError(event.message)
    finally:
        terminal.settle()
    raise AssertionError("a stream ends with its answer or an error")
