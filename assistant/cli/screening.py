"""``assistant screen``: decide by key, one paper after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.opening import checked_output, open_assistant, read_text, write_file
from assistant.cli.options import Force, Json, Library
from assistant.cli.terminal import Part, Terminal
from assistant.errors import ConfigurationError, SourceError
from assistant.paper import Paper
from assistant.review.screening import Verdict, read_criteria
from assistant.review.session import FORMS, ScreeningSession

__all__ = ["screen"]

_KEYS: dict[str, Verdict] = {"i": "include", "e": "exclude", "m": "maybe"}
_NO_KEYS = (
    "No paper was shown: keys are read from a terminal, and this input is none. Decide there or on "
    "the page, or bring decisions in with --import FILE.csv."
)
_HELP = "i include · e exclude · m maybe · 1-9 exclude by that criterion · u undo · q stop"


def screen(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The question of the review.")],
    *,
    criteria: Annotated[
        Path | None,
        typer.Option("--criteria", metavar="FILE", help='Lines "include: …" and "exclude: …".'),
    ] = None,
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="Where decisions are kept.")
    ] = Path("screening.json"),
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="One that the page started.")
    ] = None,
    reviewer: Annotated[
        str, typer.Option("--reviewer", metavar="NAME", help="Who decides.")
    ] = "me",
    imports: Annotated[
        list[Path] | None,
        typer.Option("--import", metavar="CSV", help="Decisions of ASReview, Rayyan, Covidence."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", metavar="FILE", help=".csv, .bib, .ris, .csl, .json, .svg."),
    ] = None,
    force: Force = False,
    status: Annotated[
        bool, typer.Option("--status", help="Tell how far it is, and ask nothing.")
    ] = False,
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Screen the library for a systematic review: include, exclude or maybe, by key.

    The paper that is likeliest to be included comes next; each decision is kept at once, and
    the same command goes on. What is still unfound is estimated, and a stop is suggested.

    \b
    Examples:
      assistant screen "exercise in cystic fibrosis" --criteria criteria.txt
      assistant screen "exercise in cystic fibrosis" --import asreview.csv --status
      assistant screen "exercise in cystic fibrosis" -o decisions.csv -o prisma.svg
    """
    terminal, outputs = Terminal(), output or []
    for path in outputs:
        if path.suffix[1:].lower() not in FORMS:
            raise ConfigurationError(
                f"A screening cannot be written as {path.name!r}.",
                "Use .csv (decisions), .bib, .ris or .csl (the included), .svg (PRISMA) or .json.",
            )
        checked_output(path, force=force)
    text = read_text(topic, terminal)
    assistant = open_assistant(library, terminal)
    try:
        terminal.working("reading papers…")
        if name is not None:
            session = assistant.screenings.session(name)
        else:
            session = assistant.screen(text, file=file.expanduser())
        keys = assistant.citation_keys()
    finally:
        terminal.settle()
        assistant.close()
    if criteria is not None:
        session.judge_by(read_criteria(_read(criteria)))
    for path in imports or ():
        terminal.note(f"{path}: {session.bring_in(_read(path))}")
    if not (status or outputs or as_json or (imports and not terminal.asks)):
        _ask(session, terminal, reviewer)
    session.keep()
    estimate = session.estimate()
    for path in outputs:
        write_file(path, session.written(path.suffix[1:].lower(), keys), force=force)
        terminal.note(f"Written to {path}.")
    if as_json:
        waiting = session.next(reviewer)
        terminal.data(
            {
                "estimate": estimate.model_dump(mode="json"),
                "prisma": session.screening.prisma(),
                "agreement": session.agreement(),
                "next": waiting.id if waiting else None,
            }
        )
        return
    terminal.note(str(estimate))
    for pair, kappa in session.agreement().items():
        terminal.note(f"Agreement of {pair}: kappa {kappa:.2f}.")


def _ask(session: ScreeningSession, terminal: Terminal, reviewer: str) -> None:
    """One paper after the other until the reviewer stops or all are decided."""
    if not terminal.asks:
        terminal.note(_NO_KEYS)
        return
    reasons = session.screening.criteria.exclude
    paper = session.next(reviewer)
    while paper is not None:
        _show(session, terminal, paper)
        key = typer.getchar().casefold()
        if key in ("q", "\x03", "\x04"):
            return
        if key == "u":
            paper = session.undo(reviewer) or paper
            continue
        if key in _KEYS:
            session.decide(paper.id, _KEYS[key], reviewer=reviewer)
        elif key.isdigit() and 0 < int(key) <= len(reasons):
            session.decide(paper.id, "exclude", reasons[int(key) - 1], reviewer)
        else:
            terminal.note(_HELP)
            continue
        if len(session.screening.decisions) % 10 == 0:
            terminal.note(str(session.estimate()))
        paper = session.next(reviewer)


def _show(session: ScreeningSession, terminal: Terminal, paper: Paper) -> None:
    """A paper, the words that criteria rest on in bold, and the keys."""
    criteria = session.screening.criteria
    held = criteria.words(paper.text)
    marked = {word for words in held.values() for word in words}
    parts: list[Part] = [
        (f"{word} ", "bold") if word.strip(".,;:()“”\"'") in marked else f"{word} "
        for word in paper.abstract.split()
    ]
    terminal.say((f"\n{paper.label}", "bold"))
    terminal.say(*parts)
    for n, reason in enumerate(criteria.exclude, 1):
        terminal.say((f"  {n} {reason}: {', '.join(held.get(reason, [])) or '–'}", "dim"))
    terminal.note(_HELP)


def _read(path: Path) -> str:
    try:
        return path.expanduser().read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read ({error}).", "Name a text file.") from None
