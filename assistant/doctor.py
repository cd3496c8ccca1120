"""What may be wrong on this machine, and what to do about it.

`diagnose` looks and changes nothing: it fetches no model, calls no endpoint, makes no folder and
repairs no index. Each check says what it found, and what to do where that is not well. A check
that cannot be made is a finding, never an exception.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from assistant.address import StoreAddress
from assistant.errors import AssistantError, LibraryMismatch
from assistant.files import missing, read_sealed
from assistant.graph import NOTES, Graph, GraphDamaged
from assistant.settings import Settings, config_file, unknown_variables

if TYPE_CHECKING:
    from assistant.library import Library, LibraryInfo

__all__ = ["Check", "Examination", "damaged_beside", "diagnose"]

_OLDEST_SQLITE = (3, 35)
_LITTLE_SPACE = 500 << 20
_NO_SPACE = 50 << 20
_SMALL_DATABASE = 1 << 30
"""Bytes up to which the database is read through; a larger one takes too long."""

State = Literal["ok", "attention", "broken"]


class Check(BaseModel):
    """One thing that was looked at.

    ``state`` "attention" is worth knowing and stops nothing; ``do`` says what to do, if anything.
    """

    name: str
    state: State = "ok"
    found: str
    do: str = ""


Examination = Callable[[Settings], Iterator[Check]]
"""Looks at one thing under the settings; a language model brings its own."""


def diagnose(
    load: Callable[[], Settings] = Settings.load, *, more: Sequence[Examination] = ()
) -> list[Check]:
    """All checks, in the order in which one thing rests on another.

    Args:
        load: gives the settings; an `AssistantError` of it is the finding.
        more: examinations to add at the end.
    """
    checks = [_python(), _sqlite()]
    try:
        settings = load()
    except AssistantError as error:
        return [*checks, Check(name="settings", state="broken", found=error.what, do=error.do)]
    for look in (_configuration, _folders, _model, _library, _endpoint, *more):
        name = look.__name__.strip("_").replace("_", " ")
        try:
            checks += look(settings)
        except AssistantError as error:
            checks.append(Check(name=name, state="broken", found=error.what, do=error.do))
        except Exception as error:  # noqa: BLE001  a doctor that faints helps nobody
            found = f"could not be checked ({type(error).__name__}: {error})."
            checks.append(Check(name=name, state="broken", found=found))
    return checks


# -- the machine ---------------------------------------------------------------------------------


def _python() -> Check:
    found = f"{platform.python_version()} ({sys.executable}), assistant {_own_version()}"
    return Check(name="python", found=found)


def _own_version() -> str:
    try:
        return version("abstract-assistant")
    except Exception:  # noqa: BLE001  run from a folder that was never installed
        return "(not installed)"


def _sqlite() -> Check:
    found = sqlite3.sqlite_version
    if tuple(map(int, found.split(".")))[:2] >= _OLDEST_SQLITE:
        return Check(name="sqlite", found=found)
    return Check(
        name="sqlite",
        state="broken",
        found=f"{found} is too old for Chroma.",
        do="Use a Python that is built with SQLite 3.35 or newer.",
    )


def _folders(settings: Settings) -> Iterator[Check]:
    """Whether the folders can be written, and how much room there is."""
    for name, folder, variable in (
        ("library folder", settings.library, "ASSISTANT_LIBRARY (or --library)"),
        ("cache folder", settings.cache, "ASSISTANT_CACHE"),
    ):
        folder = folder.expanduser().absolute()  # noqa: PLW2901
        yield _folder(name, folder, variable)


def _folder(name: str, folder: Path, variable: str) -> Check:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    mend = f"Grant access, or set {variable} to another folder."
    if not there.is_dir():
        return Check(name=name, state="broken", found=f"{there} is not a folder.", do=mend)
    if not os.access(there, os.W_OK | os.X_OK) or not _writes(there):
        return Check(name=name, state="broken", found=f"{there} cannot be written.", do=mend)
    free = shutil.disk_usage(there).free
    found = f"{folder}, {_size(free)} free"
    if free < _LITTLE_SPACE:
        state: State = "broken" if free < _NO_SPACE else "attention"
        do = f"Make room there, or set {variable} to a folder on another disk."
        return Check(name=name, state=state, found=f"{found}: that is little.", do=do)
    return Check(name=name, found=found)


def _writes(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


# -- settings ------------------------------------------------------------------------------------


def _configuration(settings: Settings) -> Iterator[Check]:
    """The file in use, and what is not as it comes."""
    path = config_file()
    there = path.is_file()
    yield Check(
        name="settings file", found=str(path) if there else f"none ({path} is read if there)"
    )
    for name, likely in unknown_variables():
        yield Check(
            name="environment",
            state="attention",
            found=f"{name} is set, and there is no such setting.",
            do=f"Did you mean {likely}?" if likely else "Unset it; it changes nothing.",
        )
    changed = [f"{name} = {value}" for name, value in _changed(settings)]
    yield Check(name="settings", found="; ".join(changed) if changed else "all as they come")


def _changed(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name and value of each setting that is not the default; secrets and passwords masked."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _changed(value, f"{prefix}{name}.")
        elif value != field.get_default(call_default_factory=True):
            yield prefix + name, _masked(value)


def _masked(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(secret)"
    return _shown_address(value) if isinstance(value, str) and "://" in value else str(value)


def _shown_address(url: str) -> str:
    """A web address without the user, the password and the parameters that it may carry."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not an address)"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


# -- the model -----------------------------------------------------------------------------------


def _model(settings: Settings) -> Iterator[Check]:
    """The embedded model's files, if it is the one in use."""
    if settings.embedding.provider != "minilm":
        return
    from assistant.embedding import minilm, weights  # noqa: PLC0415

    precision = settings.embedding.precision
    folder = minilm.model_folder(settings)
    if settings.embedding.weights is not None:
        weights.check_configured(settings.embedding.weights)
    prepared = minilm.model_path(folder, precision)
    if not prepared.exists():
        yield Check(
            name="model",
            state="attention",
            found=f"{minilm.MODEL}/{precision} is not on this machine yet; the first command that "
            "needs it fetches it.",
            do=f"For a machine without a network: {weights.BY_HAND}",
        )
        return
    damaged = [name for name in weights.SHA256 if not weights.verified(folder / name, name)]
    if damaged or not _as_recorded(prepared):
        name = damaged[0] if damaged else prepared.name
        yield Check(
            name="model",
            state="attention",
            found=f"{name} in {folder} is missing or damaged; the next command makes it again.",
            do="Check the disk if that happens again.",
        )
        return
    yield Check(name="model", found=f"{minilm.MODEL}/{precision} in {folder}, verified")


def _as_recorded(prepared: Path) -> bool:
    """Whether the prepared model has the SHA-256 that was written down when it was made."""
    import hashlib  # noqa: PLC0415

    try:
        recorded = prepared.with_name(prepared.name + ".sha256").read_text("ascii").split()[:1]
        with prepared.open("rb") as file:
            return recorded == [hashlib.file_digest(file, "sha256").hexdigest()]
    except (OSError, ValueError):
        return False


# -- the library ---------------------------------------------------------------------------------


def _library(settings: Settings) -> Iterator[Check]:
    """Whether it opens, what filled it, whether its index is fresh, who writes."""
    from assistant.embedding import open_embedder  # noqa: PLC0415
    from assistant.library import Library  # noqa: PLC0415

    library = Library(settings, lambda: open_embedder(settings))
    info = library.info
    if info is None and (info := library.left()):
        yield Check(
            name="library",
            state="attention",
            found=f"library.json in {library.path} is missing or damaged.",
            do="The next command makes it again from what is beside it.",
        )
    if info is None:
        yield Check(
            name="library",
            state="attention",
            found=f"there is none at {library.path} yet.",
            do="Add papers with 'assistant ingest FILE', or see one at work: 'assistant demo'.",
        )
        return
    if library.address.kind == "folder":
        yield _database(library.path, info)
    records = _records(library, info)
    yield records
    yield from _beside(library.path)
    # comparing opens the model, and a lost database would be made again: not by a doctor
    comparable = settings.embedding.provider == "minilm" and records.state == "ok"
    if comparable and all(check.state == "ok" for check in _model(settings)):
        try:
            library.ready()
        except LibraryMismatch as error:
            yield Check(name="filled by", state="broken", found=error.what, do=error.do)
            return
    yield Check(name="filled by", found=str(info))
    yield _lock(library.path)


def _database(path: Path, info: LibraryInfo) -> Check:
    """Whether SQLite finds Chroma's file sound, and it holds the collection."""
    name, file = "database", path / "chroma" / "chroma.sqlite3"
    mend = "Run 'assistant doctor --repair', restore the folder from a copy, or ingest again."
    if not file.is_file():
        return Check(name=name, state="broken", found=f"{file} is missing.", do=mend)
    size = file.stat().st_size
    if size > _SMALL_DATABASE:
        return Check(name=name, found=f"{path}, {_size(size)}, not read through")
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5)) as database:
            result = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            query = "SELECT COUNT(*) FROM collections WHERE name = ?"
            held = int(database.execute(query, (info.collection,)).fetchone()[0])
    except sqlite3.Error as error:
        result, held = str(error), 0
    if result == "ok" and not held:
        result = "it does not hold the collection"
    if result == "ok" and (differs := _differs(path, info)):
        result = differs
    if result == "ok":
        graph = Graph(StoreAddress("folder", path), info.collection)
        try:
            if graph.look() == "unknown":
                graph.try_it(copied=True)
        except GraphDamaged as damage:
            return Check(name=name, state="broken", found=damage.what, do=damage.do)
    if result != "ok":
        return Check(name=name, state="broken", found=f"{file} is damaged ({result}).", do=mend)
    return Check(name=name, found=f"{path}, {_size(size)}, sound")


def _records(library: Library, info: LibraryInfo) -> Check:
    """Whether the local database is whole, and holds what the collection does."""
    from assistant.folder import LibraryFolder  # noqa: PLC0415
    from assistant.library import TITLE_REPEATS  # noqa: PLC0415
    from assistant.records import Records, RecordsDamaged  # noqa: PLC0415

    name, file = "records", LibraryFolder(library.path).database(info.collection)
    again = "The next command makes it again from the collection."
    try:
        with Records(file, info.dimension, title_repeats=TITLE_REPEATS, make=False) as records:
            papers, found = len(records), records.sound()
            pending = records.pending
    except (RecordsDamaged, sqlite3.Error, OSError):
        return Check(name=name, state="attention", found="missing or damaged.", do=again)
    if found != "ok":
        repair = "Make it again from the collection: 'assistant doctor --repair'."
        return Check(name=name, state="broken", found=f"damaged ({found}).", do=repair)
    if pending:
        found = f"{papers:,} papers; a writer was killed, and the next command catches up."
        return Check(name=name, state="attention", found=found)
    return Check(name=name, found=f"{papers:,} papers, sound")


def _differs(path: Path, info: LibraryInfo) -> str:
    """What of Chroma's database is not what the records say; they carry checksums, it has none.

    Empty where both agree, or where there are no whole records to compare with.
    """
    from assistant.folder import LibraryFolder  # noqa: PLC0415
    from assistant.library import TITLE_REPEATS  # noqa: PLC0415
    from assistant.records import Records, RecordsDamaged  # noqa: PLC0415

    query = (
        "SELECT e.embedding_id, m.string_value FROM embeddings e LEFT JOIN embedding_metadata m "
        "ON m.id = e.id AND m.key = 'chroma:document'"
    )
    try:
        uri = f"{(path / 'chroma' / 'chroma.sqlite3').as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5)) as database:
            rows = {str(row): str(text) for row, text in database.execute(query)}
    except sqlite3.Error as error:
        return str(error)
    file = LibraryFolder(path).database(info.collection)
    try:
        with Records(file, info.dimension, title_repeats=TITLE_REPEATS, make=False) as records:
            if records.pending:
                return ""  # a writer was killed; the next command catches up
            chunks = records.revisions()
            for paper in records.papers():
                for n in range(chunks[paper.id][0]):
                    text = rows.get(f"{paper.id}#{n}")
                    if text is None or (text not in paper.abstract and text != paper.label):
                        return f"it holds another text of {paper.label[:60]!r}"
    except (RecordsDamaged, sqlite3.Error, OSError, ValueError):
        pass  # told by the check of the records
    return ""


def damaged_beside(path: Path) -> dict[Path, str]:
    """The small files of a library that are damaged, with what is wrong."""
    screenings = path / "screenings"
    found = dict.fromkeys([*missing(path), *missing(screenings)], "it is gone")
    for file in sorted(
        {*path.glob("*.json"), *screenings.glob("*.json")} - {path / NOTES}
    ):  # a lost note is made again
        try:
            json.loads(read_sealed(file))
        except (OSError, ValueError) as error:
            found[file] = str(error).splitlines()[0]
    kept = path / "conversations.sqlite3"
    if kept.is_file() and kept not in found:
        try:
            uri = f"{kept.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=5)) as database:
                result = str(database.execute("PRAGMA integrity_check(1)").fetchone()[0])
                database.execute("SELECT COUNT(*) FROM turns").fetchone()
        except sqlite3.Error as error:
            result = str(error)
        if result != "ok":
            found[kept] = result
    return found


def _beside(path: Path) -> Iterator[Check]:
    """What else is kept in the folder: watches, likes, sources, conversations."""
    for file, wrong in damaged_beside(path).items():
        found = f"{file.name} is damaged ({wrong})."
        do = "Save what can be saved: 'assistant doctor --repair'."
        yield Check(name=file.name, state="broken", found=found, do=do)


def _lock(path: Path) -> Check:
    """Whether somebody writes at this moment."""
    from filelock import FileLock, Timeout  # noqa: PLC0415

    file = path / "lock"
    if not file.exists():
        return Check(name="lock", found="free")
    try:
        with FileLock(file, timeout=0):
            return Check(name="lock", found="free")
    except Timeout:
        found = "held: another process is writing to the library."
        return Check(
            name="lock", state="attention", found=found, do="A second writer waits for it."
        )
    except OSError as error:
        found = f"{file} cannot be used: {error.strerror}."
        return Check(name="lock", state="broken", found=found, do="Grant access to it.")


# -- endpoints -----------------------------------------------------------------------------------


def _endpoint(settings: Settings) -> Iterator[Check]:
    """What is configured; nothing is called."""
    from assistant.endpoint.local import LocalModel, is_file  # noqa: PLC0415

    where = _shown_address(settings.openai_base_url) if settings.openai_base_url else "OpenAI"
    key = "a key is set" if settings.openai_api_key else "no key is set"
    given = "OPENAI_API_KEY" if settings.openai_api_key else "OPENAI_BASE_URL"
    if not settings.llm and (settings.openai_api_key or settings.openai_base_url):
        yield Check(
            name="language model",
            found=f"none is chosen, though {given} is set: answers are extracted.",
            do="To have them written, name a model: set ASSISTANT_LLM, or give --llm to 'ask'.",
        )
    elif not settings.llm:
        found = "none is chosen (ASSISTANT_LLM): answers are extracted"
        yield Check(name="language model", found=found)
    elif is_file(settings.llm):
        yield Check(name="language model", found=f"{LocalModel(Path(settings.llm)).path}, run here")
    elif settings.openai_base_url or settings.openai_api_key:
        yield Check(name="language model", found=f"{settings.llm} at {where}, {key}")
    else:
        yield Check(
            name="language model",
            state="broken",
            found=f"{settings.llm} is chosen, and neither an endpoint nor a key.",
            do="Set OPENAI_API_KEY or OPENAI_BASE_URL, or unset ASSISTANT_LLM.",
        )
    if settings.embedding.provider == "openai":
        from assistant.embedding import open_embedder  # noqa: PLC0415

        embedder = open_embedder(settings)  # says what is missing; calls nobody
        yield Check(name="embedding", found=f"{embedder.name}, not called")


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
