"""``assistant papers list|show|remove|export``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Annotated, Literal

import typer

from assistant.cli.opening import (
    checked_output,
    chosen_filters,
    open_assistant,
    open_for_writing,
    read_text,
    write_file,
)
from assistant.cli.options import (
    PLAIN,
    Author,
    Force,
    Json,
    Library,
    Source,
    Tag,
    Venue,
    Year,
)
from assistant.cli.terminal import Interrupted, Part, Terminal
from assistant.errors import PaperNotFound
from assistant.exporting import FORMATS, record
from assistant.paper import Paper
from assistant.reading.sources import shown_name

__all__ = ["app"]

app = typer.Typer(**PLAIN)

_SHOWN = 20
"""Papers that are named before they are removed."""


@app.callback()
def papers() -> None:
    """List, show, remove and export the papers of the library.

    \b
    Examples:
      assistant papers list transformer 2024
      assistant papers show "Attention Is All You Need"
      assistant papers remove arxiv:1706.03762
      assistant papers export --format bibtex -o papers.bib
    """


@app.command("list")
def list_papers(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="Only papers that hold all of these words."),
    ] = None,
    library: Library = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="At most so many.")
    ] = None,
    year: Year = None,
    venue: Venue = None,
    author: Author = None,
    source: Source = None,
    tag: Tag = None,
    as_json: Json = False,
) -> None:
    """List the papers: title, year, id. Piped, one paper a line, by tabs.

    \b
    Examples:
      assistant papers list
      assistant papers list diffusion --limit 20
      assistant papers list --year 2023 --venue ICML
      assistant papers list | cut -f1 | sort
    """
    terminal = Terminal()
    held = open_assistant(library, terminal).library
    held.ready(check=False)
    chosen = chosen_filters(year=year, venue=venue, author=author, source=source, tag=tag)
    found = list(held.chosen(" ".join(words or ()), chosen))
    shown = list(islice(found, limit))
    if as_json:
        terminal.data([record(paper) for paper in shown])
        return
    rows: list[list[Part]] = [
        [paper.label, str(paper.year or ""), (paper.id, "dim")] for paper in shown
    ]
    if rows:
        terminal.table(["title", "year", "id"], rows)
    if not found:
        terminal.note(f"None of the {len(held):,} papers holds all of these words.")
    elif len(shown) < len(held):
        terminal.note(f"{len(shown):,} of {len(held):,} papers.")
    elif terminal.rich:
        terminal.note(f"{len(held):,} papers.")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ID|TITLE", help="Id, DOI, arXiv id or title.")],
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Show one paper with its abstract.

    \b
    Examples:
      assistant papers show "Attention Is All You Need"
      assistant papers show 1706.03762 --json
    """
    terminal = Terminal()
    paper = open_assistant(library, terminal).library.paper(read_text(name, terminal))
    if as_json:
        terminal.data(paper.model_dump(mode="json", exclude={"key"}))
        return
    terminal.say((paper.label, "bold"))
    if paper.authors:
        terminal.say(", ".join(paper.authors))
    published = " · ".join(str(part) for part in (paper.venue, paper.year) if part)
    for line in filter(None, (published, paper.link)):
        terminal.say(line)
    terminal.say()
    terminal.say(paper.abstract or "(no abstract)")
    terminal.say()
    kind = " · a digest, not the authors' abstract" if paper.kind == "digest" else ""
    terminal.say((f"{paper.id}{kind}", "dim"))


@app.command("remove")
def remove(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|TITLE...", help="Ids, DOIs, arXiv ids or titles.", show_default=False
        ),
    ] = None,
    library: Library = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="FILE", help="All papers that this file brought in."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove papers from the library, everywhere.

    \b
    Examples:
      assistant papers remove "A Paper That Was Withdrawn"
      assistant papers remove 1706.03762 2401.04088 --yes
      assistant papers remove --source savedrecs.txt      (undoes an ingest)
    """
    if not names and source is None:
        raise typer.BadParameter("name papers, or give --source.", param_hint="ID|TITLE...")
    terminal = Terminal()
    if not yes and not terminal.asks:
        raise typer.BadParameter("say --yes where nobody can be asked.", param_hint="--yes")
    held = open_for_writing(library, terminal).library
    named = (held.paper(read_text(name, terminal)) for name in names or ())
    wanted = {paper.id: paper for paper in named}
    if source is not None:
        wanted |= {paper.id: paper for paper in _brought_in(held.papers(), source)}
    try:
        if not yes and not _agreed(list(wanted.values()), terminal):
            terminal.note("Nothing was removed.")
            removed = []
        else:
            removed = held.remove(list(wanted))
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted: a paper is removed whole or still there; look with 'assistant papers "
            "list'."
        ) from None
    if as_json:
        terminal.data({"removed": [{"paper_id": p.id, "title": p.label} for p in removed]})
        return
    for paper in removed:
        terminal.say(f"removed  {paper.label}")


def _brought_in(papers: Iterable[Paper], source: str) -> list[Paper]:
    """The papers that a file, or the files of a folder, brought in.

    Raises:
        PaperNotFound: there are none.
    """
    wanted = shown_name(source).rstrip("/")
    found, others = [], Counter[str]()
    for paper in papers:
        origin = paper.source or ""
        if origin == wanted or PurePath(origin).name == wanted or origin.startswith(f"{wanted}/"):
            found.append(paper)
        elif origin:
            others[origin] += 1
    if not found:
        known = ", ".join(f"{name} ({n:,})" for name, n in others.most_common(5))
        raise PaperNotFound(
            f"No paper of the library was brought in by {wanted}.",
            f"Papers came from: {known}." if known else "None of its papers came from a file.",
        )
    return found


@app.command("export")
def export(
    library: Library = None,
    form: Annotated[
        Literal["jsonl", "bibtex", "ris", "csl", "csv"],
        typer.Option("--format", help="Of the file."),
    ] = "jsonl",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to; else standard output."),
    ] = None,
    force: Force = False,
) -> None:
    """Write all papers to a file that 'assistant ingest' reads again.

    A paper has the same key, of author, year and a word of the title, in every export.

    \b
    Examples:
      assistant papers export -o library.jsonl
      assistant papers export --format bibtex > library.bib
    """
    terminal = Terminal()
    path = None if output is None or str(output) == "-" else checked_output(output, force=force)
    assistant = open_assistant(library, terminal)
    held = assistant.library
    if not len(held):
        _ = held.statistics  # says that there is none, and what to do
    pieces = FORMATS[form](held.papers(), assistant.citation_keys())
    if path is None:
        terminal.document(pieces)
        return
    write_file(path, pieces, force=force)
    terminal.note(f"{len(held):,} papers written to {path}.")


def _agreed(papers: Sequence[Paper], terminal: Terminal) -> bool:
    for paper in papers[:_SHOWN]:
        terminal.note(paper.label)
    if len(papers) > _SHOWN:
        terminal.note(f"… and {len(papers) - _SHOWN:,} more")
    count = "this paper" if len(papers) == 1 else f"these {len(papers):,} papers"
    sys.stderr.write(f"Remove {count}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
