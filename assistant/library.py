"""The library: papers with their vectors, in one Chroma collection and one local database.

Promises: a paper is in the library whole or not at all, whatever interrupts the writing. Readers
need no lock and see a finished state; they notice newer papers without being started again,
whoever added them. A local database that is lost, damaged, or behind because a writer was
killed, is mended from the collection by the next process. What lies where: `assistant.folder`.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from assistant.address import StoreAddress
from assistant.chunking import chunk_paper
from assistant.errors import (
    LibraryError,
    LibraryLocked,
    LibraryMismatch,
    LibraryNotFound,
    PaperNotFound,
)
from assistant.files import writable
from assistant.filters import Filters
from assistant.folder import LibraryFolder, LibraryInfo
from assistant.graph import NOTES, Graph, GraphDamaged
from assistant.identity import KnownPapers
from assistant.paper import Paper, normalised_title
from assistant.records import Records, RecordsDamaged, StoredPaper
from assistant.results import IngestReport, Rejection
from assistant.retrieved import Statistics
from assistant.settings import Settings
from assistant.statistics import LibraryStatistics
from assistant.text import sentences

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection
    from llama_index.vector_stores.chroma import ChromaVectorStore

    from assistant.chunking import Chunk
    from assistant.embedding import Embedder
    from assistant.store import ChromaStore

__all__ = ["Library", "LibraryInfo"]

T = TypeVar("T")

BATCH = 128
"""Papers embedded and written together: what a kill can lose, and what memory holds."""
MAX_ABSTRACT = 50_000
"""Characters; what is longer is a full text, not an abstract."""
TITLE_REPEATS = 2
"""Times that BM25 counts a title (measured, see eval/)."""
CUTTING = 3
"""Version of `assistant.chunking` and of the rows; raised with their results, but not for a rare
sentence that is cut otherwise: a library keeps the cuts that it was made with."""
MENDED_AT_ONCE = 3000
"""Papers of which a damaged graph is made again by whoever finds it (a minute, embedded here)."""
_FOLLOW_SECONDS = 2.0
"""A server is asked for what is new at most so often."""
_SKEW = 60_000_000
"""Microseconds by which the clocks of several writers may differ."""


class Library:
    """A set of papers with its index.

    Args:
        settings: where it is, and how it is chunked.
        embedder: gives the embedding model; called when it is first needed.
        notify: told in one line about a wait or a repair.
        store: a LlamaIndex Chroma vector store that is to hold it, instead of the settings'.

    One object may be used from several threads, and one library by several processes.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Callable[[], Embedder],
        notify: Callable[[str], None] | None = None,
        store: ChromaVectorStore | None = None,
    ) -> None:
        self._given: Collection | None = None if store is None else store.client
        self.address = (
            StoreAddress.parse(settings.store, settings.library, settings.cache)
            if self._given is None
            else StoreAddress.given(str(self._given.id), settings.cache)
        )
        self.path: Path = self.address.folder
        self._settings = settings
        self._embedder = embedder
        self._notify = notify or (lambda _: None)
        self._folder = LibraryFolder(self.path)
        self._lock = threading.RLock()
        self._records: Records | None = None
        self._file: tuple[int, int] | None = None
        self._store: ChromaStore | None = None
        self._statistics: LibraryStatistics | None = None
        self._followed = 0.0
        self._warned = False
        self._checked: LibraryInfo | None = None

    @property
    def _token(self) -> str | None:
        token = self._settings.store_token
        return token.get_secret_value() if token else None

    # ------------------------------------------------------------------ reading

    @property
    def info(self) -> LibraryInfo | None:
        """What the library was filled with; None where there is no library yet."""
        return self._folder.info()

    def left(self) -> LibraryInfo | None:
        """What a library in a folder was filled with of which only the local database of the
        model and the chunking of the settings is left; None where that is not there.
        """
        if self.address.kind != "folder" or not any(self.path.glob(f"{self._prefix}*.sqlite")):
            return None
        wanted = self._wanted_info()
        return wanted if self._folder.database(wanted.collection).is_file() else None

    def ready(self, *, check: bool = True) -> Records:
        """The local database of the library, whole and up to date.

        Args:
            check: that the library was filled with the embedding model and the chunking of
                the settings, and holds a paper; listing papers does not depend on it.

        Raises:
            LibraryNotFound: there is no library, or (with ``check``) no paper in it.
            LibraryMismatch: see ``check``.
            LibraryError: it has to be mended, and cannot be.
        """
        with self._lock:
            info = self._folder.info()
            if info is None:
                info = self._found_or_raise()
            elif not info.dimension:
                info = self._measured(info)
            if check:
                self._check(info)
            records = self._mended(info)
            if check and records.empty:
                raise LibraryNotFound(
                    f"The library at {self.address} holds no paper yet.",
                    "Add papers with 'assistant ingest FILE'.",
                )
            return records

    def asked(self, work: Callable[[Records], T], *, check: bool = False) -> T:
        """What ``work`` makes of the local database; it is mended first where it is damaged.

        Raises:
            LibraryError: as `ready`.
        """
        with self._folder.errors():
            try:
                return work(self.ready(check=check))
            except RecordsDamaged as damage:
                self.repair(str(damage))
            return work(self.ready(check=check))

    def repair(self, why: str) -> None:
        """Makes the local database again from the collection.

        Raises:
            LibraryError: the collection is missing, or nothing can be written.
        """
        info = self._folder.info() or self._found_or_raise()
        with self._lock, self._locked():
            self.close()
            self._notify(f"the local database is damaged ({why})")
            _unlink(self._folder.database(info.collection))
            self._rebuilt(info)

    def rescue(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Makes a lost or damaged collection again from the local database; returns the papers.

        Every paper is embedded anew. What is left of the old collection is moved aside, never
        removed.

        Raises:
            LibraryError: the library is on a server, or the local database is gone, too.
        """
        info = self._folder.info() or self.left()
        if self.address.kind != "folder" or info is None:
            raise LibraryError(
                f"The library at {self.address} cannot be made again from here.",
                "Restore it from a copy, or ingest the papers again.",
            )
        with self._lock, self._locked(), self._folder.errors():
            try:
                papers = list(self._opened(info, make=False).papers())
            except RecordsDamaged as damage:
                raise LibraryError(
                    f"Both databases of the library at {self.address} are damaged ({damage}).",
                    "Restore the folder from a copy, or ingest the papers again.",
                ) from None
            self.close()
            wanted = self._wanted_info()
            self._collection_anew(wanted, papers, on_progress or (lambda _done, _all: None))
            # the records go last, and are made of what is new
            self._folder.save_info(wanted)
            for name in {info.collection, wanted.collection}:
                _unlink(self._folder.database(name))
            self._rebuilt(wanted)
            self.close()
        return len(papers)

    def _collection_anew(
        self, info: LibraryInfo, papers: Sequence[Paper], tell: Callable[[int, int], None]
    ) -> None:
        """Puts a collection that is made of ``papers`` in the place of the damaged one."""
        from assistant.store import ChromaStore, rows_of  # noqa: PLC0415

        making = StoreAddress("folder", self.path / "chroma.making")
        shutil.rmtree(making.folder, ignore_errors=True)
        making.folder.mkdir()
        with ChromaStore(making, info.collection, info.model_dump(), make=True) as store:
            for done, batch in enumerate(_batches(papers)):
                tell(done * BATCH, len(papers))
                rows = embedded(batch, self._embedder(), info.chunk_tokens)
                store.upsert([row for stored, cut in rows for row in rows_of(stored, cut)])
        # until here nothing has changed
        if self.address.chroma.exists():
            self.address.chroma.rename(self.path / f"chroma.damaged-{time.time_ns()}")
        making.chroma.rename(self.address.chroma)
        with suppress(FileNotFoundError):  # of a small library Chroma has written no graph yet
            (making.folder / NOTES).replace(self.path / NOTES)
        shutil.rmtree(making.folder, ignore_errors=True)

    def _mend_graph(self, info: LibraryInfo, damage: GraphDamaged) -> None:
        """Makes a damaged graph again, where that takes no longer than a person waits.

        Raises:
            GraphDamaged: it takes longer, costs money, or may not be done here.
        """
        if self._store is not None:
            self._store.close()
            self._store = None
        local = self._settings.embedding.provider == "minilm" and writable(self.path)
        if not local or info.fingerprint != self._wanted_info().fingerprint:
            raise damage
        with self._locked(), self._folder.errors():
            with suppress(GraphDamaged):
                # a killed writer's is unknown, and has just been tried without success
                if Graph(self.address, info.collection).look() != "unknown":
                    return  # another process was faster
            try:
                records = self._opened(info, make=False)
                papers = list(records.papers()) if len(records) <= MENDED_AT_ONCE else []
            except RecordsDamaged:
                papers = []
            if not papers:
                raise damage
            self._notify(f"{damage.what} Making it again from the records…")
            self._collection_anew(info, papers, lambda _done, _all: None)
            records.touch()

    def store(self) -> ChromaStore:
        """The collection, as it is at this moment.

        Raises:
            LibraryError: it cannot be opened.
        """
        return self.store_of(self.ready(check=False))

    def store_of(self, records: Records) -> ChromaStore:
        """The collection that ``records`` (of `ready`) mirror, as it is at this moment."""
        info = self._folder.info()
        if info is None:  # pragma: no cover - `ready` has just seen it
            raise LibraryNotFound(f"There is no library at {self.address} yet.")
        with self._lock, self._folder.errors():
            return self._opened_store(info, records)

    def __len__(self) -> int:
        try:
            return len(self.ready(check=False))
        except LibraryNotFound:
            return 0

    def papers(self) -> Iterator[Paper]:
        """All papers, in the order in which they came; none where there is no library."""
        try:
            places = self.asked(lambda records: records.all_places().tolist())
        except LibraryNotFound:
            return
        for start in range(0, len(places), BATCH):
            some = places[start : start + BATCH]
            yield from self.asked(lambda records, some=some: list(records.papers(some)))  # type: ignore[misc]

    def chosen(self, words: str = "", filters: Filters | None = None) -> Iterator[Paper]:
        """The papers that hold all of ``words`` somewhere in their record, and fit ``filters``, in
        the order in which they came: no ranking, no index.
        """
        wanted = words.casefold().split()
        for paper in self.papers():
            if paper.has_words(wanted) and (not filters or filters.fits(paper)):
                yield paper

    def paper(self, name: str) -> Paper:
        """The paper with this id, DOI, arXiv id or title (loose about case and punctuation).

        Raises:
            PaperNotFound: there is none, or several papers have the title.
        """
        return self.get([self.asked(lambda records: _named(records, name))])[0]

    def get(self, ids: Sequence[str]) -> list[Paper]:
        """The papers with these ids, in that order; unknown ones are left out."""

        def read(records: Records) -> list[Paper]:
            places = records.places(ids)
            return list(records.papers([places[i] for i in ids if i in places]))

        return self.asked(read)

    @property
    def statistics(self) -> Statistics:
        """What the library knows of its words, as it is at this moment."""
        return self.statistics_of(self.ready(check=False))

    def statistics_of(self, records: Records) -> LibraryStatistics:
        """What ``records`` (of `ready`) know of their words; made once for a version."""
        with self._lock:
            if self._statistics is None or not self._statistics.is_of(records):
                self._statistics = LibraryStatistics(records)
            return self._statistics

    def vocabulary(self) -> dict[str, int]:
        """Stem → papers that hold it."""
        return self.asked(lambda records: records.vocabulary())

    @property
    def version(self) -> str:
        """Changes with every change of the papers; for keeping what is made of them all."""
        records = self.ready(check=False)
        return f"{records.path.stem}/{records.version}"

    def vectors(self) -> tuple[list[str], NDArray[np.float32]]:
        """Ids of all papers, and (papers, dimension) unit means of their chunks."""
        return self.asked(lambda records: records.means())

    def sentence_vectors(self, records: Records, place: int) -> NDArray[np.float32]:
        """(sentences, dimension) of the paper at ``place``; made now where they are missing."""
        vectors = records.sentence_vectors(place)
        if vectors is None:
            paper, spans = records.stored([place])[place]
            texts = [paper.abstract[start:end] for start, end in spans]
            if not texts:
                return np.zeros((0, records.dimension), np.float32)
            vectors = self._embedder().embed(texts)
            with suppress(Exception):  # keeping it is a convenience
                records.keep_sentence_vectors(place, vectors)
                kept = records.sentence_vectors(place)  # rounded: as every later question reads
                vectors = vectors if kept is None else kept
        return vectors

    def close(self) -> None:
        """Lets go of the files; the next use opens them again."""
        with self._lock:
            if self._records is not None:
                self._records.close()
            if self._store is not None:
                self._store.close()
            self._records = self._store = self._statistics = self._file = None

    # ------------------------------------------------------------------ writing

    def ingest(
        self,
        records: Iterable[Paper | Rejection],
        on_progress: Callable[[IngestReport], None] | None = None,
    ) -> IngestReport:
        """Adds papers, updates those that changed, and reports what it did.

        Interrupted (KeyboardInterrupt included), it keeps every whole batch; the same call
        again finishes the job.

        Args:
            records: what the readers yield; rejections go into the report.
            on_progress: called with the report so far, after each batch and each 500 records.

        Raises:
            LibraryLocked, LibraryMismatch, LibraryError.
        """
        started = time.monotonic()
        report = IngestReport()

        def tell() -> None:
            report.seconds = time.monotonic() - started
            if on_progress is not None:
                on_progress(report)

        with self._writing() as (database, store):
            known = KnownPapers(database.names(), lambda paper_id: self.get([paper_id])[0])
            for batch in _batches(_new_papers(records, known, report, tell)):
                latest = {paper.id: paper for paper in batch}  # a paper may come again, richer
                added, updated = self._write(database, store, list(latest.values()))
                report.added += added
                report.updated += updated + len(batch) - len(latest)
                tell()
        tell()
        return report

    def remove(self, names: Sequence[str]) -> list[Paper]:
        """Removes papers, named as `paper` takes them, everywhere; returns them.

        Raises:
            PaperNotFound: one of the names fits no paper; nothing is removed then.
        """
        self.ready(check=False)  # says what is wrong, and makes no library where there is none
        with self._writing(check=False) as (database, store):
            ids = list(dict.fromkeys(_named(database, name) for name in names))
            papers = self.get(ids)
            with self._folder.errors():
                database.mark(ids, gone=True)  # all: a removal that has begun is finished
                self._take_out(database, store, ids)
                store.written_at(database.version)
        return papers

    def reindex(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Embeds every paper again with the model and chunking of the settings.

        The old collection stays in use until the new one is whole; interrupted, the same call
        goes on where it stopped. ``on_progress`` is told (papers done, papers in all). Returns
        the number of papers.
        """
        self.ready(check=False)  # says what is wrong, and makes no library where there is none
        tell = on_progress or (lambda _done, _all: None)
        with self._lock, self._locked():
            old_info = self._folder.info() or self._found_or_raise()
            wanted = self._wanted_info()
            papers = list(self._mended(old_info).papers())
            self._fill_anew(wanted, papers, tell, redo=wanted == old_info)
            self._folder.save_info(wanted)
            self.close()
            self._drop_others(wanted.collection, old_info.collection)
        tell(len(papers), len(papers))
        return len(papers)

    def _drop_others(self, kept: str, old: str) -> None:
        """Drops the collection ``old``, if it is not ``kept``; in a folder also what a reindex
        that was killed has left of others.
        """
        from assistant.store import collections, drop_collections  # noqa: PLC0415

        with self._folder.errors():
            there = collections(self.address) if self.address.kind == "folder" else ()
            names = {old, *(n for n, _ in there if n.startswith(self._prefix))} - {kept}
            if names or self.address.kind == "folder":
                drop_collections(self.address, names, self._token)
            for name in names:
                _unlink(self._folder.database(name))

    def copy_to(self, other: Library, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Writes every paper with its vectors into ``other``, wherever that is; returns how many.

        What ``other`` holds of the same papers is replaced; its other papers stay. Interrupted,
        the same call goes on: papers that are there already are passed over.

        Raises:
            LibraryMismatch: ``other`` is filled by another model or chunking.
            LibraryError: one of them cannot be read or written.
        """
        tell = on_progress or (lambda _done, _all: None)
        ids = self.ready().ids()
        store, tokens = self.store(), self._settings.chunking.max_tokens
        count_tokens = self._embedder().count_tokens
        with other._writing() as (records, theirs):
            for start in range(0, len(ids), BATCH):
                tell(start, len(ids))
                some = ids[start : start + BATCH]
                held = {p.id: p.content_hash for p in other.get(some)}
                rows = [
                    (stored, chunk_paper(stored.paper, stored.spans, count_tokens, tokens))
                    for stored in store.read(some)
                    if held.get(stored.paper.id) != stored.paper.content_hash
                ]
                with other._folder.errors():
                    other._store_batch(records, theirs, rows)
        tell(len(ids), len(ids))
        return len(ids)

    # ------------------------------------------------------------------ inside: opening

    def _wanted_info(self) -> LibraryInfo:
        """What the settings would fill a library with."""
        embedder = self._embedder()
        tokens = self._settings.chunking.max_tokens
        fingerprint = f"{embedder.fingerprint}/chunks-{tokens}/{CUTTING}"
        digest = hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        return LibraryInfo(
            collection=f"{self._prefix}{digest}",
            fingerprint=fingerprint,
            embedding=embedder.name,
            chunk_tokens=tokens,
            dimension=embedder.dimension,
        )

    @property
    def _prefix(self) -> str:
        """What the names of this library's collections begin with; on a server it has a name."""
        if self.address.kind == "folder":
            return "papers-"
        name = "".join(c if c.isalnum() else "-" for c in self._settings.library.name)
        return f"papers.{name[:64]}."

    def _check(self, info: LibraryInfo) -> None:
        if info == self._checked:
            return
        wanted = self._wanted_info()
        if info.fingerprint == wanted.fingerprint:
            self._checked = info
            return
        then, now = str(info), str(wanted)
        if then == now:  # another version of the same model
            then, now = f"{then} ({info.fingerprint})", f"{now} ({wanted.fingerprint})"
        raise LibraryMismatch(
            f"The library at {self.address} was filled with {then}; the settings now say {now}.",
            "Set the former again, or embed all papers anew: 'assistant ingest --reindex'.",
        )

    def _found_or_raise(self) -> LibraryInfo:
        """`LibraryInfo` from the collections that there are, written down.

        Raises:
            LibraryNotFound: there is none.
        """
        found: list[LibraryInfo] = []
        if self._given is not None and len(self._opened_store(self._wanted_info())):
            found = [self._wanted_info()]
        with self._folder.errors():
            from assistant.store import collections  # noqa: PLC0415

            elsewhere = self._given is None
            for name, described in collections(self.address, self._token) if elsewhere else ():
                with suppress(ValidationError):
                    if name.startswith(self._prefix):
                        found.append(LibraryInfo.model_validate(described))
        if not found and (left := self.left()):
            found = [left]
        if not found:
            raise LibraryNotFound(
                f"There is no library at {self.address} yet.",
                "Add papers with 'assistant ingest FILE', or see one at work: 'assistant demo'.",
            )
        wanted = self._wanted_info().fingerprint
        info = next((i for i in found if i.fingerprint == wanted), found[-1])
        with self._locked():
            if self.address.kind == "folder":
                self._notify("library.json was missing, and is made again from the database…")
            self._folder.save_info(info)
        return info

    def _measured(self, info: LibraryInfo) -> LibraryInfo:
        """``info`` of a library that the first version wrote, with the length of its vectors."""
        with self._locked(), self._folder.errors():
            dimension = self._opened_store(info).dimension()
            info = info.model_copy(update={"dimension": dimension or self._embedder().dimension})
            self._folder.save_info(info)
        return info

    def _opened(self, info: LibraryInfo, *, make: bool) -> Records:
        """The local database, opened once; anew where another process has replaced it.

        Raises:
            RecordsDamaged: it is missing or damaged.
        """
        path = self._folder.database(info.collection)
        with suppress(OSError):
            status = path.stat()
            if self._records is not None and self._file == (status.st_dev, status.st_ino):
                return self._records
        if self._records is not None:
            self.close()
        self._records = Records(path, info.dimension, title_repeats=TITLE_REPEATS, make=make)
        status = path.stat()
        self._file = status.st_dev, status.st_ino
        return self._records

    def _mended(self, info: LibraryInfo) -> Records:
        """The local database: rebuilt, caught up, or simply opened."""
        with self._folder.errors():
            try:
                records = self._opened(info, make=False)
                pending = records.pending
            except RecordsDamaged:
                with self._locked():
                    return self._rebuilt(info)
            if pending:
                self._try_to_catch_up(records, info)
            if self.address.kind != "folder":
                self._follow(records, info)
            return records

    def _rebuilt(self, info: LibraryInfo) -> Records:
        """The local database made again from the collection; the lock must be held."""
        from assistant.store import paper_of  # noqa: PLC0415

        with suppress(RecordsDamaged):
            return self._opened(info, make=False)  # another process was faster
        store = self._opened_store(info)
        self._notify("making the local database again…")
        part = self._folder.path / f"{info.collection}.part"
        _unlink(part)
        with Records(part, info.dimension, title_repeats=TITLE_REPEATS, make=True) as made:
            ids = list(dict.fromkeys(map(paper_of, store.row_ids())))
            for start in range(0, len(ids), BATCH):
                made.put(store.read(ids[start : start + BATCH]))
            made.settle_journal()
        path = self._folder.database(info.collection)
        _unlink(path)
        part.replace(path)
        return self._opened(info, make=False)

    def _try_to_catch_up(self, records: Records, info: LibraryInfo) -> None:
        """Mends what a killed writer left, where nobody writes and this process may."""
        try:
            with self._locked(wait=False), self._folder.errors():
                self._catch_up(records, info, records.pending)
        except LibraryLocked:
            pass  # it is not dead
        except LibraryError as error:
            if not self._warned:
                self._warned = True
                self._notify(
                    f"{error.what} Papers that were added last may be missing from what you see."
                )

    def _catch_up(self, records: Records, info: LibraryInfo, ids: Sequence[str]) -> None:
        """What the collection holds of papers that a killed writer was changing."""
        if not ids:
            return
        store = self._opened_store(info, records)
        if going := records.going:
            self._take_out(records, store, going)
            ids = [paper_id for paper_id in ids if paper_id not in set(going)]
        whole = {stored.paper.id: stored for stored in store.read(ids)}
        if whole:
            records.put(whole.values())
        self._trim(store, whole.values())
        records.remove([paper_id for paper_id in ids if paper_id not in whole])

    @staticmethod
    def _take_out(records: Records, store: ChromaStore, ids: Sequence[str]) -> None:
        """Removes papers that are marked as going: from the collection, then from here."""
        held = records.revisions(ids)
        store.delete(f"{i}#{n}" for i, (chunks, _) in held.items() for n in range(chunks))
        records.remove(ids)

    def _follow(self, records: Records, info: LibraryInfo) -> None:
        """Takes in what other machines have written to the server since."""
        from assistant.store import paper_of  # noqa: PLC0415

        if time.monotonic() - self._followed < _FOLLOW_SECONDS:
            return
        store = self._opened_store(info)
        changed = list(store.changed_since(records.last_revision - _SKEW))
        known = records.revisions([stored.paper.id for stored in changed])
        newer = [s for s in changed if known.get(s.paper.id, (0, 0))[1] != s.revision]
        if newer:
            records.put(newer)
        if len(store) != records.chunks:
            ids = list(dict.fromkeys(map(paper_of, store.row_ids())))
            there = set(ids)
            held = records.revisions()
            if gone := [paper_id for paper_id in held if paper_id not in there]:
                records.remove(gone)
            if missing := [paper_id for paper_id in ids if paper_id not in held]:
                records.put(store.read(missing))
        self._followed = time.monotonic()

    def _opened_store(
        self, info: LibraryInfo, records: Records | None = None, *, make: bool = False
    ) -> ChromaStore:
        """The collection: what ``records`` mirror, if given; a damaged graph is mended first."""
        with self._lock:
            try:
                return self._sound_store(info, records, make=make)
            except GraphDamaged as damage:
                self._mend_graph(info, damage)
            return self._sound_store(info, records, make=make)

    def _sound_store(
        self, info: LibraryInfo, records: Records | None, *, make: bool
    ) -> ChromaStore:
        from assistant.store import ChromaStore, CollectionMissing  # noqa: PLC0415

        if self._store is None or self._store.name != info.collection:
            if self._store is not None:
                self._store.close()
            try:
                self._store = ChromaStore(
                    self.address,
                    info.collection,
                    info.model_dump(),
                    make=make,
                    token=self._token,
                    given=self._given,
                    writers=self._folder.writers,
                )
            except CollectionMissing:
                raise LibraryError(
                    f"The database of the library at {self.address} is missing.",
                    "Run 'assistant doctor --repair', restore its folder from a copy, or remove it "
                    "and ingest the papers again.",
                ) from None
        if records is not None:
            self._store.fresh_for(records.version)
        self._store.examine()
        return self._store

    @contextmanager
    def _locked(self, *, wait: bool = True) -> Iterator[None]:
        with self._folder.locked(self._settings.lock.timeout if wait else 0, self._notify):
            try:
                yield
            finally:
                if self._store is not None:
                    self._store.settle()

    @contextmanager
    def _writing(self, *, check: bool = True) -> Iterator[tuple[Records, ChromaStore]]:
        """The database and the collection, under the lock; made where there are none."""
        with self._locked():
            with self._lock, self._folder.errors():
                try:
                    info = self._folder.info() or self._found_or_raise()
                except LibraryNotFound:
                    info = self._wanted_info()
                    # the collection first: what is written down is there
                    self._opened_store(info, make=True)
                    self._opened(info, make=True)
                    self._folder.save_info(info)
                if check:
                    self._check(info)
                records = self._mended(info)
                self._catch_up(records, info, records.pending)
                store = self._opened_store(info, records, make=not len(records))
            yield records, store
            with suppress(RecordsDamaged, sqlite3.Error):  # else it is as large as the last writes
                records.settle_journal()

    # ------------------------------------------------------------------ inside: writing

    def _write(
        self, records: Records, store: ChromaStore, papers: Sequence[Paper]
    ) -> tuple[int, int]:
        """Stores ``papers``, embedding those whose text is new; returns (added, changed)."""
        rows = self._rows(records, store, papers)
        held = records.places([paper.id for paper in papers])
        with self._folder.errors():
            self._store_batch(records, store, rows)
        return len(papers) - len(held), len(held)

    def _store_batch(
        self,
        records: Records,
        store: ChromaStore,
        rows: Sequence[tuple[StoredPaper, Sequence[Chunk]]],
    ) -> None:
        """The mark, the collection, the local database: in this order, each whole."""
        from assistant.hybrid import paper_words  # noqa: PLC0415
        from assistant.store import rows_of  # noqa: PLC0415

        papers = [stored for stored, _ in rows]
        known = records.places([stored.paper.id for stored in papers])
        records.mark([stored.paper.id for stored in papers])
        words = partial(paper_words, title_repeats=TITLE_REPEATS) if store.hybrid else None
        store.upsert(
            [
                row
                for stored, chunks in rows
                for row in rows_of(stored, chunks, words(stored.paper) if words else None)
            ]
        )
        self._trim(store, [s for s in papers if s.paper.id in known], records)
        records.put(papers)
        store.written_at(records.version)

    def _trim(
        self, store: ChromaStore, papers: Iterable[StoredPaper], records: Records | None = None
    ) -> None:
        """Deletes the rows that older, longer versions of ``papers`` left."""
        papers = list(papers)
        ids = [stored.paper.id for stored in papers]
        before = records.revisions(ids) if records is not None else {}
        gone = [
            f"{stored.paper.id}#{n}"
            for stored in papers
            for n in range(
                len(stored.vectors), before.get(stored.paper.id, (len(stored.vectors) + 64, 0))[0]
            )
        ]
        if gone:
            store.delete(gone)

    def _rows(
        self, records: Records, store: ChromaStore, papers: Sequence[Paper]
    ) -> list[tuple[StoredPaper, list[Chunk]]]:
        """``papers`` cut; vectors of those with a known text are taken from the collection."""
        held = {paper.id: paper for paper in self.get([paper.id for paper in papers])}
        same = [p.id for p in papers if p.id in held and held[p.id].text_hash == p.text_hash]
        known = {stored.paper.id: stored for stored in store.read(same)} if same else {}
        tokens = self._settings.chunking.max_tokens
        new = embedded([p for p in papers if p.id not in known], self._embedder(), tokens)
        by_id = {stored.paper.id: (stored, chunks) for stored, chunks in new}
        for paper in papers:
            old = known.get(paper.id)
            if old is not None:
                chunks = chunk_paper(paper, old.spans, self._embedder().count_tokens, tokens)
                place = records.places([paper.id])[paper.id]
                vectors = records.sentence_vectors(place)
                by_id[paper.id] = (
                    StoredPaper(paper, old.spans, old.vectors, _now(), vectors),
                    chunks,
                )
        return [by_id[paper.id] for paper in papers]

    def _fill_anew(
        self,
        info: LibraryInfo,
        papers: Sequence[Paper],
        tell: Callable[[int, int], None],
        *,
        redo: bool,
    ) -> None:
        """Makes the collection of ``info`` hold ``papers``, embedding what it does not hold yet."""
        self.close()
        with self._folder.errors():
            store = self._opened_store(info, make=True)
            try:
                records = self._opened(info, make=True)
            except RecordsDamaged:
                _unlink(self._folder.database(info.collection))
                records = self._opened(info, make=True)
            held = {} if redo else {paper.id: paper for paper in records.papers()}
            todo = [paper for paper in papers if held.get(paper.id) != paper]
            wanted = {paper.id for paper in papers}
            self._catch_up(records, info, records.pending)
        done = len(papers) - len(todo)
        for batch in _batches(todo):
            tell(done, len(papers))
            rows = embedded(batch, self._embedder(), info.chunk_tokens)
            with self._folder.errors():
                self._store_batch(records, store, rows)
            done += len(batch)
        gone = [paper_id for paper_id in records.ids() if paper_id not in wanted]
        with self._folder.errors():
            records.mark(gone, gone=True)
            self._take_out(records, store, gone)


def embedded(
    papers: Sequence[Paper], embedder: Embedder, chunk_tokens: int
) -> list[tuple[StoredPaper, list[Chunk]]]:
    """``papers`` cut, and their chunks embedded in one go."""
    spans = [tuple(sentences(paper.abstract)) for paper in papers]
    chunks = [
        chunk_paper(paper, of_paper, embedder.count_tokens, chunk_tokens)
        for paper, of_paper in zip(papers, spans, strict=True)
    ]
    texts = [chunk.text for of_paper in chunks for chunk in of_paper]
    if not texts:
        return []
    vectors, revision, start = embedder.embed(texts), _now(), 0
    rows: list[tuple[StoredPaper, list[Chunk]]] = []
    for paper, of_paper, cut in zip(papers, spans, chunks, strict=True):
        block = vectors[start : start + len(cut)]
        rows.append((StoredPaper(paper, of_paper, block, revision), cut))
        start += len(cut)
    return rows


def _now() -> int:
    """Microseconds since 1970: the revision of what is written now."""
    return time.time_ns() // 1000


def _unlink(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _new_papers(
    records: Iterable[Paper | Rejection],
    known: KnownPapers,
    report: IngestReport,
    tell: Callable[[], None],
) -> Iterator[Paper]:
    """Those of ``records`` that have to be written; all are counted in ``report``."""
    for record in records:
        if isinstance(record, Rejection):
            report.rejected.append(record)
            continue
        if len(record.abstract) > MAX_ABSTRACT:
            report.rejected.append(_too_long(record))
            continue
        report.read += 1
        if report.read % 500 == 0:
            tell()
        decision = known.place(record)
        match decision.verdict:
            case "unchanged":
                report.unchanged += 1
            case "duplicate":
                report.duplicates += 1
            case _:
                yield decision.paper


def _batches(papers: Iterable[Paper]) -> Iterator[list[Paper]]:
    rest = iter(papers)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _named(records: Records, name: str) -> str:
    """The id of the paper that is called so, see `Library.paper`."""
    found = records.named(name, normalised_title(name))
    if len(found) == 1:
        return found[0]
    raise PaperNotFound(
        f"{'No paper' if not found else 'More than one paper'} of the library is {name!r}.",
        "Look with 'assistant search', and give the paper's id.",
    )


def _too_long(paper: Paper) -> Rejection:
    return Rejection(
        source=paper.source or "",
        where=repr(paper.label[:80]),
        reason=f"the abstract has {len(paper.abstract):,} characters; "
        f"at most {MAX_ABSTRACT:,} are taken",
    )
