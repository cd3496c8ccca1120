"""``assistant table``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from assistant.assistant import DEFAULT_COLUMNS
from assistant.cli.opening import checked_output, open_assistant, read_text
from assistant.cli.reviewing import write_output
from assistant.cli.terminal import Part, Terminal
from assistant.review.rendering.tables import FORMATS, format_of

__all__ = ["table"]


def table(
    topic: str | None,
    *,
    columns: str | None,
    metric: str | None,
    sort: str | None,
    papers: int,
    library: str | None,
    outputs: Sequence[Path],
    force: bool,
    correct: tuple[str, str, str] | None,
    preview: bool,
    as_json: bool,
    model: Mapping[str, object] | None = None,
) -> None:
    """Makes a table, to files or to standard output; or keeps a correction of a cell.

    Raises:
        AssistantError: what `Assistant.table` raises; a file cannot be written.
    """
    terminal = Terminal()
    forms = [(checked_output(path, force=force), format_of(path)) for path in outputs]
    text = read_text(topic, terminal) if topic is not None else None
    assistant = open_assistant(library, terminal, model)
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
        write_output(path, FORMATS[form](made), force=force)
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
