"""The library: papers with their vectors, kept in one folder.

    <library>/
      library.json     which collection is in use, and what filled it
      chroma/          the truth: one Chroma collection per embedding model
      generation       a number that grows before and after every write to the collection
      index/           search indexes derived from the collection; ``current`` names the newest
      lock             held by the one process that writes

Promises: a paper is in the library whole or not at all, whatever interrupts the writing.
Readers need no lock and see a finished state; they notice a newer index by its name. An index
that lags because a writer was killed is made again by the next process that gets the lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from assistant.chunking import Chunk, chunk_paper, paper_sentences
from assistant.errors import (
    LibraryError,
    LibraryLocked,
    LibraryMismatch,
    LibraryNotFound,
    PaperNotFound,
)
from assistant.identity import KnownPapers
from assistant.index import IndexMeta, IndexRow, SearchIndex, build_index
from assistant.paper import Paper, normalised_title
from assistant.results import IngestReport, Rejection
from assistant.settings import Settings
from assistant.store import PaperStore, drop_other_collections

if TYPE_CHECKING:
    from assistant.embedding import Embedder

__all__ = ["Library", "LibraryInfo"]

BATCH = 64
"""Papers embedded and written together: what a kill can lose, and what memory holds."""
MAX_ABSTRACT = 50_000
"""Characters; what is longer is a full text, not an abstract."""
_PUBLISH_EVERY = 2000

Notify = Callable[[str], None]


class LibraryInfo(BaseModel):
    """``library.json``: which collection is in use, and what filled it, in words."""

    format: int = 1
    collection: str
    fingerprint: str
    embedding: str
    chunk_tokens: int

    def __str__(self) -> str:
        return f"{self.embedding}, chunks of {self.chunk_tokens} tokens"


class Library:
    """A set of papers with its index.

    Args:
        settings: where it is, and how it is chunked and indexed.
        embedder: gives the embedding model; called when it is first needed.
        notify: told in one line about a wait or a repair.

    One object may be used from several threads, and one folder by several processes.
    """

    def __init__(
        self, settings: Settings, embedder: Callable[[], Embedder], notify: Notify | None = None
    ) -> None:
        self.path = settings.library.expanduser()
        self._settings = settings
        self._embedder = embedder
        self._notify: Notify = notify or (lambda _: None)
        self._loaded: SearchIndex | None = None
        self._loading = threading.RLock()
        self._graph: tuple[int, PaperStore] | None = None

    # ------------------------------------------------------------------ reading

    @property
    def info(self) -> LibraryInfo | None:
        """What the library was filled with; None where there is no library yet."""
        try:
            return LibraryInfo.model_validate_json((self.path / "library.json").read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise LibraryError(
                f"The library at {self.path} cannot be read: {_reason(error)}.",
                "Check the folder's permissions, or point --library to another one.",
            ) from None

    def index(self, *, check: bool = True) -> SearchIndex:
        """The newest search index of the library.

        Args:
            check: that the library was filled with the embedding model and the chunking of
                the settings; listing papers does not depend on it.

        Raises:
            LibraryNotFound: there is no library, or no paper in it.
            LibraryMismatch: see ``check``.
        """
        info = self.info
        if info is None:
            raise LibraryNotFound(
                f"There is no library at {self.path} yet.",
                "Add papers with 'assistant ingest FILE', or see one at work: 'assistant demo'.",
            )
        if check:
            self._check(info)
        with self._loading:
            index = self._fresh(info)
        if not len(index):
            raise LibraryNotFound(
                f"The library at {self.path} holds no paper yet.",
                "Add papers with 'assistant ingest FILE'.",
            )
        return index

    def __len__(self) -> int:
        try:
            return len(self.index(check=False))
        except LibraryNotFound:
            return 0

    def papers(self) -> Iterator[Paper]:
        """All papers, in the order in which they came; none where there is no library."""
        try:
            index = self.index(check=False)
        except LibraryNotFound:
            return iter(())
        return index.papers()

    def paper(self, name: str) -> Paper:
        """The paper with this id, DOI, arXiv id or title (loose about case and punctuation).

        Raises:
            PaperNotFound: there is none, or several papers have the title.
        """
        wanted = normalised_title(name)
        index = self.index(check=False)
        if name in index.place:
            return index.paper(index.place[name])
        found = [
            paper
            for paper in index.papers()
            if name.lower() in (paper.doi, paper.arxiv_id) or (wanted and wanted == paper.title_key)
        ]
        if len(found) == 1:
            return found[0]
        raise PaperNotFound(
            f"{'No paper' if not found else 'More than one paper'} of the library is {name!r}.",
            "Look with 'assistant search', and give the paper's id.",
        )

    def nearest(self, vector: NDArray[np.float32], rows: int) -> list[str]:
        """Ids of the papers of the ``rows`` chunks nearest to ``vector``, by Chroma's graph."""
        info = self.info
        if info is None:
            return []
        with self._loading, _storage_errors(self.path):
            generation = self._generation()
            if self._graph is None or self._graph[0] != generation:
                if self._graph is not None:
                    self._graph[1].close()
                store = PaperStore(self.path / "chroma", info.collection, info.fingerprint)
                self._graph = (generation, store)
            return self._graph[1].nearest(vector, rows)

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
        tell = on_progress or (lambda _: None)
        with self._writing() as writer:
            known = KnownPapers(writer.index)
            batch: list[Paper] = []
            try:
                for record in records:
                    if isinstance(record, Rejection):
                        report.rejected.append(record)
                        continue
                    report.read += 1
                    if report.read % 500 == 0:
                        report.seconds = time.monotonic() - started
                        tell(report)
                    if len(record.abstract) > MAX_ABSTRACT:
                        report.read -= 1
                        report.rejected.append(_too_long(record))
                        continue
                    decision = known.place(record)
                    match decision.verdict:
                        case "unchanged":
                            report.unchanged += 1
                        case "duplicate":
                            report.duplicates += 1
                        case _:
                            batch.append(decision.paper)
                    if len(batch) >= BATCH:
                        writer.write(batch, report)
                        batch = []
                        report.seconds = time.monotonic() - started
                        tell(report)
                if batch:
                    writer.write(batch, report)
            finally:
                writer.publish()
        report.seconds = time.monotonic() - started
        tell(report)
        return report

    def remove(self, names: Sequence[str]) -> list[Paper]:
        """Removes papers, named as `paper` takes them, everywhere; returns them.

        Raises:
            PaperNotFound: one of the names fits no paper; nothing is removed then.
        """
        papers = list({paper.id: paper for paper in map(self.paper, names)}.values())
        with self._writing(check=False) as writer:
            writer.remove([paper.id for paper in papers])
            writer.publish()
        return papers

    def reindex(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Embeds every paper again with the model and chunking of the settings.

        The old collection stays in use until the new one is whole; interrupted, the same call
        goes on where it stopped. ``on_progress`` is told (papers done, papers in all). Returns
        the number of papers.
        """
        info = self._wanted_info()
        old = self.index(check=False)
        with self._locked(), _storage_errors(self.path):
            store = PaperStore(self.path / "chroma", info.collection, info.fingerprint)
            writer = _Writer(self, info, store, old)
            held = {row.paper.id: row.paper for row in store.read(store.chunk_counts().items())}
            todo = [paper for paper in old.papers() if held.get(paper.id) != paper]
            done = len(old) - len(todo)
            for start in range(0, len(todo), BATCH):
                if on_progress:
                    on_progress(done + start, len(old))
                writer.store_papers(todo[start : start + BATCH])
            gone = set(held) - {paper.id for paper in old.papers()}
            counts = store.chunk_counts()
            store.delete((paper_id, counts[paper_id]) for paper_id in gone)
            self._bump()
            _write_atomically(self.path / "library.json", info.model_dump_json(indent=2) + "\n")
            self._publish(store, store.read(store.chunk_counts().items()), info)
            store.close()
            drop_other_collections(self.path / "chroma", info.collection)
        if on_progress:
            on_progress(len(old), len(old))
        return len(old)

    # ------------------------------------------------------------------ inside

    def _wanted_info(self) -> LibraryInfo:
        """What the settings would fill a library with."""
        embedder = self._embedder()
        tokens = self._settings.chunking.max_tokens
        fingerprint = f"{embedder.fingerprint}/chunks-{tokens}/1"
        name = f"papers-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}"
        return LibraryInfo(
            collection=name,
            fingerprint=fingerprint,
            embedding=embedder.name,
            chunk_tokens=tokens,
        )

    def _check(self, info: LibraryInfo) -> None:
        wanted = self._wanted_info()
        if info.fingerprint != wanted.fingerprint:
            raise LibraryMismatch(
                f"The library at {self.path} was filled with {info}; the settings now say {wanted}.",
                "Set the former again, or embed all papers anew: 'assistant ingest --reindex'.",
            )

    def _meta(self, info: LibraryInfo) -> IndexMeta:
        retrieval = self._settings.retrieval
        return IndexMeta(
            generation=self._generation(),
            fingerprint=info.fingerprint,
            bm25_k1=retrieval.bm25_k1,
            bm25_b=retrieval.bm25_b,
            title_repeats=retrieval.title_repeats,
        )

    def _generation(self) -> int:
        try:
            return int((self.path / "generation").read_text("ascii"))
        except (OSError, ValueError):
            return -1

    def _bump(self) -> None:
        _write_atomically(self.path / "generation", f"{self._generation() + 1}\n")

    def _fresh(self, info: LibraryInfo) -> SearchIndex:
        """The newest index, made anew where it lags and nobody else is at it."""
        index = self._current()
        wanted = self._meta(info)
        if index is not None and index.meta.recipe == wanted.recipe:
            if index.meta.generation == wanted.generation:
                return index
            lock = self._lock()
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return index  # a writer is at work; what it has finished is in here
            lock.release()
        with self._locked(), _storage_errors(self.path):
            index = self._current()
            wanted = self._meta(info)
            if (
                index is not None
                and index.meta.recipe == wanted.recipe
                and index.meta.generation == wanted.generation
            ):
                return index
            self._notify("making the search index again…")
            store = PaperStore(self.path / "chroma", info.collection, info.fingerprint)
            try:
                return self._publish(store, store.read(store.chunk_counts().items()), info)
            finally:
                store.close()

    def _current(self) -> SearchIndex | None:
        """The index that ``index/current`` names, loaded once."""
        for _ in range(3):  # the named folder may be replaced while it is being opened
            try:
                name = (self.path / "index" / "current").read_text("ascii").strip()
            except OSError:
                return None
            folder = self.path / "index" / name
            if self._loaded is not None and self._loaded.folder == folder:
                return self._loaded
            try:
                self._loaded = SearchIndex(folder)
            except (OSError, ValueError):
                continue
            return self._loaded
        return None

    def _publish(
        self, store: PaperStore, rows: Iterable[IndexRow], info: LibraryInfo
    ) -> SearchIndex:
        """Makes an index of ``rows``, points ``current`` to it, and removes older ones."""
        del store
        folder = self.path / "index"
        folder.mkdir(exist_ok=True)
        meta = self._meta(info)
        made = Path(tempfile.mkdtemp(prefix=f"{meta.generation}-", dir=folder))
        build_index(made, rows, meta)
        before = self._loaded.folder.name if self._loaded is not None else ""
        _write_atomically(folder / "current", made.name + "\n")
        for other in folder.iterdir():
            if other.is_dir() and other.name not in (made.name, before):
                shutil.rmtree(other, ignore_errors=True)
        self._loaded = SearchIndex(made)
        return self._loaded

    def _lock(self) -> FileLock:
        return FileLock(self.path / "lock")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds the writer's lock; the folder is made if need be."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = self._lock()
            try:
                lock.acquire(timeout=0)
            except Timeout:
                seconds = self._settings.lock.timeout
                self._notify(
                    f"another process is writing to {self.path}; waiting up to {seconds:.0f} s…"
                )
                lock.acquire(timeout=seconds)
        except Timeout:
            raise LibraryLocked(
                f"Another process has been writing to {self.path} for more than "
                f"{self._settings.lock.timeout:.0f} seconds.",
                "Try again when it is done, or set ASSISTANT_LOCK__TIMEOUT to wait longer.",
            ) from None
        except OSError as error:
            raise LibraryError(
                f"The library at {self.path} cannot be written: {_reason(error)}.",
                "Check the folder's permissions, or point --library to another one.",
            ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _writing(self, *, check: bool = True) -> Iterator[_Writer]:
        """The lock, the collection and the index as they stand, for one writer."""
        with self._locked(), _storage_errors(self.path):
            info = self.info
            if info is None:
                info = self._wanted_info()
                _write_atomically(self.path / "library.json", info.model_dump_json(indent=2) + "\n")
                self._bump()
            elif check:
                self._check(info)
            with self._loading:
                current, wanted = self._current(), self._meta(info)
                store: PaperStore | None = None
                if (
                    current is None
                    or current.meta.recipe != wanted.recipe
                    or current.meta.generation != wanted.generation
                ):
                    store = PaperStore(self.path / "chroma", info.collection, info.fingerprint)
                    rows = store.read(store.chunk_counts().items())
                    current = self._publish(store, rows, info)
            writer = _Writer(self, info, store, current)
            try:
                yield writer
            finally:
                writer.close()


class _Writer:
    """Writes to the collection and publishes indexes, while its library's lock is held."""

    def __init__(
        self, library: Library, info: LibraryInfo, store: PaperStore | None, index: SearchIndex
    ) -> None:
        self._library = library
        self._info = info
        self._opened = store
        self.index = index
        self._rows_held = {
            paper_id: int(index.chunk_starts[i + 1] - index.chunk_starts[i])
            for paper_id, i in index.place.items()
        }
        self._added: dict[str, int] = {}
        self._changed: dict[str, int] = {}
        self._removed: set[str] = set()

    @property
    def _store(self) -> PaperStore:
        """The collection, opened when something is to be written."""
        if self._opened is None:
            self._opened = PaperStore(
                self._library.path / "chroma", self._info.collection, self._info.fingerprint
            )
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def write(self, papers: Sequence[Paper], report: IngestReport) -> None:
        """Embeds ``papers`` and stores them; counts them as added or updated."""
        counts = self.store_papers(papers)
        for paper in papers:
            if paper.id in self._rows_held:
                report.updated += 1
                self._changed[paper.id] = counts[paper.id]
            else:
                report.added += 1
                self._added[paper.id] = counts[paper.id]
        if len(self._added) + len(self._changed) >= max(_PUBLISH_EVERY, len(self.index) // 2):
            self.publish()

    def store_papers(self, papers: Sequence[Paper]) -> dict[str, int]:
        """Embeds and stores ``papers``; returns the number of rows of each."""
        prepared = _embedded(papers, self._library._embedder(), self._info.chunk_tokens)  # noqa: SLF001
        self._library._bump()  # noqa: SLF001
        self._store.write(prepared)
        counts = {row.paper.id: len(chunks) for row, chunks in prepared}
        self._store.trim(
            (paper_id, self._rows_held.get(paper_id, 0), rows) for paper_id, rows in counts.items()
        )
        return counts

    def remove(self, paper_ids: Sequence[str]) -> None:
        """Deletes papers from the collection."""
        self._library._bump()  # noqa: SLF001
        self._store.delete((paper_id, self._rows_held[paper_id]) for paper_id in paper_ids)
        self._removed.update(paper_ids)

    def publish(self) -> None:
        """Makes the next index out of the last one and what has been written since."""
        if not (self._added or self._changed or self._removed):
            return
        library = self._library
        library._bump()  # noqa: SLF001
        with library._loading:  # noqa: SLF001
            self.index = library._publish(self._store, self._rows(), self._info)  # noqa: SLF001
        self._rows_held.update(self._added)
        self._rows_held.update(self._changed)
        for paper_id in self._removed:
            self._rows_held.pop(paper_id, None)
        self._added, self._changed, self._removed = {}, {}, set()

    def _rows(self) -> Iterator[IndexRow]:
        changed = {row.paper.id: row for row in self._store.read(self._changed.items())}
        for row in self.index.rows():
            if row.paper.id not in self._removed:
                yield changed.get(row.paper.id, row)
        yield from self._store.read(self._added.items())


def _embedded(
    papers: Sequence[Paper], embedder: Embedder, chunk_tokens: int
) -> list[tuple[IndexRow, list[Chunk]]]:
    """``papers`` cut, and their chunks and sentences embedded in one go."""
    spans = [paper_sentences(paper) for paper in papers]
    chunks = [
        chunk_paper(paper, of_paper, embedder.count_tokens, chunk_tokens)
        for paper, of_paper in zip(papers, spans, strict=True)
    ]
    texts = [chunk.text for of_paper in chunks for chunk in of_paper]
    texts += [
        paper.abstract[start:end]
        for paper, of_paper in zip(papers, spans, strict=True)
        for start, end in of_paper
    ]
    vectors = embedder.embed(texts)
    rows: list[tuple[IndexRow, list[Chunk]]] = []
    chunk_at, sentence_at = 0, sum(map(len, chunks))
    for paper, of_paper, cut in zip(papers, spans, chunks, strict=True):
        sentence_block = vectors[sentence_at : sentence_at + len(of_paper)]
        row = IndexRow(
            paper,
            vectors[chunk_at : chunk_at + len(cut)],
            of_paper,
            np.rint(sentence_block * 127).astype(np.int8),
        )
        rows.append((row, cut))
        chunk_at, sentence_at = chunk_at + len(cut), sentence_at + len(of_paper)
    return rows


def _too_long(paper: Paper) -> Rejection:
    return Rejection(
        source=paper.source or "",
        where=repr(paper.label[:80]),
        reason=f"the abstract has {len(paper.abstract):,} characters; "
        f"at most {MAX_ABSTRACT:,} are taken",
    )


def _write_atomically(path: Path, text: str) -> None:
    """Writes ``text`` so that a reader sees the old content or the new, never a part."""
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0].rstrip(".")


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Turns what the disk and the database raise into one clear sentence."""
    from chromadb.errors import ChromaError  # noqa: PLC0415

    try:
        yield
    except (OSError, sqlite3.Error, ChromaError) as error:
        raise LibraryError(
            f"The library at {path} could not be written: {_reason(error)}.",
            "What was stored before is kept; make room or mend the folder, and run it again.",
        ) from error
