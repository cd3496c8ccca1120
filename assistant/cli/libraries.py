"""``assistant library list|create|delete|use|copy``."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.assistant import Assistant
from assistant.cli.opening import chosen_settings
from assistant.cli.options import PLAIN, Json
from assistant.cli.terminal import Interrupted, Part, Terminal
from assistant.errors import AssistantError
from assistant.libraries import Libraries

__all__ = ["app"]

app = typer.Typer(**PLAIN)


@app.callback()
def libraries() -> None:
    """Keep several libraries by name, and copy one from anywhere to anywhere.

    \b
    Examples:
      assistant library create medicine
      assistant ingest pubmed.nbib --library medicine
      assistant library use medicine
      assistant library copy medicine http://localhost:8000
    """


@app.command("list")
def list_libraries(as_json: Json = False) -> None:
    """List the named libraries, their papers and places."""
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


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="PLACE", help="A folder, or a Chroma server's address."),
    ] = None,
) -> None:
    """Give a library a name.

    \b
    Examples:
      assistant library create medicine
      assistant library create shared --at http://host:8000
    """
    place = Libraries().create(name, at)
    Terminal().say(f"{name}: {place}. Add papers: assistant ingest FILE --library {name}")


@app.command("delete")
def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the library.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take a library off the list, with its papers where its folder is the program's own."""
    terminal, libraries = Terminal(), Libraries()
    if not yes:
        if not terminal.asks:
            raise AssistantError(f"The library {name} and its papers would go.", "Add --yes.")
        if not typer.confirm(f"Remove the library {name} and its papers?"):
            terminal.note("Nothing was removed.")
            return
    place = libraries.delete(name)
    kept = "" if not place.library.exists() and place.store is None else f"; kept: {place}"
    terminal.say(f"{name} is off the list{kept}.")


@app.command("use")
def use(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the library; '-': the usual.")],
) -> None:
    """Choose the library that is meant where --library is not given."""
    Libraries().use(None if name == "-" else name)
    Terminal().say(f"Without --library: {chosen_settings(None).library}")


@app.command("copy")
def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Name, folder or address.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Name, folder or address.")],
) -> None:
    """Copy a library with its vectors: folder, server or cloud to any of them.

    \b
    Examples:
      assistant library copy ./library http://localhost:8000
      assistant library copy http://localhost:8000 ./backup
    """
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
