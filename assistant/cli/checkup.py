"""``assistant doctor``: the checks of `assistant.doctor` as lines or JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from assistant.assistant import Assistant
from assistant.cli.opening import chosen_settings
from assistant.cli.options import Json, Library
from assistant.cli.terminal import Terminal
from assistant.conversations import salvage
from assistant.doctor import Check, damaged_beside, diagnose
from assistant.files import forget, write_sealed
from assistant.settings import Settings

__all__ = ["doctor"]


def doctor(
    library: Library = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make what is damaged again from what is not.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the installation, the model, the library and the settings.

    Each line is "ok", or "!" with what to do. Exit code 1 if something is broken. Where a
    language model is configured it is called once, with a few tokens; else nobody is called.

    \b
    Examples:
      assistant doctor
      assistant doctor --json
      assistant doctor --repair
    """
    terminal = Terminal()
    if repair:
        _repair(library, terminal)
    with terminal.at_work("checking…"):
        checks = diagnose(lambda: chosen_settings(library), more=[_language_model])
    broken = [check for check in checks if check.state == "broken"]
    if as_json:
        terminal.data({"ok": not broken, "checks": [check.model_dump() for check in checks]})
    else:
        _show(terminal, checks, broken)
    if broken:
        raise typer.Exit(1)


def _show(terminal: Terminal, checks: Sequence[Check], broken: Sequence[Check]) -> None:
    styles = {"ok": "green", "attention": "yellow", "broken": "red"}
    for check in checks:
        sign = "ok" if check.state == "ok" else "!"
        do = f" {check.do}" if check.do else ""
        terminal.say((f"{sign:<3}", styles[check.state]), f"{check.name}: {check.found}{do}")
    terminal.say()
    count = "one thing is" if len(broken) == 1 else f"{len(broken)} things are"
    names = ", ".join(check.name for check in broken)
    terminal.say(f"{count.capitalize()} broken: {names}." if broken else "Nothing is broken.")


def _repair(library: str | None, terminal: Terminal) -> None:
    """Makes again what is damaged: the collection from the records, or the other way round."""
    settings = chosen_settings(library)
    broken = {check.name for check in diagnose(lambda: settings) if check.state != "ok"}
    assistant = Assistant(settings, notify=terminal.note)
    try:
        if "database" in broken:

            def tell(done: int, total: int) -> None:
                terminal.working(f"embedding anew: {done:,} of {total:,} papers")

            count = assistant.library.rescue(tell)
            terminal.note(f"The collection was made again from the records: {count:,} papers.")
        elif "records" in broken:
            assistant.library.repair("repair was asked for")
            terminal.note("The local database was made again from the collection.")
        saved = list(_save_beside(assistant.library.path))
        for note in saved:
            terminal.note(note)
        if not saved and not {"database", "records"} & broken:
            terminal.note("The library needs no repair.")
    finally:
        terminal.settle()


def _save_beside(path: Path) -> Iterator[str]:
    """Sets damaged small files aside, and keeps of each what can be read; tells what became of it.

    Raises:
        LibraryError: the folder cannot be written.
    """
    for file, wrong in damaged_beside(path).items():
        forget(file)
        if not file.exists():
            yield f"{file.name} was gone; nothing of it can be saved, and it begins anew."
            continue
        aside = file.with_name(f"{file.name}.damaged-{time.time_ns()}")
        file.rename(aside)
        for journal in (f"{file.name}-wal", f"{file.name}-shm"):
            file.with_name(journal).unlink(missing_ok=True)
        lost = f"{file.name} was damaged ({wrong}) and is kept as {aside.name}"
        if file.suffix != ".json":
            count = salvage(aside, path)
            yield f"{lost}; {count:,} of its rows could be saved."
            continue
        try:
            kept = json.loads(aside.read_bytes())
            kept.pop("seal", None)
            write_sealed(file, json.dumps(kept, ensure_ascii=False, indent=1), remembered=True)
            yield f"{lost}; it can still be read, so look whether it says what it should."
        except (OSError, ValueError, AttributeError):
            yield f"{lost}; nothing of it could be read, and it begins anew."


def _language_model(settings: Settings) -> Iterator[Check]:
    """A test call, where a model is configured; without one nobody is called."""
    if settings.llm and (settings.openai_base_url or settings.openai_api_key):
        from assistant.endpoint import examine  # noqa: PLC0415

        yield from examine(settings)
