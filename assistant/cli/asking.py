"""``assistant search`` and ``assistant ask``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.assistant import Assistant
from assistant.cli.opening import chosen_filters, open_assistant, read_history, read_text
from assistant.cli.options import (
    Author,
    BaseUrl,
    Count,
    Effort,
    Json,
    Language,
    Library,
    MaxCost,
    MaxTokens,
    Model,
    Source,
    Tag,
    Venue,
    Verify,
    Year,
)
from assistant.cli.showing import show_answer, show_step, without_error
from assistant.cli.telling import Telling, events_of
from assistant.cli.terminal import Terminal
from assistant.errors import AssistantError
from assistant.filters import Filters
from assistant.results import Answer, DoneEvent, ErrorEvent, Message, StatusEvent

__all__ = ["answered", "ask", "search"]


def search(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="Words or a question; '-' is standard input.")
    ],
    *,
    library: Library = None,
    k: Count = None,
    year: Year = None,
    venue: Venue = None,
    author: Author = None,
    source: Source = None,
    tag: Tag = None,
    as_json: Json = False,
) -> None:
    """Find the papers that fit best, each with its best sentence.

    \b
    Examples:
      assistant search "sparse attention for long documents"
      assistant search "gaze estimation" -k 3 --json
      assistant search "gaze estimation" --year 2021..2024 --author brandt
    """
    terminal = Terminal()
    text = read_text(query, terminal)
    chosen = chosen_filters(year=year, venue=venue, author=author, source=source, tag=tag)
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
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="The question; '-' is standard input.")
    ],
    *,
    library: Library = None,
    k: Count = None,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="FILE",
            help="The turns before: a JSON list of {role, content}.",
            show_default=False,
        ),
    ] = None,
    year: Year = None,
    venue: Venue = None,
    author: Author = None,
    source: Source = None,
    tag: Tag = None,
    as_json: Json = False,
    llm: Model = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    verify: Verify = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    language: Language = None,
) -> None:
    """Answer a question; every sentence cites its papers.

    Without a language model the answer is made of sentences of the abstracts. With one it is
    written; OPENAI_API_KEY is its key, and each sentence is checked against what it cites. An
    answer that breaks off is printed as far as it came, then the error; --json prints a whole
    answer or nothing. Exit code 1 for both.

    \b
    Examples:
      assistant ask "Which papers prune experts without retraining?"
      assistant ask --library sample "What does sparsity during pre-training save?"
      assistant ask "and for vision models?" --history turns.json
      assistant ask "What works for small data?" --year 2022.. --venue ICML
      assistant ask "What works for small data?" --library ml,medicine
      assistant ask - --json < question.txt
      assistant ask "..." --llm gpt-5-mini --effort deep --max-cost 0.05
      assistant ask "..." --llm qwen3:8b --base-url http://localhost:11434/v1
    """
    terminal = Terminal()
    turns = read_history(history)
    text = read_text(question, terminal)
    chosen = chosen_filters(year=year, venue=venue, author=author, source=source, tag=tag)
    model = {
        "llm": llm,
        "base_url": base_url,
        "effort": effort,
        "verify": verify,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
        "language": language,
    }
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
