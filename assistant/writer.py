"""Writing: papers are cut, embedded, stored in the collection, and published as an index.

The order makes an interruption harmless at any point: first the generation grows (the index is
stale from here on), then the papers go into the collection, batch by batch, each paper whole;
at last an index is made of the last one and of what has been stored since.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np

from assistant.chunking import Chunk, chunk_paper
from assistant.errors import LibraryError
from assistant.folder import LibraryFolder, LibraryInfo
from assistant.index import IndexBuilder, IndexMeta, IndexRow, SearchIndex
from assistant.paper import Paper
from assistant.published import PublishedIndexes
from assistant.store import DATABASE, CollectionMissing, PaperStore
from assistant.text import sentences

if TYPE_CHECKING:
    from assistant.embedding import Embedder

__all__ = ["Writer", "embedded", "open_store", "rebuild"]

_PUBLISHING_SHARE = 20
"""A writer publishes before it is done when it has worked so many times as long as that takes…"""
_PUBLISH_SECONDS = 5.0
"""… and at least so long: readers see new papers soon, and it costs a twentieth at most."""


class Writer:
    """Writes papers to a library whose lock is held, and publishes them.

    Args:
        folder: of the library.
        info: what the library is filled with.
        index: the fresh index.
        published: where the next index is published.
        meta: makes the meta of an index at the generation of this moment.
        embedder: called when there is something to embed.
    """

    def __init__(
        self,
        folder: LibraryFolder,
        info: LibraryInfo,
        index: SearchIndex,
        *,
        published: PublishedIndexes,
        meta: Callable[[], IndexMeta],
        embedder: Callable[[], Embedder],
    ) -> None:
        self.index = index
        self._folder, self._info = folder, info
        self._published, self._meta, self._embedder = published, meta, embedder
        self._opened: PaperStore | None = None
        # since the index was published: paper id → rows, and removed papers
        self._added: dict[str, int] = {}
        self._changed: dict[str, int] = {}
        self._removed: set[str] = set()
        self._due = time.monotonic() + _PUBLISH_SECONDS
        self._broken = False

    @property
    def _store(self) -> PaperStore:
        """The collection, opened when something is to be written."""
        if self._opened is None:
            self._opened = open_store(self._folder, self._info, len(self.index))
        return self._opened

    def close(self) -> None:
        """Lets go of the collection."""
        if self._opened is not None:
            self._opened.close()

    def write(self, papers: Sequence[Paper]) -> tuple[int, int]:
        """Stores ``papers``, embedding those whose text is new; returns (added, changed)."""
        rows = self._rows(papers)
        changed = {paper.id for paper in papers if paper.id in self.index.place}
        with self._errors():
            self._begin()
            self._store.write(rows)
            held = [(row.paper.id, len(chunks)) for row, chunks in rows]
            self._store.trim((i, self._rows_held(i), n) for i, n in held if i in changed)
        for paper_id, count in held:
            (self._changed if paper_id in changed else self._added)[paper_id] = count
        if time.monotonic() >= self._due:
            self.publish()
        return len(papers) - len(changed), len(changed)

    def remove(self, paper_ids: Sequence[str]) -> None:
        """Deletes papers from the collection."""
        with self._errors():
            self._begin()
            self._store.delete((paper_id, self._rows_held(paper_id)) for paper_id in paper_ids)
        self._removed.update(paper_ids)

    def publish(self) -> None:
        """Makes the next index out of the last one and what has been written since.

        After an error of the storage this is left to whoever opens the library next.
        """
        if not self._dirty or self._broken:
            return
        started = time.monotonic()
        with self._errors():
            self.index = self._published.publish(self._meta(), self._fill, self.index)
        self._added, self._changed, self._removed = {}, {}, set()
        _return_memory()
        ended = time.monotonic()
        self._due = ended + max(_PUBLISH_SECONDS, _PUBLISHING_SHARE * (ended - started))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """As `LibraryFolder.errors`, and remembers one.

        A Chroma client that has failed once (on a full disk) may never return when it is asked
        again, so it is not.
        """
        try:
            with self._folder.errors():
                yield
        except LibraryError:
            self._broken = True
            raise

    @property
    def _dirty(self) -> bool:
        return bool(self._added or self._changed or self._removed)

    def _begin(self) -> None:
        if not self._dirty:
            self._folder.advance()

    def _rows_held(self, paper_id: str) -> int:
        place = self.index.place[paper_id]
        return int(self.index.chunk_starts[place + 1] - self.index.chunk_starts[place])

    def _rows(self, papers: Sequence[Paper]) -> list[tuple[IndexRow, list[Chunk]]]:
        """``papers`` cut; vectors of those with a known text are taken from the index."""
        index, tokens = self.index, self._info.chunk_tokens
        known: dict[str, IndexRow] = {}
        for paper in papers:
            place = index.place.get(paper.id)
            if place is not None and index.names[place].text_hash == paper.text_hash:
                known[paper.id] = index.row(place)
        rows = embedded([p for p in papers if p.id not in known], self._embedder(), tokens)
        by_id = {row.paper.id: (row, chunks) for row, chunks in rows}
        for paper in papers:
            if paper.id in known:
                old = known[paper.id]
                row = IndexRow(paper, old.vectors, old.spans, old.sentence_vectors)
                chunks = chunk_paper(paper, old.spans, self._embedder().count_tokens, tokens)
                by_id[paper.id] = (row, chunks)
        return [by_id[paper.id] for paper in papers]

    def _fill(self, builder: IndexBuilder) -> None:
        """The papers of the next index: those of this one in their order, then the new ones."""
        places = {i: self.index.place[i] for i in (*self._changed, *self._removed)}
        in_order = sorted(self._changed, key=places.__getitem__)
        rows = self._store.read((i, self._changed[i]) for i in in_order)
        changed = next(rows, None)
        kept = 0
        for paper_id, place in sorted(places.items(), key=lambda item: item[1]):
            builder.keep(kept, place)
            kept = place + 1
            if changed is not None and changed.paper.id == paper_id:
                builder.add(changed)
                changed = next(rows, None)
        builder.keep(kept, len(self.index))
        for row in self._store.read(self._added.items()):
            builder.add(row)


def _return_memory() -> None:
    """Gives freed memory back to the system, where the C library can (glibc).

    Writing leaves it in small pieces: 10,000 papers took 720 MB in place of 440.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def open_store(folder: LibraryFolder, info: LibraryInfo, papers: int) -> PaperStore:
    """The collection of a library whose index holds ``papers`` papers.

    Raises:
        LibraryError: they are gone from the database.
    """
    described = info.model_dump()
    if not papers:
        return PaperStore(folder.chroma, info.collection, described)
    if (folder.chroma / DATABASE).exists():
        with suppress(CollectionMissing):
            return PaperStore(folder.chroma, info.collection, described, make=False)
    raise LibraryError(
        f"The database of the library at {folder.path} is missing; its search index still names "
        f"{papers:,} papers.",
        f"Restore {folder.chroma} from a copy, or remove the library and ingest the papers again.",
    )


def rebuild(
    folder: LibraryFolder,
    info: LibraryInfo,
    published: PublishedIndexes,
    meta: IndexMeta,
    papers: int,
) -> SearchIndex:
    """Makes and publishes the index from the collection alone, which is tidied first.

    Args:
        folder: of the library.
        info: names the collection.
        published: where the index is published.
        meta: of the index.
        papers: how many the former index held, see `open_store`.
    """
    with folder.errors(), open_store(folder, info, papers) as store:
        counts = store.tidy()

        def fill(builder: IndexBuilder) -> None:
            for row in store.read(counts.items()):
                builder.add(row)

        return published.publish(meta, fill)


def embedded(
    papers: Sequence[Paper], embedder: Embedder, chunk_tokens: int
) -> list[tuple[IndexRow, list[Chunk]]]:
    """``papers`` cut, and their chunks and sentences embedded in one go."""
    spans = [sentences(paper.abstract) for paper in papers]
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
    if not texts:
        return []
    vectors = embedder.embed(texts)
    rows: list[tuple[IndexRow, list[Chunk]]] = []
    chunk_at, sentence_at = 0, sum(map(len, chunks))
    for paper, of_paper, cut in zip(papers, spans, chunks, strict=True):
        block = vectors[sentence_at : sentence_at + len(of_paper)]
        row = IndexRow(
            paper,
            vectors[chunk_at : chunk_at + len(cut)],
            of_paper,
            np.rint(block * 127).astype(np.int8),
        )
        rows.append((row, cut))
        chunk_at, sentence_at = chunk_at + len(cut), sentence_at + len(of_paper)
    return rows
