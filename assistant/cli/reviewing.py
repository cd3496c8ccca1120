"""``assistant review``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.opening import checked_output, open_assistant, read_text, write_file
from assistant.cli.options import (
    BaseUrl,
    Force,
    Json,
    Language,
    Library,
    MaxCost,
    MaxTokens,
    Model,
)
from assistant.cli.terminal import Terminal
from assistant.errors import SourceError
from assistant.review.model import Review, ReviewEstimate, ReviewProgress
from assistant.review.rendering import format_of, render, rendered
from assistant.review.rendering.blocks import legend
from assistant.review.rendering.markdown import verdict_line

__all__ = ["review"]

_VERBATIM = "What stands in quotation marks stands letter for letter in the abstracts."


def review(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="In a few words; '-' is standard input.")
    ],
    *,
    library: Library = None,
    papers: Annotated[
        int, typer.Option("--papers", min=1, max=1000, metavar="N", help="Papers to use, at most.")
    ] = 30,
    include: Annotated[
        list[str] | None,
        typer.Option("--include", metavar="ID|TITLE", help="A paper to use; may be repeated."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="ID|TITLE", help="A paper to leave out; repeatable."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where to: .md .keys.md .html .tex .docx .bib .ris .csl.json .csv .json; "
            "may be repeated.",
        ),
    ] = None,
    force: Force = False,
    style: Annotated[
        str, typer.Option("--style", metavar="CSL", help="Of a .docx: apa, ieee, vancouver, …")
    ] = "apa",
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            metavar="FILE",
            help="An earlier review's .json: papers that are new since are marked.",
            show_default=False,
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Tell what a language model would cost, and stop.")
    ] = False,
    as_json: Json = False,
    llm: Model = None,
    base_url: BaseUrl = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    language: Language = None,
) -> None:
    """Write a literature review of a topic: themes, a comparison table, references.

    Without a language model it is made of sentences of the abstracts; with one it is written,
    and each sentence is checked against what it cites. Interrupted, the same command goes on
    where the model was.

    \b
    Examples:
      assistant review "mixture-of-experts compression" -o review.md
      assistant review "gaze estimation" --papers 10 -o review.html -o references.bib
      assistant review "expert pruning" -o review.docx --style ieee -o review.json
      assistant review "expert pruning" --since review.json -o new.md
    """
    terminal = Terminal()
    # before the work
    forms = [(checked_output(path, force=force), format_of(path)) for path in output or ()]
    old = Review.model_validate_json(_read(since)) if since else None
    text = read_text(topic, terminal)
    model = {
        "llm": llm,
        "base_url": base_url,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
        "language": language,
    }
    assistant = open_assistant(library, terminal, model)
    chosen = text, papers, include or (), exclude or ()
    try:
        if preview or assistant.settings.llm:
            terminal.working("looking for papers…")
            estimate = assistant.preview_review(*chosen)
            terminal.note(_estimated(estimate))
            if preview:
                if as_json:
                    terminal.data(estimate.model_dump(mode="json") if estimate else None)
                return

        def tell(progress: ReviewProgress) -> None:
            terminal.working(_step(progress))

        made = assistant.review(*chosen, tell, since=old)
    finally:
        terminal.settle()
        assistant.close()
    for path, form in forms:
        write_file(path, rendered(made, form, style), force=force)
        terminal.note(f"Written to {path}.")
    if as_json:
        terminal.data(made.model_dump(mode="json"))
    elif not forms:
        terminal.document([render(made, "md")])
    else:
        terminal.note(_summary(made))


def _read(path: Path) -> str:
    """A review that was written as JSON.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        return path.expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read ({error}).", "Name a review's .json.") from None


def _estimated(estimate: ReviewEstimate | None) -> str:
    """What the language model will be asked for."""
    if estimate is None:
        return "No language model is set: the review takes no call and costs nothing."
    return str(estimate)


def _step(progress: ReviewProgress) -> str:
    parts = [f"{progress.step} ({progress.done} of {progress.total})"]
    if progress.tokens:
        parts.append(f"{progress.tokens:,} tokens")
    if progress.seconds_left is not None:
        parts.append(f"{progress.seconds_left:.0f} s left")
    return ", ".join(parts)


def _summary(made: Review) -> str:
    if made.status == "absent":
        return made.scope[0].text
    told = verdict_line(made) if made.model else f"{_VERBATIM} {legend(made)}".rstrip()
    return f"{', '.join(made.extent)}. {told}"
