"""``assistant library list|create|delete|use|copy``."""

from __future__ import annotations

import typer

from assistant.assistant import Assistant
from assistant.cli.opening import chosen_settings
from assistant.cli.terminal import Interrupted, Part, Terminal
from assistant.errors import AssistantError
from assistant.libraries import Libraries

__all__ = ["copy", "create", "delete", "list_libraries", "use"]


def list_libraries(*, as_json: bool) -> None:
    """Prints the named libraries, and the one that is used where none is named."""
    terminal, libraries = Terminal(), Libraries()
    used = libraries.used
    found = []
    for name, place in libraries.places.items():
        try:
            papers: int | None = len(Assistant(libraries.settings(name)).library)
        except AssistantError:
            papers = None
        row = {"name": name, "place": str(place), "papers": papers, "used": name == used}
        found.append(row)
    if as_json:
        terminal.data(found)
        return
    rows: list[list[Part]] = [
        [
            f"{'* ' if row['used'] else '  '}{row['name']}",
            "?" if row["papers"] is None else f"{row['papers']:,}",
            (str(row["place"]), "dim"),
        ]
        for row in found
    ]
    if rows:
        terminal.table(["library", "papers", "place"], rows)
    usual = chosen_settings(None)
    terminal.note(f"Without --library: {usual.store or usual.library}")


def create(name: str, at: str | None) -> None:
    """Puts a name on the list."""
    place = Libraries().create(name, at)
    Terminal().say(f"{name}: {place}. Add papers: assistant ingest FILE --library {name}")


def delete(name: str, *, sure: bool) -> None:
    """Takes a name off the list; its folder goes, where the program made it."""
    terminal, libraries = Terminal(), Libraries()
    if not sure:
        if not terminal.asks:
            raise AssistantError(f"The library {name} and its papers would go.", "Add --yes.")
        if not typer.confirm(f"Remove the library {name} and its papers?"):
            terminal.note("Nothing was removed.")
            return
    place = libraries.delete(name)
    kept = "" if not place.library.exists() and place.store is None else f"; kept: {place}"
    terminal.say(f"{name} is off the list{kept}.")


def use(name: str) -> None:
    """Says which library is meant where none is named; "-" for the usual one again."""
    Libraries().use(None if name == "-" else name)
    Terminal().say(f"Without --library: {chosen_settings(None).library}")


def copy(source: str, target: str) -> None:
    """Copies a library: folder, server or cloud to any of them, without embedding again."""
    terminal = Terminal()
    of, to = Assistant(chosen_settings(source)), Assistant(chosen_settings(target))
    if of.library.address == to.library.address:
        raise AssistantError("Source and target are the same library.", "Name two.")
    try:
        count = of.library.copy_to(
            to.library,
            lambda done, total: terminal.working(f"copying: {done:,} of {total:,} papers"),
        )
    except KeyboardInterrupt:
        raise Interrupted("Interrupted; the same command goes on where it stopped.") from None
    finally:
        terminal.settle()
    terminal.say(f"{count:,} papers copied from {of.library.address} to {to.library.address}.")
