"""From the words of a command line to an `Assistant`: which library, which history, which file.

``--library sample`` names the sample library everywhere. It is made of the papers that come with
the program, at the first use and again when those papers or the embedding settings change.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from assistant.assistant import Assistant
from assistant.cli.terminal import Interrupted, Terminal
from assistant.errors import ConfigurationError, LibraryError, SourceError
from assistant.files import replacing
from assistant.filters import Filters, chosen_years
from assistant.libraries import Libraries
from assistant.results import Message
from assistant.samples import make_sample, sample_folder, sample_is_made
from assistant.settings import Settings

__all__ = [
    "SAMPLE",
    "checked_output",
    "chosen_filters",
    "chosen_settings",
    "open_assistant",
    "open_for_writing",
    "read_history",
    "read_text",
    "write_file",
]

DATABASE = "chroma.sqlite3"
"""What tells a folder of Chroma's from others."""
SAMPLE = "sample"
"""What the sample library is called on the command line."""


def chosen_settings(library: str | None, **settings: object) -> Settings:
    """The settings, with what the command line says on top.

    Args:
        library: a name of the list (`assistant.libraries`), a folder, or the word "sample"
            (``./sample`` is a folder); None: the one in use, else the settings'.
        settings: as `Settings.load` takes them.

    Raises:
        ConfigurationError: the settings cannot be used.
    """
    if library == "":
        raise ConfigurationError("--library names nothing.", "Give a folder, or leave it out.")
    named = Libraries()
    if library is None and not {"ASSISTANT_LIBRARY", "ASSISTANT_STORE"} & set(os.environ):
        library = named.used
    if library is not None and library != SAMPLE and named.place(library) is not None:
        return named.settings(library, **settings)
    if library is not None and library != SAMPLE:
        if "://" in library or library.startswith("chroma-cloud:"):
            return Settings.load(store=library, **settings)
        return Settings.load(library=Path(library).expanduser().absolute(), store="", **settings)
    found = Settings.load(**settings)
    if library is None and str(found.library) != SAMPLE:
        return found
    return Settings.load(library=sample_folder(found), store="", **settings)


def chosen_filters(*, year: str | None, **words: Sequence[str] | None) -> Filters | None:
    """The filters of a command line; None where it gives none.

    Raises:
        QuestionError: a range of years is none.
    """
    given = {name: tuple(values) for name, values in words.items() if values}
    return Filters(**(chosen_years(year) if year else {}), **given) or None


def open_assistant(
    library: str | None,
    terminal: Terminal,
    model: Mapping[str, object] | None = None,
    **settings: object,
) -> Assistant:
    """An assistant over the library that `chosen_settings` names; the sample is made if need be.

    Args:
        model: what the command line says about the language model: ``llm``, ``base_url`` and
            the fields of `GenerationSettings`; None where it says nothing.

    Raises:
        ConfigurationError: the settings cannot be used.
        LibraryError: the sample library cannot be made.
        Interrupted: Ctrl-C while it was being made.
    """
    names = [] if library is None or Path(library).exists() else library.split(",")
    if len(names) > 1:
        return _over_several(names, terminal, model, settings)
    given = {name: value for name, value in (model or {}).items() if value is not None}
    chosen = chosen_settings(library, **_model_settings(given), **settings)
    if not chosen.llm and (unused := sorted(given.keys() - {"llm"})):
        raise ConfigurationError(
            f"--{unused[0].replace('_', '-')} is for what a language model writes, and none is "
            "chosen.",
            "Name one with --llm or ASSISTANT_LLM.",
        )
    assistant = Assistant(chosen, notify=terminal.note)
    if chosen.library == sample_folder(chosen):
        if sample_is_made(assistant):
            return assistant
        try:
            with terminal.at_work("making the sample library (once)…"):
                make_sample(assistant)
        except KeyboardInterrupt:
            raise Interrupted(
                "Interrupted while the sample library was being made; the next command goes on."
            ) from None
    return assistant


def _over_several(
    names: Sequence[str],
    terminal: Terminal,
    model: Mapping[str, object] | None,
    settings: Mapping[str, object],
) -> Assistant:
    """One assistant that asks several libraries; what it says of "the library" is of the first."""
    from assistant.several import SeveralRetriever  # noqa: PLC0415

    each = [open_assistant(name.strip(), terminal, model, **settings) for name in names]
    first = each[0]
    retriever = SeveralRetriever([one.retriever for one in each], first.settings.retrieval)
    return Assistant(first.settings, retriever=retriever, notify=terminal.note)


def _model_settings(given: Mapping[str, object]) -> dict[str, object]:
    """The options of a command line as `Settings.load` takes them."""
    generation = {k: v for k, v in given.items() if k not in ("llm", "base_url")}
    return {
        "llm": given.get("llm"),
        "openai_base_url": given.get("base_url"),
        "generation": generation or None,
    }


def open_for_writing(library: str | None, terminal: Terminal, **settings: object) -> Assistant:
    """`open_assistant` for a command that changes papers.

    Raises:
        LibraryError: it is the sample library, which is the program's own.
    """
    chosen = chosen_settings(library, **settings)
    if chosen.library == sample_folder(chosen):
        raise LibraryError(
            "The sample library belongs to the program, which makes and updates it.",
            "Name a library of your own: --library FOLDER, or leave it out for the usual one.",
        )
    return Assistant(chosen, notify=terminal.note)


def read_text(argument: str, terminal: Terminal) -> str:
    """A question from the command line; "-" is read from standard input."""
    if argument == "-":
        if sys.stdin.isatty():
            terminal.note("Type the question, then Ctrl-D on a line of its own.")
        return sys.stdin.read()
    # bytes that are no UTF-8 arrive as halves of characters, which no file and no JSON can hold
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read_history(path: Path | None) -> list[Message]:
    """The turns of a JSON file: a list of ``{"role": "user"|"assistant", "content": text}``.

    Raises:
        SourceError: the file cannot be read or holds something else.
    """
    if path is None:
        return []
    try:
        value = json.loads(path.expanduser().read_text(encoding="utf-8-sig"))
        return TypeAdapter(list[Message]).validate_python(value)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"{where + ': ' if where else ''}{first['msg'].lower()}"
    except (ValueError, RecursionError):
        reason = "it is not JSON"
    raise SourceError(
        f"The history {path} cannot be used: {reason}.",
        'It should hold [{"role": "user", "content": "…"}, {"role": "assistant", …}, …].',
    )


def checked_output(path: Path, *, force: bool = False) -> Path:
    """Where a file is to be written, asked before the work that fills it.

    Args:
        path: as the person gave it.
        force: a file that is there may be written over.

    Raises:
        LibraryError: it lies in a library, is a folder, or is there and may not be replaced.
    """
    path = path.expanduser()
    if (held := _library_around(path)) is not None:
        raise LibraryError(
            f"{path} would lie in the library at {held}, where nothing else is written.",
            "Choose another -o FILE.",
        )
    if path.is_dir():
        raise LibraryError(f"{path} is a folder.", "Name a file in it: -o FILE.")
    if path.is_file() and not force:
        raise LibraryError(
            f"{path} is there already.", "Give --force to write over it, or another -o FILE."
        )
    return path


def write_file(path: Path, content: str | bytes | Iterable[str], *, force: bool = False) -> None:
    """Writes a whole file, or none; ``path`` and ``force`` as `checked_output` takes them.

    What is no file (a pipe, a terminal, /dev/null) is written to as it is.

    Args:
        content: of it, or pieces of its text.

    Raises:
        LibraryError: it cannot be written, or may not be.
    """
    path = checked_output(path, force=force)
    whole = [content] if isinstance(content, str | bytes) else content
    pieces = (piece if isinstance(piece, bytes) else piece.encode() for piece in whole)
    try:
        special = path.exists() and not path.is_file()
        # a link stays one
        with path.open("wb") if special else replacing(path.resolve(), over=force) as file:
            file.writelines(pieces)
    except FileExistsError:  # it came while the work was done
        raise LibraryError(
            f"{path} is there by now.", "Give --force to write over it, or another -o FILE."
        ) from None
    except OSError as error:
        raise LibraryError(
            f"{path} cannot be written: {error.strerror or error}.", "Choose another -o FILE."
        ) from None


def _library_around(path: Path) -> Path | None:
    """The folder of the library that ``path`` would lie in."""
    for folder in path.resolve().parents:
        marks = (folder / "library.json", folder / "chroma" / DATABASE, folder / DATABASE)
        if any(mark.is_file() for mark in marks[1:]) or (
            marks[0].is_file() and (folder / "lock").exists()
        ):
            return folder
    return None
