"""``assistant papers list|show|remove|export``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from assistant.assistant import Assistant
from assistant.cli.opening import (
    checked_output,
    chosen_filters,
    open_assistant,
    open_for_writing,
    read_text,
    write_file,
)
from assistant.cli.terminal import Interrupted, Part, Terminal
from assistant.errors import PaperNotFound
from assistant.exporting import FORMATS, record
from assistant.library import Library
from assistant.paper import Paper
from assistant.papersearch import holds
from assistant.reading.sources import shown_name

__all__ = ["export", "list_papers", "remove", "show"]

_SHOWN = 20
"""Papers that are named before they are removed."""


def list_papers(
    words: Sequence[str],
    *,
    library: str | None,
    limit: int | None,
    as_json: bool,
    filters: Mapping[str, Any] | None = None,
) -> None:
    """Prints the papers of the library, those that hold all of ``words`` if there are any.

    Raises:
        LibraryError: there is no library, or it cannot be read.
    """
    terminal = Terminal()
    held = open_assistant(library, terminal).library
    held.ready(check=False)
    chosen = chosen_filters(filters)
    wanted = [word.casefold() for word in " ".join(words).split()]
    found = [
        paper
        for paper in held.papers()
        if holds(paper, wanted) and (not chosen or chosen.fits(paper))
    ]
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


def show(name: str, *, library: str | None, as_json: bool) -> None:
    """Prints one paper.

    Raises:
        PaperNotFound: no paper, or more than one, is called so.
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


def remove(
    names: Sequence[str], *, source: str | None = None, library: str | None, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Removes papers, those named and those that ``source`` brought in, after asking.

    Raises:
        PaperNotFound: one of the names, or the source, fits no paper; nothing is removed then.
        Interrupted: Ctrl-C at the question, or before the end.
    """
    terminal = Terminal()
    held = open_for_writing(library, terminal).library
    wanted = {paper.id: paper for paper in (held.paper(read_text(n, terminal)) for n in names)}
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


def export(*, library: str | None, form: str, output: Path | None, force: bool = False) -> None:
    """Writes all papers in one of `FORMATS`, to a file or to standard output.

    Raises:
        LibraryError: there is no library, or the file cannot be written.
    """
    terminal = Terminal()
    path = None if output is None or str(output) == "-" else checked_output(output, force=force)
    assistant = open_assistant(library, terminal)
    held = _filled(assistant)
    pieces = FORMATS[form](held.papers(), assistant.citation_keys())
    if path is None:
        terminal.document(pieces)
        return
    write_file(path, pieces, force=force)
    terminal.note(f"{len(held):,} papers written to {path}.")


def _filled(assistant: Assistant) -> Library:
    """The library.

    Raises:
        LibraryNotFound: there is no paper in it.
    """
    held = assistant.library
    if not len(held):
        _ = held.statistics  # says that there is none, and what to do
    return held


def _agreed(papers: Sequence[Paper], terminal: Terminal) -> bool:
    for paper in papers[:_SHOWN]:
        terminal.note(paper.label)
    if len(papers) > _SHOWN:
        terminal.note(f"… and {len(papers) - _SHOWN:,} more")
    count = "this paper" if len(papers) == 1 else f"these {len(papers):,} papers"
    sys.stderr.write(f"Remove {count}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
