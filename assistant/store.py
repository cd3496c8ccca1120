"""The Chroma collection: the truth about a library, asked through LlamaIndex's ChromaVectorStore.

A paper is one row a chunk, with the ids ``<paper id>#0``, ``#1``, …; the document is that piece
of the abstract, its vector that of the piece with the title before it, and the metadata is what
a person would filter by (title, year, venue, authors, source, doi, tags). The first row also
carries the rest of the record, in pieces that fit a Chroma Cloud value. The collection may lie
in a folder, on a Chroma server, or in Chroma Cloud, where one request finds by meaning and by
words (`assistant.hybrid`).

An embedded client does not see what another process adds, and two must not write at once, so a
folder is guarded: whoever asks holds a lock shared, whoever writes holds it alone for one batch,
and a client is opened anew when somebody else has written since.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from assistant.address import StoreAddress
from assistant.chunking import Chunk
from assistant.errors import LibraryError
from assistant.files import writable
from assistant.graph import DATABASE, SYNC_THRESHOLD, Graph
from assistant.hybrid import ROWS_PER_WRITE
from assistant.paper import Paper
from assistant.records import StoredPaper
from assistant.text import sentences

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from filelock import BaseFileLock
    from llama_index.vector_stores.chroma import ChromaVectorStore
    from tenacity import Retrying

__all__ = ["ChromaStore", "CollectionMissing", "Row", "collections", "drop_collections", "rows_of"]

Floats = NDArray[np.float32]

_ROWS_PER_CALL = 2000
_VALUE_BYTES = 3900
"""Of one metadata value; Chroma Cloud takes 4,096."""
_PIECES = 8
_AUTHORS = 60
_HNSW = {
    "space": "cosine",
    "ef_construction": 100,
    "ef_search": 200,
    "max_neighbors": 16,
    # what is not in the graph's file yet is put into it again by each process that opens it
    "batch_size": 100,
    "sync_threshold": SYNC_THRESHOLD,
}


class CollectionMissing(Exception):
    """There is no collection of this name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row to be written: a chunk of a paper."""

    id: str
    document: str
    metadata: dict[str, Any]
    vector: Floats


class ChromaStore:
    """One collection. Safe in several threads.

    Args:
        address: where it is.
        name: of the collection.
        described: recorded with a new collection.
        make: the collection if it does not exist.
        token: for a server or Chroma Cloud that wants one.
        given: the collection itself, where somebody else has opened it.
        writers: the lock of who writes to the folder; without it a doubtful graph is not tried.

    Raises:
        CollectionMissing: it does not exist, and is not to be made.
        GraphDamaged: see `assistant.graph`; all that asks or writes may raise it.
        LibraryError: a server does not answer, or refuses.
    """

    def __init__(
        self,
        address: StoreAddress,
        name: str,
        described: Mapping[str, str | int] | None = None,
        *,
        make: bool = False,
        token: str | None = None,
        given: Collection | None = None,
        writers: BaseFileLock | None = None,
    ) -> None:
        self.address, self.name = address, name
        self._described, self._token = dict(described or {}), token
        self._lock = threading.RLock()
        self._client: _Client | None = None
        self._opened: Collection | None = given
        self._version: object = None
        self._guard, self._writers = address.guard(), writers
        self._graph = Graph(address, name) if address.kind == "folder" else None
        self._wrote = False
        with self._guarded(writing=make):
            self._open(make=make)

    def close(self) -> None:
        """Lets go of the database's files or the connection."""
        with self._lock:
            self.settle()
            self._shut()

    def _shut(self) -> None:
        if self.address.kind != "given":
            self._opened = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ opening

    def _open(self, *, make: bool = False) -> Collection:
        from chromadb.errors import NotFoundError  # noqa: PLC0415

        if self._opened is not None:
            return self._opened
        client = self._client = _Client(self.address, self._token)
        try:
            with client.errors():
                self._opened = (
                    client.api.get_or_create_collection(
                        self.name,
                        embedding_function=None,
                        metadata=self._described or None,
                        **self._indexed(),
                    )
                    if make
                    else client.api.get_collection(self.name, embedding_function=None)
                )
        except NotFoundError:
            self.close()
            raise CollectionMissing(self.name) from None
        except BaseException:
            self.close()
            raise
        return self._opened

    def _indexed(self) -> dict[str, Any]:
        """How a new collection is indexed."""
        if not self.hybrid:
            return {"configuration": {"hnsw": _HNSW}}
        from assistant.hybrid import schema  # noqa: PLC0415

        return {"schema": schema([f"record_{n}" for n in range(_PIECES)])}

    @contextmanager
    def _guarded(self, *, writing: bool) -> Iterator[None]:
        with self._lock:
            try:
                if not writing:
                    self.examine()
                with self._held(writing=writing):
                    if writing:
                        self._examine_alone()
                        self._wrote = True
                    yield
            except BaseException as error:
                self._wrote = False  # what Chroma has written by now is in doubt
                # a client that has failed once (on a full disk) may never return when it is
                # asked again
                self.close()
                if not writing and self.address.kind == "folder" and _is_chromas(error):
                    if "is full" in str(error):
                        raise  # said with the room that there is (`LibraryFolder.errors`)
                    raise LibraryError(
                        f"The database of the library at {self.address} cannot be read: "
                        f"{_first_line(error)}.",
                        "If 'assistant doctor' calls it damaged, run 'assistant doctor --repair'.",
                    ) from error
                raise

    def _held(self, *, writing: bool) -> AbstractContextManager[object]:
        guard = self._guard
        if guard is None:
            return nullcontext()
        return guard.write_lock() if writing else guard.read_lock()

    # ------------------------------------------------------------------ the graph

    def examine(self) -> None:
        """Sees to it that the graph is what Chroma wrote; cheap where that is known.

        Raises:
            GraphDamaged: it is not.
        """
        from filelock import Timeout  # noqa: PLC0415

        with self._lock:
            if self._graph is None or self._wrote or self._graph.known:
                return
            with self._held(writing=False), ThreadPoolExecutor(1) as beside:
                looking = beside.submit(self._graph.look)
                import chromadb  # noqa: F401, PLC0415  as long as the files are being read

                state = looking.result()
            if state == "sound" or self._writers is None or self._guard is None:
                return
            try:
                self._writers.acquire(timeout=0)
            except (Timeout, OSError):
                return  # a writer is at work, and will note what it wrote
            try:
                with self._held(writing=True):
                    self._examine_alone()
                    self._open().count()  # has Chroma write what is due, while nobody else asks
                    self._graph.note()
            except BaseException:
                self._shut()
                raise
            finally:
                self._writers.release()

    def _examine_alone(self) -> None:
        """`examine` of who holds both locks."""
        if self._graph is None or self._wrote or self._graph.known:
            return
        if self._graph.look() == "unknown":
            self._shut()
            self._graph.try_it()
            self._graph.note()

    def settle(self) -> None:
        """Notes what Chroma has written of the graph; for a writer that is done."""
        with self._lock:
            if self._graph is not None and self._wrote and not self._graph.known:
                with self._held(writing=True), suppress(OSError):  # it will be tried instead
                    self._graph.note()
            self._wrote = False

    # ------------------------------------------------------------------ versions

    def fresh_for(self, version: object) -> None:
        """Opens the database anew if it was opened at another version: somebody has written."""
        with self._lock:
            if self.address.kind == "folder" and self._version not in (None, version):
                self.close()
            self._version = version

    def written_at(self, version: object) -> None:
        """Notes the version that this process itself has just made."""
        with self._lock:
            self._version = version

    @property
    def hybrid(self) -> bool:
        """Whether one request finds by meaning and by words, see `found`."""
        return self.address.kind == "cloud"

    @property
    def _rows_per_call(self) -> int:
        return ROWS_PER_WRITE if self.hybrid else _ROWS_PER_CALL

    # ------------------------------------------------------------------ asking

    def vector_store(self) -> ChromaVectorStore:
        """The collection as LlamaIndex's vector store, for any query engine or index."""
        from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

        with self._guarded(writing=False):
            return ChromaVectorStore(chroma_collection=self._open())

    def nearest(
        self, vector: Floats, most: int, where: Mapping[str, Any] | None = None
    ) -> list[str]:
        """Ids of the papers with the ``most`` chunks nearest to ``vector``, nearest first."""
        from llama_index.core.vector_stores.types import VectorStoreQuery  # noqa: PLC0415

        from assistant.nearest import NearestRows  # noqa: PLC0415

        query = VectorStoreQuery(query_embedding=vector.tolist(), similarity_top_k=most)
        options = {"where": dict(where)} if where else {}
        with self._guarded(writing=False):
            store = NearestRows(self._open())
            with _told(self.address):
                found = (
                    store.query(query, **options)
                    if self.address.kind == "folder"
                    else _patiently()(store.query, query, **options)
                )
        return list(dict.fromkeys(paper_of(row_id) for row_id in found.ids or []))

    def found(
        self,
        vector: Floats,
        words: Mapping[str, float],
        most: int,
        where: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Ids of papers near ``vector`` or with ``words`` (stem → weight), where `hybrid`."""
        from assistant.hybrid import search  # noqa: PLC0415

        with self._guarded(writing=False), _told(self.address):
            row_ids = search(self._open(), vector, words, most, where)
        return list(dict.fromkeys(map(paper_of, row_ids)))

    def __len__(self) -> int:
        """Rows held."""
        with self._guarded(writing=False), _told(self.address):
            return int(self._open().count())

    def dimension(self) -> int:
        """Of its vectors; 0 where there are none."""
        with self._guarded(writing=False), _told(self.address):
            found = self._open().get(limit=1, include=["embeddings"])["embeddings"]
            return 0 if found is None or not len(found) else len(found[0])

    def row_ids(self) -> list[str]:
        """Ids of all rows."""
        with self._guarded(writing=False), _told(self.address):
            collection, step = self._open(), ROWS_PER_WRITE if self.hybrid else 10_000
            found: list[str] = []
            while some := collection.get(include=[], limit=step, offset=len(found))["ids"]:
                found += some
                if len(some) < step:
                    break
            return found

    def read(self, paper_ids: Sequence[str]) -> Iterator[StoredPaper]:
        """The papers with these ids that are held whole, in that order."""
        step = max(1, self._rows_per_call // 10)
        for start in range(0, len(paper_ids), step):
            some = list(paper_ids[start : start + step])
            rows = self._get({"paper_id": {"$in": some}})
            for paper_id in some:
                whole = _whole(rows.get(paper_id, []))
                if whole is not None:
                    yield whole

    def changed_since(self, revision: int) -> Iterator[StoredPaper]:
        """The whole papers that were written at ``revision`` or later."""
        for rows in self._get({"revision": {"$gte": revision}}).values():
            whole = _whole(rows)
            if whole is not None:
                yield whole

    def _get(self, where: Mapping[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
        """Paper id → its rows: (id, document, metadata, vector)."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        offset, step = 0, self._rows_per_call
        with self._guarded(writing=False), _told(self.address):
            collection = self._open()
            while True:
                got = collection.get(
                    where=cast(Any, dict(where)),
                    limit=step,
                    offset=offset,
                    include=["documents", "metadatas", "embeddings"],
                )
                ids = got["ids"]
                fields = zip(
                    ids,
                    cast(Any, got["documents"]),
                    cast(Any, got["metadatas"]),
                    cast(Any, got["embeddings"]),
                    strict=True,
                )
                for row in fields:
                    found.setdefault(paper_of(row[0]), []).append(row)
                offset += len(ids)
                if len(ids) < step:
                    return found

    # ------------------------------------------------------------------ writing

    def upsert(self, rows: Sequence[Row]) -> None:
        """Adds rows or replaces them; those of one call are all written or none."""
        step = self._rows_per_call
        with self._guarded(writing=True), _told(self.address):
            collection = self._open()
            for start in range(0, len(rows), step):
                some = rows[start : start + step]
                collection.upsert(
                    ids=[row.id for row in some],
                    embeddings=cast(Any, np.stack([row.vector for row in some])),
                    documents=[row.document for row in some],
                    metadatas=cast(Any, [row.metadata for row in some]),
                )

    def delete(self, row_ids: Iterable[str]) -> None:
        """Deletes rows; unknown ids are passed over."""
        wanted, step = list(row_ids), self._rows_per_call
        with self._guarded(writing=True), _told(self.address):
            for start in range(0, len(wanted), step):
                self._open().delete(ids=wanted[start : start + step])


def _is_chromas(error: BaseException) -> bool:
    """Whether Chroma's own code failed, but for a collection that is not there."""
    from chromadb.errors import ChromaError, NotFoundError  # noqa: PLC0415

    return isinstance(error, ChromaError) and not isinstance(error, NotFoundError)


def paper_of(row_id: str) -> str:
    """The id of the paper that a row belongs to."""
    return row_id.rpartition("#")[0]


def rows_of(
    stored: StoredPaper, chunks: Sequence[Chunk], words: Mapping[str, Any] | None = None
) -> list[Row]:
    """The rows of one paper; its first carries ``words`` (`assistant.hybrid`)."""
    common = _common(stored.paper, stored.revision)
    rows = []
    for n, (chunk, vector) in enumerate(zip(chunks, stored.vectors, strict=True)):
        metadata = common | {"start": chunk.span.start, "end": chunk.span.end}
        if n == 0:
            metadata |= {"chunks": len(chunks)} | _record(stored.paper) | dict(words or {})
        body = stored.paper.abstract[chunk.span.start : chunk.span.end] or stored.paper.label
        rows.append(Row(f"{stored.paper.id}#{n}", body, metadata, vector))
    return rows


def _common(paper: Paper, revision: int) -> dict[str, Any]:
    """What every row of a paper carries: what is filtered by."""
    known: dict[str, Any] = {
        "paper_id": paper.id,
        "title": _cut(paper.label),
        "revision": revision,
        "year": paper.year,
        "venue": _cut(paper.venue) if paper.venue else None,
        "source": _cut(paper.source) if paper.source else None,
        "doi": paper.doi,
        "authors": [_cut(name, 60) for name in paper.authors[:_AUTHORS]] or None,
        "tags": [_cut(tag, 60) for tag in paper.tags[:_AUTHORS]] or None,
    }
    return {key: value for key, value in known.items() if value is not None}


def _cut(text: str, size: int = _VALUE_BYTES) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def _record(paper: Paper) -> dict[str, str]:
    """The record less what stands in the documents, in pieces of `_VALUE_BYTES`."""
    for left_out in ({"id", "abstract"}, {"id", "abstract", "original"}):
        text = paper.model_dump_json(exclude=left_out, exclude_defaults=True).encode()
        if len(text) <= _PIECES * _VALUE_BYTES:
            break
    else:
        short = paper.model_copy(update={"authors": paper.authors[:200], "original": {}})
        text = short.model_dump_json(exclude={"id", "abstract"}, exclude_defaults=True).encode()
    pieces: dict[str, str] = {}
    while text:
        piece = text[:_VALUE_BYTES].decode("utf-8", "ignore")
        pieces[f"record_{len(pieces)}"] = piece
        text = text[len(piece.encode()) :]
    return pieces


def _whole(rows: Sequence[tuple[Any, ...]]) -> StoredPaper | None:
    """The paper made of ``rows``, or None where any of them is missing or stale."""
    by_ordinal = {int(row[0].rpartition("#")[2]): row for row in rows}
    head = by_ordinal.get(0)
    if head is None:
        return None
    if "revision" not in head[2]:
        return _whole_of_version_1(by_ordinal)
    revision, chunks = int(head[2]["revision"]), int(head[2]["chunks"])
    kept = [by_ordinal.get(n) for n in range(chunks)]
    if any(row is None or int(row[2]["revision"]) != revision for row in kept):
        return None
    whole = cast(list[tuple[Any, ...]], kept)
    pieces = (head[2].get(f"record_{n}", "") for n in range(_PIECES))
    try:
        record = json.loads("".join(pieces))
        paper = Paper.model_validate(record | {"abstract": _abstract(whole)})
    except (ValueError, ValidationError):
        return None
    vectors = np.array([row[3] for row in whole], dtype=np.float32)
    return StoredPaper(paper, tuple(sentences(paper.abstract)), vectors, revision)


def _whole_of_version_1(rows: Mapping[int, tuple[Any, ...]]) -> StoredPaper | None:
    """The paper made of rows as the first version wrote them, to be embedded anew from."""
    head = rows[0][2]
    kept = [rows.get(n) for n in range(int(head["chunks"]))]
    if any(row is None or row[2].get("text_hash") != head["text_hash"] for row in kept):
        return None
    try:
        paper = Paper.model_validate_json(head["record"])
    except (KeyError, ValidationError):
        return None
    vectors = np.array([row[3] for row in kept if row is not None], dtype=np.float32)
    return StoredPaper(paper, tuple(sentences(paper.abstract)), vectors, 0)


def _abstract(rows: Sequence[tuple[Any, ...]]) -> str:
    """The abstract, put together from the documents; between them stands a space or nothing."""
    text = ""
    for _, document, metadata, _ in rows:
        if int(metadata["end"]) > int(metadata["start"]):
            text = text.ljust(int(metadata["start"])) + document
    return text


# ---------------------------------------------------------------------- the database


_OPENING = threading.Lock()
"""One embedded client is made at a time: see `_Client`."""


class _Client:
    """A Chroma client of its own: Chroma hands one embedded database out to all that name it,
    and such a one neither closes nor sees what another process has written.
    """

    def __init__(self, address: StoreAddress, token: str | None) -> None:
        import chromadb  # noqa: PLC0415
        from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415
        from chromadb.config import Settings as ChromaSettings  # noqa: PLC0415

        self._address = address
        quiet = ChromaSettings(anonymized_telemetry=False)
        with _OPENING if address.kind == "folder" else self.errors():
            try:
                if address.kind == "folder":
                    folder = str(self._readable(address.chroma))
                    self.api: ClientAPI = chromadb.PersistentClient(folder, settings=quiet)
                else:
                    self.api = self._connected(quiet, token)
            except Exception as error:
                _hang_up(error)
                raise
            finally:  # also where it fails: it would be handed out half-opened
                known = SharedSystemClient._identifier_to_system
                mine = {name: one for name, one in list(known.items()) if one.settings is quiet}
                for name in mine:
                    del known[name]
                    SharedSystemClient._identifier_to_refcount.pop(name, None)
                # of an owner that nobody closes: Chroma's memory is not Python's
                self._closed = weakref.finalize(self, _stop, list(mine.values()))

    def _connected(self, quiet: Any, token: str | None) -> ClientAPI:
        import chromadb  # noqa: PLC0415

        address = self._address
        if address.kind == "cloud":
            if not token:
                raise PermissionError
            from assistant.hybrid import make_patient  # noqa: PLC0415

            made = chromadb.CloudClient(
                tenant=address.tenant,
                database=address.database,
                api_key=token,
                settings=quiet,
                cloud_host=address.host,
                cloud_port=address.port,
                enable_ssl=address.ssl,
            )
            make_patient(cast(Any, made)._server._session)
            return made
        return chromadb.HttpClient(
            host=address.host,
            port=address.port,
            ssl=address.ssl,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            settings=quiet,
        )

    def _readable(self, folder: Path) -> Path:
        """``folder``, or a copy of it: Chroma writes where it is only asked something."""
        if writable(folder) or not folder.exists():
            return folder
        copied = Path(tempfile.mkdtemp(prefix="assistant-chroma-")) / "chroma"
        weakref.finalize(self, shutil.rmtree, copied.parent, ignore_errors=True)
        for file in (path for path in folder.rglob("*") if path.is_file()):
            target = copied / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        return copied

    def close(self) -> None:
        self._closed()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """What a server says, in one sentence."""
        with _told(self._address):
            yield


def _hang_up(error: BaseException) -> None:
    """Closes the connections of a client that failed while it was made: Chroma forgets them."""
    for frame, _ in walk_tb(error.__traceback__):
        made = frame.f_locals.get("self")
        for part in (made, getattr(made, "_server", None)):
            with suppress(Exception):
                cast(Any, part)._session.close()


def _stop(systems: Iterable[Any]) -> None:
    """Stops Chroma's systems (of a server there are two, one for its administration), with the
    connections that they would leave open.
    """
    for system in systems:
        for part in system._instances.values():
            with suppress(Exception):
                part._session.close()
        with suppress(Exception):
            system.stop()
        system._instances.clear()  # each holds the system: a circle


def _patiently() -> Retrying:
    """Asks again, for two seconds at most, while a server says that it has no index.

    A collection knows the dimension of its first rows a moment before it holds them, and a
    question within that moment fails.
    """
    from tenacity import (  # noqa: PLC0415
        Retrying,
        retry_if_exception_message,
        stop_after_delay,
        wait_random_exponential,
    )

    return Retrying(
        retry=retry_if_exception_message(match=r"(?s).*segment reader: Nothing found on disk"),
        wait=wait_random_exponential(0.02, 0.3),
        stop=stop_after_delay(2),
        reraise=True,
    )


@contextmanager
def _told(address: StoreAddress) -> Iterator[None]:
    """Turns what a server raises into one clear sentence; a folder's errors are the library's."""
    if address.kind == "folder":
        yield
        return
    import httpx  # noqa: PLC0415
    from chromadb.errors import (  # noqa: PLC0415
        AuthorizationError,
        ChromaAuthError,
        ChromaError,
        NotFoundError,
        QuotaError,
        RateLimitError,
    )

    try:
        yield
    except NotFoundError:
        raise
    except (QuotaError, RateLimitError) as error:
        raise LibraryError(
            f"{address} takes no more: {_first_line(error)}.",
            "Wait, ask for a higher quota, or move the library ('assistant library copy').",
        ) from None
    except (ChromaAuthError, AuthorizationError, PermissionError):
        raise LibraryError(
            f"The Chroma server at {address} wants a token, or another than was given.",
            "Set ASSISTANT_STORE_TOKEN to a token that may read and write there.",
        ) from None
    except (httpx.HTTPError, ValueError, ConnectionError) as error:
        raise LibraryError(
            f"The Chroma server at {address} does not answer: {_first_line(error)}.",
            "Start it ('chroma run'), or correct ASSISTANT_STORE.",
        ) from None
    except Exception as error:
        # what a server says that is none of Chroma's own errors is raised as a bare Exception
        if not isinstance(error, ChromaError) and type(error) is not Exception:
            raise
        raise LibraryError(
            f"The Chroma server at {address} fails: {_first_line(error)}.",
            "Try again; its own log says more.",
        ) from None


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__


def collections(
    address: StoreAddress, token: str | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """The collections at ``address``, with what was recorded with each; none where is nothing."""
    if address.kind == "folder" and not (address.chroma / DATABASE).is_file():
        return []
    client = _Client(address, token)
    try:
        with client.errors():
            found = client.api.list_collections()
        return [(one.name, dict(one.metadata or {})) for one in found]
    finally:
        client.close()


def drop_collections(address: StoreAddress, names: Iterable[str], token: str | None = None) -> None:
    """Deletes collections and, in a folder, all graphs of none, which Chroma leaves behind."""
    from chromadb.errors import NotFoundError  # noqa: PLC0415

    client = _Client(address, token)
    try:
        for name in names:
            with client.errors(), suppress(NotFoundError):
                client.api.delete_collection(name)
    finally:
        client.close()
    if address.kind == "folder":
        _drop_graphs(address.chroma)


def _drop_graphs(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        used = {str(row[0]) for row in database.execute("SELECT id FROM segments")}
    for graph in folder.iterdir():
        if graph.is_dir() and graph.name not in used:
            shutil.rmtree(graph, ignore_errors=True)
