"""The library: papers with their vectors, kept in one folder.

Promises: a paper is in the library whole or not at all, whatever interrupts the writing.
Readers need no lock and see a finished state; they notice newer papers without being started
again. An index that lags because a writer was killed is made again by the next process that
gets the lock. What lies where: `assistant.folder`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from assistant.errors import (
    LibraryError,
    LibraryLocked,
    LibraryMismatch,
    LibraryNotFound,
    PaperNotFound,
)
from assistant.folder import LibraryFolder, LibraryInfo
from assistant.identity import KnownPapers
from assistant.index import IndexMeta, SearchIndex
from assistant.paper import Paper, normalised_title
from assistant.published import PublishedIndexes
from assistant.results import IngestReport, Rejection
from assistant.retrieved import Statistics
from assistant.settings import Settings
from assistant.store import DATABASE, PaperStore, descriptions, drop_other_collections
from assistant.writer import Writer, embedded, rebuild

if TYPE_CHECKING:
    from assistant.embedding import Embedder

__all__ = ["Library", "LibraryInfo"]

BATCH = 128
"""Papers embedded and written together: what a kill can lose, and what memory holds."""
MAX_ABSTRACT = 50_000
"""Characters; what is longer is a full text, not an abstract."""
_REPAIR_SECONDS = 30.0
"""After a repair that failed, questions are answered for so long before it is tried again."""
_CUTTING = 1
"""Version of `assistant.chunking` and `assistant.text.sentences`; raised with their results."""


class Library:
    """A set of papers with its index.

    Args:
        settings: where it is, and how it is chunked and indexed.
        embedder: gives the embedding model; called when it is first needed.
        notify: told in one line about a wait or a repair.

    One object may be used from several threads, and one folder by several processes.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Callable[[], Embedder],
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self.path = settings.library.expanduser()
        self._settings = settings
        self._embedder = embedder
        self._notify = notify or (lambda _: None)
        self._folder = LibraryFolder(self.path)
        self._published = PublishedIndexes(self._folder.index)
        self._warned = ""
        self._repair_after = 0.0

    # ------------------------------------------------------------------ reading

    @property
    def info(self) -> LibraryInfo | None:
        """What the library was filled with; None where there is no library yet."""
        return self._folder.info()

    def index(self, *, check: bool = True) -> SearchIndex:
        """The newest search index of the library.

        Args:
            check: that the library was filled with the embedding model and the chunking of
                the settings; listing papers does not depend on it.

        Raises:
            LibraryNotFound: there is no library, or no paper in it.
            LibraryMismatch: see ``check``.
            LibraryError: the index has to be made again, and cannot be.
        """
        info = self._folder.info()
        if info is None and self._database_exists():
            with self._locked():
                info = self._found_info()
        if info is None:
            raise LibraryNotFound(
                f"There is no library at {self.path} yet.",
                "Add papers with 'assistant ingest FILE', or see one at work: 'assistant demo'.",
            )
        if check:
            self._check(info)
        index = self._fresh(info, check=check)
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
        index = self.index(check=False)
        return index.paper(_place_of(index, name))

    @property
    def statistics(self) -> Statistics:
        """What the library knows of its words.

        Raises:
            LibraryNotFound: there is no paper.
        """
        return self.index(check=False)

    @property
    def version(self) -> str:
        """Changes with every change of the papers; for keeping what is made of them all."""
        index = self.index(check=False)
        return f"{index.folder.name}/{len(index)}"

    def vectors(self) -> tuple[list[str], NDArray[np.float32]]:
        """Ids of all papers, and (papers, dimension) unit means of their chunks."""
        index = self.index(check=False)
        means = np.stack([index.chunk_vectors(i).mean(axis=0) for i in range(len(index))])
        norms = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)
        return [names.id for names in index.names], (means / norms).astype(np.float32)

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

        with self._writing() as writer:
            held = writer.index
            known = KnownPapers(held.names, lambda name: held.paper(held.place[name]))
            for batch in _batches(_new_papers(records, known, report, tell)):
                latest = {paper.id: paper for paper in batch}  # a paper may come again, richer
                added, updated = writer.write(list(latest.values()))
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
        self.index(check=False)  # says what is wrong, and makes no library where there is none
        with self._writing(check=False) as writer:
            places = dict.fromkeys(_place_of(writer.index, name) for name in names)
            papers = [writer.index.paper(place) for place in places]
            if papers:
                writer.remove([paper.id for paper in papers])
        return papers

    def reindex(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Embeds every paper again with the model and chunking of the settings.

        The old collection stays in use until the new one is whole; interrupted, the same call
        goes on where it stopped. ``on_progress`` is told (papers done, papers in all). Returns
        the number of papers.
        """
        info = self._wanted_info()
        self.index(check=False)  # says what is wrong, and makes no library where there is none
        tell = on_progress or (lambda _done, _all: None)
        with self._locked():
            used = self._found_info() or info
            old = self._fresh_or_rebuilt(used)
            if used.collection == info.collection:  # a mere repair: the index is stale from here
                self._folder.advance()
            with PaperStore(self._folder.chroma, info.collection, info.model_dump()) as store:
                self._embed_all(store, old, info.chunk_tokens, tell)
            self._folder.advance()
            self._folder.save_info(info)
            rebuild(self._folder, info, self._published, self._meta(info), len(old))
            with self._folder.errors():
                drop_other_collections(self._folder.chroma, info.collection)
        tell(len(old), len(old))
        return len(old)

    # ------------------------------------------------------------------ inside

    def _wanted_info(self) -> LibraryInfo:
        """What the settings would fill a library with."""
        embedder = self._embedder()
        tokens = self._settings.chunking.max_tokens
        fingerprint = f"{embedder.fingerprint}/chunks-{tokens}/{_CUTTING}"
        name = f"papers-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}"
        return LibraryInfo(
            collection=name,
            fingerprint=fingerprint,
            embedding=embedder.name,
            chunk_tokens=tokens,
        )

    def _check(self, info: LibraryInfo) -> None:
        wanted = self._wanted_info()
        if info.fingerprint == wanted.fingerprint:
            return
        then, now = str(info), str(wanted)
        if then == now:  # another version of the same model
            then, now = f"{then} ({info.fingerprint})", f"{now} ({wanted.fingerprint})"
        raise LibraryMismatch(
            f"The library at {self.path} was filled with {then}; the settings now say {now}.",
            "Set the former again, or embed all papers anew: 'assistant ingest --reindex'.",
        )

    def _meta(self, info: LibraryInfo) -> IndexMeta:
        """What an index made at this moment is made from."""
        retrieval = self._settings.retrieval
        return IndexMeta(
            generation=self._folder.generation(),
            fingerprint=info.fingerprint,
            bm25_k1=retrieval.bm25_k1,
            bm25_b=retrieval.bm25_b,
            title_repeats=retrieval.title_repeats,
            exact_rows=retrieval.exact_rows,
        )

    def _fresh(self, info: LibraryInfo, *, check: bool) -> SearchIndex:
        """The newest index, made anew where it lags and nobody else is at it."""
        index, wanted = self._published.newest(), self._meta(info)
        usable = index if index is not None and index.meta.recipe == wanted.recipe else None
        if usable is not None and (
            usable.meta.generation == wanted.generation or time.monotonic() < self._repair_after
        ):
            return usable
        try:
            with self._locked(wait=usable is None):
                info = self._folder.info() or info  # a reindex may have ended just now
                if check:
                    self._check(info)
                return self._fresh_or_rebuilt(info)
        except LibraryLocked:
            if usable is None:
                raise
            return usable  # a writer is at work; what it has published is in here
        except LibraryMismatch:
            raise
        except LibraryError as error:
            if usable is None:
                raise
            self._repair_after = time.monotonic() + _REPAIR_SECONDS
            self._warn(
                f"{error.what} Papers that were added last may be missing from what you see."
            )
            return usable

    def _fresh_or_rebuilt(self, info: LibraryInfo) -> SearchIndex:
        """The fresh index; the lock must be held."""
        index, wanted = self._published.newest(), self._meta(info)
        papers = 0
        if index is not None and index.meta.fingerprint == info.fingerprint:
            papers = len(index)
            if (index.meta.recipe, index.meta.generation) == (wanted.recipe, wanted.generation):
                return index
        if self._database_exists():
            self._notify("making the search index again…")
        return rebuild(self._folder, info, self._published, wanted, papers)

    def _database_exists(self) -> bool:
        return (self._folder.chroma / DATABASE).exists()

    def _found_info(self) -> LibraryInfo | None:
        """``library.json``, written again from the database where it is missing.

        None where there is no library. The lock must be held.
        """
        info = self._folder.info()
        if info is not None or not self._database_exists():
            return info
        found: list[LibraryInfo] = []
        with self._folder.errors():
            for _, described in descriptions(self._folder.chroma):
                with suppress(ValidationError):
                    found.append(LibraryInfo.model_validate(described))
        if not found:
            return None
        index = self._published.newest()
        used = index.meta.fingerprint if index is not None else self._wanted_info().fingerprint
        info = next((i for i in found if i.fingerprint == used), found[0])
        self._notify("library.json was missing, and is made again from the database…")
        self._folder.save_info(info)
        return info

    def _warn(self, note: str) -> None:
        """Tells ``note``, but not twice in a row: a reader asks again with each question."""
        if note != self._warned:
            self._warned = note
            self._notify(note)

    @contextmanager
    def _locked(self, *, wait: bool = True) -> Iterator[None]:
        with self._folder.locked(self._settings.lock.timeout if wait else 0, self._notify):
            yield

    @contextmanager
    def _writing(self, *, check: bool = True) -> Iterator[Writer]:
        """A writer over the fresh index, under the lock.

        What it wrote is published at the end, also when it is interrupted.
        """
        with self._locked():
            info = self._found_info()
            if info is None:
                info = self._wanted_info()
                with self._folder.errors():
                    self._folder.save_info(info)
            elif check:
                self._check(info)
            index, filled = self._fresh_or_rebuilt(info), info
            writer = Writer(
                self._folder,
                info,
                index,
                published=self._published,
                meta=lambda: self._meta(filled),
                embedder=self._embedder,
            )
            try:
                yield writer
            except BaseException:
                with suppress(LibraryError):  # the first error says what is wrong
                    writer.publish()
                raise
            else:
                writer.publish()
            finally:
                writer.close()

    def _embed_all(
        self,
        store: PaperStore,
        old: SearchIndex,
        chunk_tokens: int,
        tell: Callable[[int, int], None],
    ) -> None:
        """Makes ``store`` hold the papers of ``old``, embedding those that it does not hold yet."""
        with self._folder.errors():
            counts = store.tidy()
            held = {row.paper.id: row.paper for row in store.read(counts.items())}
        todo = [paper for paper in old.papers() if held.get(paper.id) != paper]
        done = len(old) - len(todo)
        for batch in _batches(todo):
            tell(done, len(old))
            rows = embedded(batch, self._embedder(), chunk_tokens)
            with self._folder.errors():
                store.write(rows)
                store.trim(
                    (row.paper.id, counts.get(row.paper.id, 0), len(row.vectors)) for row, _ in rows
                )
            done += len(batch)
        with self._folder.errors():
            store.delete(
                (paper_id, counts[paper_id]) for paper_id in held if paper_id not in old.place
            )


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


def _place_of(index: SearchIndex, name: str) -> int:
    """The place of the paper with this id, DOI, arXiv id or title, see `Library.paper`."""
    if name in index.place:
        return index.place[name]
    wanted, lower = normalised_title(name), name.strip().lower()
    found = [
        place
        for place, names in enumerate(index.names)
        if lower in (names.doi, names.arxiv_id) or (wanted and wanted == names.title_key)
    ]
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
