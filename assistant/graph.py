"""Whether Chroma's graph of vectors in a folder is what Chroma wrote.

Chroma loads the graph's files without a look: a flipped bit crashes the process, or gives another
answer. So the writer notes their CRC-32 in ``graphs.json``, with the number of the last change
that Chroma says (in its own database) the graph holds. Whoever opens the graph compares:

    the number is the noted one    the files must be those that were noted
    it is another one, or none     a writer was killed before its note, or an older version wrote:
                                   the graph is tried in a process of its own, and noted then
    Chroma knows none              all vectors lie in Chroma's log (it makes a graph of each 1,000
                                   changes), and the files are scratch of whoever opened it last

While a writer is at work the note lags behind; a graph that is newer than it is trusted then.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from assistant.errors import LibraryError
from assistant.files import read_sealed, write_sealed

if TYPE_CHECKING:
    from assistant.address import StoreAddress

__all__ = ["DATABASE", "NOTES", "SYNC_THRESHOLD", "Graph", "GraphDamaged"]

DATABASE = "chroma.sqlite3"
NOTES = "graphs.json"
SYNC_THRESHOLD = 1000
"""Changes after which Chroma writes the graph."""
_FILES = ("header.bin", "data_level0.bin", "length.bin", "link_lists.bin", "index_metadata.pickle")
_PIECE = 1 << 24

State = Literal["sound", "due", "unknown"]
"""``due``: sound, but whoever opens it will write it. ``unknown``: to be tried first."""


class GraphDamaged(LibraryError):
    """Chroma's graph of vectors is not what was written."""


class _Note(BaseModel):
    """``files``: name → CRC-32."""

    number: str
    files: dict[str, str]


class _Notes(BaseModel):
    """``graphs``: folder of a graph → what is noted of it."""

    graphs: dict[str, _Note] = {}


class Graph:
    """The graph of one collection in a folder; who calls holds ``chroma.lock``."""

    def __init__(self, address: StoreAddress, collection: str) -> None:
        self._address, self._collection = address, collection
        self._chroma = address.chroma
        self._notes = address.folder / NOTES
        self._folder: Path | None = None
        self._seen: object = None

    @property
    def known(self) -> bool:
        """Whether the files are those that were last looked at; cheap, for every question."""
        return self._folder is not None and self._seen == self._marks()

    def look(self) -> State:
        """Reads the files through, and compares.

        Raises:
            GraphDamaged: they are not what was written.
        """
        self._seen = None
        segment, number, waiting = self._told()
        folder = self._folder = self._chroma / segment if segment else None
        marks = self._marks()
        if folder is not None and number:
            note = self._read_notes().get(segment)
            if note is None or note.number != number:
                return "unknown"
            self._compare(folder, note.files)
        self._seen = marks
        return "due" if waiting >= SYNC_THRESHOLD else "sound"

    def note(self) -> None:
        """Notes the files as they are: this process has just written them, or tried them."""
        segment, number, _ = self._told()
        folder = self._folder = self._chroma / segment if segment else None
        if folder is not None and number:
            held = {key: kept for key, kept in self._read_notes().items() if self._there(key)}
            held[segment] = _Note(number=number, files=dict(_checksums(folder)))
            write_sealed(self._notes, _Notes(graphs=held).model_dump_json(indent=1))
        self._seen = self._marks()

    def try_it(self, *, copied: bool = False) -> None:
        """Has another process find vectors in it, which a damaged graph may crash.

        Args:
            copied: leave the files alone; asking may have Chroma write them.

        Raises:
            GraphDamaged: it crashed, or did not find what is there.
        """
        with _place(self._chroma, copied=copied) as folder:
            command = [sys.executable, "-W", "ignore", "-c", _LOAD, str(folder), self._collection]
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        if done.returncode:
            raise self._damaged("it cannot be loaded")

    # ------------------------------------------------------------------ inside

    def _told(self) -> tuple[str, str, int]:
        """From Chroma's database: the graph's folder, its number, and the changes that wait."""
        query = (
            "SELECT s.id, m.seq_id, c.id FROM collections c JOIN segments s ON s.collection = c.id "
            "LEFT JOIN max_seq_id m ON m.segment_id = s.id WHERE s.scope = 'VECTOR' AND c.name = ?"
        )
        waits = "SELECT COUNT(*) FROM embeddings_queue WHERE seq_id > ? AND topic LIKE ?"
        file = self._chroma / DATABASE
        if not file.is_file():
            return "", "", 0
        try:
            uri = f"{file.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=5)) as database:
                row = database.execute(query, (self._collection,)).fetchone()
                if row is None:
                    return "", "", 0
                number = row[1].hex() if isinstance(row[1], bytes) else str(row[1] or "")
                last = int(number, 16 if isinstance(row[1], bytes) else 10) if number else 0
                waiting = database.execute(waits, (last, f"%{row[2]}")).fetchone()[0]
                return str(row[0]), number, int(waiting)
        except (sqlite3.Error, ValueError):
            return "", "", 0  # Chroma itself says what is wrong with its database

    def _marks(self) -> object:
        """Size and time of each file; nothing while Chroma has not written a graph."""
        if self._folder is None or not (self._folder / _FILES[-1]).exists():
            return ()
        found = []
        for name in _FILES:
            try:
                status = (self._folder / name).stat()
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
            except OSError:
                found.append((0, 0, 0))
        return tuple(found)

    def _there(self, segment: str) -> bool:
        return (self._chroma / segment).is_dir()

    def _read_notes(self) -> dict[str, _Note]:
        try:
            return _Notes.model_validate_json(read_sealed(self._notes)).graphs
        except (OSError, ValueError):
            return {}

    def _compare(self, folder: Path, noted: Mapping[str, str]) -> None:
        try:
            for name, crc in _checksums(folder):
                if noted.get(name) != crc:
                    raise self._damaged(f"{name} is not what was written")
        except OSError as error:
            raise self._damaged(f"{error.strerror or error}") from None

    def _damaged(self, why: str) -> GraphDamaged:
        return GraphDamaged(
            f"The graph of vectors of the library at {self._address} is damaged ({why}).",
            "Make it again from the records: 'assistant doctor --repair'.",
        )


def _checksums(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and CRC-32 of each file."""
    for name in _FILES:
        crc = 0
        with (folder / name).open("rb") as file:
            while piece := file.read(_PIECE):
                crc = zlib.crc32(piece, crc)
        yield name, f"{crc:08x}"


@contextmanager
def _place(chroma: Path, *, copied: bool) -> Iterator[Path]:
    if not copied:
        yield chroma
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(chroma, Path(folder) / "chroma")
        yield Path(folder) / "chroma"


_LOAD = """
import sys, chromadb
from chromadb.config import Settings
quiet = Settings(anonymized_telemetry=False)
held = chromadb.PersistentClient(sys.argv[1], settings=quiet).get_collection(
    sys.argv[2], embedding_function=None)
count, wrong = held.count(), False
for start in range(0, count, max(1, count // 20)):
    some = held.get(include=["embeddings"], limit=10, offset=start)["embeddings"]
    found = held.query(query_embeddings=some, n_results=1, include=["distances"])["distances"]
    wrong = wrong or any(not one or one[0] > 0.01 for one in found)
sys.exit(wrong)
"""
