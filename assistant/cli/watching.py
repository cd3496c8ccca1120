"""``assistant watch``, ``digest`` and ``similar``: what is new, and what is like what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from assistant.cli.opening import open_assistant, open_for_writing, write_file
from assistant.cli.terminal import Terminal
from assistant.errors import QuestionError, WatchError
from assistant.profile import Profile
from assistant.watch import Digest, Likes, Watches

__all__ = [
    "add",
    "digest",
    "interests",
    "like",
    "list_watches",
    "remove",
    "similar",
]


def similar(paper: str, *, library: str | None, k: int | None, as_json: bool) -> None:
    """Prints the papers most like ``paper``, each with its nearest sentence."""
    terminal = Terminal()
    found = open_assistant(library, terminal).similar(paper, k)
    if as_json:
        terminal.data([result.model_dump(mode="json") for result in found])
        return
    for result in found:
        terminal.say((f"{result.rank}. {result.title}", "bold"), f"  {result.score:.2f}", hang=3)
        terminal.say(result.passage, indent=3)


def digest(
    name: str | None,
    *,
    library: str | None,
    since: str | None,
    k: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Prints or writes what is new; the next digest begins where this one ends.

    Raises:
        AssistantError: what `Assistant.digest` raises, or the file cannot be written.
    """
    terminal = Terminal()
    if output is not None and output.suffix.lower() not in (".md", ".html"):
        raise QuestionError(f"{output} ends neither in .md nor in .html.", "Name it so.")
    first = _date(since) if since else None
    assistant = open_for_writing(library, terminal)
    with terminal.at_work("reading what is new…"):
        made = assistant.digest(name, since=first, k=k)
    if output is not None:
        write_file(output, [made.render("html" if output.suffix.lower() == ".html" else "md")])
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
        terminal.say((watch.watch, "bold"), f": {watch.new:,} new since {since}")
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


def add(name: str, *, library: str | None, query: str | None, like: Sequence[str]) -> None:
    """Adds a watch."""
    terminal = Terminal()
    watches = Watches(open_for_writing(library, terminal).library)
    watch = watches.add(name, query, like)
    terminal.say(f"Watching for {watch.name}; what comes from now on is in 'assistant digest'.")


def list_watches(*, library: str | None, as_json: bool) -> None:
    """Prints the watches."""
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


def remove(name: str, *, library: str | None) -> None:
    """Removes a watch."""
    terminal = Terminal()
    Watches(open_for_writing(library, terminal).library).remove(name)
    terminal.say(f"{name} is watched no longer.")


def like(papers: Sequence[str], *, library: str | None, liked: bool | None) -> None:
    """Likes papers, dislikes them, or takes it back."""
    terminal = Terminal()
    assistant = open_for_writing(library, terminal)
    found = [assistant.library.paper(name) for name in papers]
    likes = Likes(assistant.library.path)
    done = {True: "liked", False: "disliked", None: "neither liked nor disliked"}[liked]
    for paper in found:
        likes.set(paper.id, liked)
        terminal.say(f"{done}: {paper.label}")


def interests(
    *, library: str | None, add: Sequence[str], remove: Sequence[str], as_json: bool
) -> None:
    """Prints the interests, after adding and removing some.

    Raises:
        WatchError: one that is to be removed is not there.
    """
    terminal = Terminal()
    assistant = open_for_writing(library, terminal)
    profile = Profile(assistant.library.path)
    for interest in add:
        profile.add(interest)
    for interest in remove:
        if not profile.remove(interest):
            raise WatchError(f"{interest!r} is no interest on the list.")
    if as_json:
        terminal.data(profile.interests())
        return
    for interest in profile.interests():
        terminal.say(interest)
    state = "used" if assistant.settings.profile else "not used until ASSISTANT_PROFILE=true"
    terminal.note(f"{profile.path}: {state}")
