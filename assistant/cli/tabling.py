"""``assistant table``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.assistant import DEFAULT_COLUMNS
from assistant.cli.opening import checked_output, open_assistant, read_text, write_file
from assistant.cli.options import BaseUrl, Force, Json, Library, MaxCost, Model
from assistant.cli.terminal import Part, Terminal
from assistant.review.rendering.tables import FORMATS, format_of

__all__ = ["table"]


def table(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC]", help="In a few words; none with --all.", show_default=False
        ),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All papers of the library.")] = False,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="Separated by commas.", show_default=False),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="NAME", help="A row for each number that measures it."),
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="COLUMN", help="By its numbers, highest first.")
    ] = None,
    papers: Annotated[
        int, typer.Option("--papers", min=1, metavar="N", help="Rows at most.")
    ] = 100,
    library: Library = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", metavar="FILE", help=".csv .xlsx .md .tex .html .json"),
    ] = None,
    force: Force = False,
    correct: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            "--correct", metavar="PAPER COLUMN TEXT", help="Put TEXT in a cell, for good, and stop."
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Tell what a language model would cost, and stop.")
    ] = False,
    as_json: Json = False,
    llm: Model = None,
    base_url: BaseUrl = None,
    max_cost: MaxCost = None,
) -> None:
    """Make a table over papers: any columns, each cell in the abstract's own words.

    Read without a language model: problem, method, result, limits, sample size, p-value, data
    set, compared with, name, numbers, METRIC=value, year, authors, venue, doi. Any other column
    needs one. In files, (?) marks what is likely, not sure, to be what its column asks for.

    \b
    Examples:
      assistant table "sweat test" --columns "sample size, result, sensitivity=value"
      assistant table --all --columns "year, method, data set" -o papers.xlsx
      assistant table "image classification" --metric accuracy
      assistant table "sweat test" --correct "A Title" "sample size" "41 children"
    """
    if correct is None and (topic is None) == (not everything):
        raise typer.BadParameter("name a topic, or give --all.", param_hint="TOPIC")
    terminal = Terminal()
    forms = [(checked_output(path, force=force), format_of(path)) for path in output or ()]
    text = read_text(topic, terminal) if topic is not None else None
    assistant = open_assistant(
        library, terminal, {"llm": llm, "base_url": base_url, "max_cost": max_cost}
    )
    names = columns or DEFAULT_COLUMNS
    try:
        if correct is not None:
            name, column, value = correct
            paper = assistant.library.paper(name)
            assistant.table_corrections().keep(paper.id, column, value)
            terminal.note(f"Kept for {column} of {paper.label}.")
            return
        if preview or assistant.settings.llm:
            terminal.working("looking for papers…")
            estimate = assistant.preview_table(text, names, papers)
            terminal.note(str(estimate) if estimate else "It takes no call and costs nothing.")
            if preview:
                return
        terminal.working("reading papers…")
        made = assistant.table(
            text,
            names,
            papers,
            metric=metric,
            on_progress=lambda done, of: terminal.working(f"{done:,} of {of:,} papers read"),
        )
    finally:
        terminal.settle()
        assistant.close()
    made = made.sorted_by(sort) if sort else made
    for path, form in forms:
        write_file(path, FORMATS[form](made), force=force)
        terminal.note(f"Written to {path}.")
    if as_json:
        terminal.data(made.model_dump(mode="json"))
    elif not forms:
        rows: list[list[Part]] = [
            [row.title, *(row.text(column) for column in made.columns)] for row in made.rows
        ]
        if rows:
            terminal.table(["paper", *made.columns], rows)
        else:
            terminal.note("No paper is about it.")
    for note in made.notes:
        terminal.note(note)
