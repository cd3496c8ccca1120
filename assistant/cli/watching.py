"""``assistant watch``, ``digest`` and ``similar``: what is new, and what is like what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.opening import open_assistant, open_for_writing, write_file
from assistant.cli.options import PLAIN, Count, Json, Library
from assistant.cli.terminal import Terminal
from assistant.errors import QuestionError, WatchError
from assistant.profile import Profile
from assistant.watch import Digest, Likes, Watches

__all__ = ["app", "digest", "similar"]

app = typer.Typer(**PLAIN)
Papers = Annotated[
    list[str], typer.Argument(metavar="ID|TITLE...", help="Ids, DOIs, arXiv ids or titles.")
]


@app.callback()
def watch() -> None:
    """Say what to watch for, and what you like; 'assistant digest' shows what is new.

    \b
    Examples:
      assistant watch add pruning --query "pruning of experts" --like 2310.16795
      assistant watch like "A Paper That I Liked"
      assistant watch interests --add "small models on phones"
      assistant digest pruning
    """


def similar(
    paper: Annotated[str, typer.Argument(metavar="ID|TITLE", help="Id, DOI, arXiv id or title.")],
    library: Library = None,
    k: Count = None,
    as_json: Json = False,
) -> None:
    """Find the papers of the library that are most like one of them.

    \b
    Examples:
      assistant similar "Attention Is All You Need"
      assistant similar 1706.03762 -k 5 --json
    """
    terminal = Terminal()
    found = open_assistant(library, terminal).similar(paper, k)
    if as_json:
        terminal.data([result.model_dump(mode="json") for result in found])
        return
    for result in found:
        terminal.say((f"{result.rank}. {result.title}", "bold"), f"  {result.score:.2f}", hang=3)
        terminal.say(result.passage, indent=3)


def digest(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Of a watch; else all.", show_default=False),
    ] = None,
    *,
    library: Library = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="What was noticed since, as 2026-11-01."),
    ] = None,
    k: Annotated[
        int, typer.Option("-k", min=1, max=1000, metavar="N", help="Papers to show in full.")
    ] = 10,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to: .md or .html."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is new since the last digest, ranked by what you liked.

    Each paper comes with why it is there, a sentence of its abstract and what of the library it
    resembles. The next digest begins where this one ends, unless --since was given.

    \b
    Examples:
      assistant sync && assistant digest
      assistant digest pruning -o digest.html
      assistant digest --since 2026-11-01 -k 20
    """
    terminal = Terminal()
    if output is not None and output.suffix.lower() not in (".md", ".html"):
        raise QuestionError(f"{output} ends neither in .md nor in .html.", "Name it so.")
    first = _date(since) if since else None
    assistant = open_for_writing(library, terminal)
    with terminal.at_work("reading what is new…"):
        made = assistant.digest(name, since=first, k=k)
    if output is not None:
        write_file(output, made.render("html" if output.suffix.lower() == ".html" else "md"))
        terminal.note(f"written: {output}")
    if as_json:
        terminal.data(made.model_dump(mode="json"))
    elif output is None:
        _show(terminal, made)
    terminal.flush()  # what could not be shown has not been seen
    if first is None:
        Watches(assistant.library).shown([watch.watch for watch in made.watches], made.at)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise QuestionError(f"{text!r} is no date.", "Give one as 2026-11-01.") from None


def _show(terminal: Terminal, made: Digest) -> None:
    for watch in made.watches:
        since = watch.since[:10]
        if not watch.new:
            terminal.say((watch.watch, "bold"), f": no new paper since {since}")
            continue
        near = "" if watch.near is None else f", near the query: {watch.near:,}"
        terminal.say((watch.watch, "bold"), f": {watch.new:,} new since {since}{near}")
        for n, paper in enumerate(watch.papers, 1):
            year = f" ({paper.year})" if paper.year else ""
            terminal.say((f"{n}. {paper.title}", "bold"), year, hang=3)
            terminal.say((paper.why, "dim"), indent=3)
            if paper.sentence:
                terminal.say(f"“{paper.sentence}”", indent=3)
            if paper.resembles:
                terminal.say((f"resembles: {'; '.join(paper.resembles)}", "dim"), indent=3)
        if watch.others:
            terminal.say("also new:")
            for title in watch.others:
                terminal.say(title, indent=3, hang=2)
        if watch.unnamed:
            terminal.say(f"and {watch.unnamed:,} more")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    library: Library = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="TEXT", help="A question, or words.")
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", metavar="ID|TITLE", help="A paper of the kind; repeatable."),
    ] = None,
) -> None:
    """Watch for papers on a question, like some papers, or both.

    \b
    Examples:
      assistant watch add gaze --query "gaze estimation with one eye"
      assistant watch add mine --like 10.1038/nature14539 --like "Deep Learning"
    """
    terminal = Terminal()
    watches = Watches(open_for_writing(library, terminal).library)
    watch = watches.add(name, query, like or ())
    terminal.say(f"Watching for {watch.name}; what comes from now on is in 'assistant digest'.")


@app.command("list")
def list_watches(library: Library = None, as_json: Json = False) -> None:
    """List the watches: name, what for, since when.

    \b
    Examples:
      assistant watch list --json
    """
    terminal = Terminal()
    watches = Watches(open_assistant(library, terminal).library).all()
    if as_json:
        terminal.data([watch.model_dump(mode="json") for watch in watches])
        return
    rows = [[w.name, w.query or "", f"{len(w.like)} papers", w.since[:16]] for w in watches]
    if rows:
        terminal.table(["name", "query", "like", "since"], rows)
    else:
        terminal.note("Nothing is watched yet: assistant watch add NAME --query TEXT")


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the watch.")],
    library: Library = None,
) -> None:
    """Watch no longer; papers and likes stay.

    \b
    Examples:
      assistant watch remove gaze
    """
    terminal = Terminal()
    Watches(open_for_writing(library, terminal).library).remove(name)
    terminal.say(f"{name} is watched no longer.")


@app.command("like")
def like(
    papers: Papers,
    library: Library = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
) -> None:
    """Like papers: digests show more of their kind.

    \b
    Examples:
      assistant watch like "Attention Is All You Need" 2310.16795
    """
    _set_liking(papers, library, None if undo else True)


@app.command("dislike")
def dislike(papers: Papers, library: Library = None) -> None:
    """Dislike papers: digests show less of their kind.

    \b
    Examples:
      assistant watch dislike "A Paper of No Interest"
    """
    _set_liking(papers, library, False)


def _set_liking(papers: Sequence[str], library: str | None, liked: bool | None) -> None:
    terminal = Terminal()
    assistant = open_for_writing(library, terminal)
    found = [assistant.library.paper(name) for name in papers]
    likes = Likes(assistant.library.path)
    done = {True: "liked", False: "disliked", None: "neither liked nor disliked"}[liked]
    for paper in found:
        likes.set(paper.id, liked)
        terminal.say(f"{done}: {paper.label}")


@app.command("interests")
def interests(
    library: Library = None,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="TEXT", help="Repeatable.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TEXT", help="Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List your interests, a file in the library's folder that you can edit.

    With ASSISTANT_PROFILE=true they rank digests, and papers that a search finds equally good.
    They never hide anything.

    \b
    Examples:
      assistant watch interests --add "small models on phones"
    """
    terminal = Terminal()
    assistant = open_for_writing(library, terminal)
    profile = Profile(assistant.library.path)
    for interest in add or ():
        profile.add(interest)
    for interest in remove or ():
        if not profile.remove(interest):
            raise WatchError(f"{interest!r} is no interest on the list.")
    if as_json:
        terminal.data(profile.interests())
        return
    for interest in profile.interests():
        terminal.say(interest)
    state = "used" if assistant.settings.profile else "not used until ASSISTANT_PROFILE=true"
    terminal.note(f"{profile.path}: {state}")
