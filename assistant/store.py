"""The Chroma collection: the one place that writes papers down and reads them back.

A paper is one row a chunk, each a LlamaIndex node (so that other LlamaIndex code can open the
collection), with the ids ``<paper id>#0``, ``#1``, …. The first row's metadata also carries
what is stored once a paper: the record, and the sentence vectors (int8, base64), so that the
search index can be made again without the embedding model. All rows of a paper go in one
transaction; rows that a killed writer left over from a longer, older version are ignored when
read, and deleted by `PaperStore.tidy`.
"""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pydantic import ValidationError

from assistant.chunking import Chunk
from assistant.index import IndexRow
from assistant.paper import Paper
from assistant.text import Span

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

__all__ = ["DATABASE", "CollectionMissing", "PaperStore", "descriptions", "drop_other_collections"]

DATABASE = "chroma.sqlite3"
"""The database's file in Chroma's folder."""

_ROWS_PER_CALL = 2000
_HNSW = {
    "space": "cosine",
    "ef_construction": 100,
    "ef_search": 200,
    "max_neighbors": 16,
    # What is not in the graph yet lies in a log that every write reads again: writing a row took
    # 1.3 ms on average with these two (of 12,000 rows), 2.6 ms with a threshold of 20,000.
    "batch_size": 1000,
    "sync_threshold": 2000,
}


class CollectionMissing(Exception):
    """The database has no collection of this name."""


class PaperStore:
    """One collection of an embedded Chroma database. Only a process that holds the library's
    lock may open one: a Chroma client writes even when it is only asked something.

    Args:
        folder: of the database.
        name: of the collection.
        described: recorded with a new collection, see `descriptions`.
        make: the collection if it does not exist.

    Raises:
        CollectionMissing: it does not exist, and is not to be made.
    """

    def __init__(
        self, folder: Path, name: str, described: Mapping[str, str | int], *, make: bool = True
    ) -> None:
        from chromadb.errors import NotFoundError  # noqa: PLC0415

        self._client = _client(folder)
        try:
            self._collection: Collection = (
                self._client.get_or_create_collection(
                    name,
                    embedding_function=None,
                    configuration=cast(Any, {"hnsw": _HNSW}),
                    metadata=dict(described),
                )
                if make
                else self._client.get_collection(name, embedding_function=None)
            )
        except BaseException as error:
            self._client.close()
            if isinstance(error, NotFoundError):
                raise CollectionMissing(name) from None
            raise

    def close(self) -> None:
        """Lets go of the database's files."""
        self._client.close()

    def __enter__(self) -> PaperStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Rows held."""
        return int(self._collection.count())

    def chunk_counts(self) -> dict[str, int]:
        """Paper id → rows held, read from the ids alone."""
        counts: dict[str, int] = {}
        for row_id in self._collection.get(include=[])["ids"]:
            paper_id = _paper(row_id)
            counts[paper_id] = counts.get(paper_id, 0) + 1
        return counts

    def write(self, papers: Sequence[tuple[IndexRow, Sequence[Chunk]]]) -> None:
        """Adds papers or replaces them, whole, each in one transaction."""
        group: list[tuple[IndexRow, Sequence[Chunk]]] = []
        rows = 0
        for row, chunks in papers:
            if group and rows + len(chunks) > _ROWS_PER_CALL:
                self._write_group(group)
                group, rows = [], 0
            group.append((row, chunks))
            rows += len(chunks)
        if group:
            self._write_group(group)

    def _write_group(self, group: Sequence[tuple[IndexRow, Sequence[Chunk]]]) -> None:
        ids: list[str] = []
        documents: list[str] = []
        metadatas: list[dict[str, Any]] = []
        for row, chunks in group:
            for ordinal, chunk in enumerate(chunks):
                ids.append(f"{row.paper.id}#{ordinal}")
                documents.append(chunk.text)
                metadatas.append(_metadata(row, chunk, ordinal, len(chunks)))
        self._collection.upsert(
            ids=ids,
            embeddings=cast(Any, np.concatenate([row.vectors for row, _ in group])),
            documents=documents,
            metadatas=cast(Any, metadatas),
        )

    def trim(self, old_counts: Iterable[tuple[str, int, int]]) -> None:
        """Deletes rows left over from older versions: (paper id, rows before, rows now)."""
        self._delete(f"{pid}#{n}" for pid, before, now in old_counts for n in range(now, before))

    def _delete(self, row_ids: Iterable[str]) -> None:
        for ids in _batches(list(row_ids), _ROWS_PER_CALL):
            self._collection.delete(ids=ids)

    def delete(self, counts: Iterable[tuple[str, int]]) -> None:
        """Deletes papers: (paper id, rows that it has)."""
        self.trim((paper_id, rows, 0) for paper_id, rows in counts)

    def read(self, counts: Iterable[tuple[str, int]]) -> Iterator[IndexRow]:
        """The papers named, in that order; those that are not whole are left out."""
        for group in _grouped(counts, _ROWS_PER_CALL):
            ids = [f"{paper_id}#{n}" for paper_id, rows in group for n in range(rows)]
            found = self._collection.get(ids=ids, include=["metadatas", "embeddings"])
            at = {row_id: i for i, row_id in enumerate(found["ids"])}
            embeddings = np.asarray(found["embeddings"], dtype=np.float32)
            metadatas = cast(list[dict[str, Any]], found["metadatas"])
            for paper_id, _ in group:
                row = _whole_paper(paper_id, at, embeddings, metadatas)
                if row is not None:
                    yield row

    def tidy(self) -> dict[str, int]:
        """Deletes rows beyond the last chunk of a paper, which a killed writer may have left.

        Rows of a paper that is not whole are left alone: Chroma writes all rows of a call or
        none, so that they are on their way (as on a full disk), and `read` passes over them.

        Returns what `chunk_counts` does now.
        """
        counts = self.chunk_counts()
        for ids in _batches(list(counts), _ROWS_PER_CALL):
            heads = self._collection.get(ids=[f"{i}#0" for i in ids], include=["metadatas"])
            metadatas = cast(list[dict[str, Any]], heads["metadatas"])
            longer = []
            for row_id, metadata in zip(heads["ids"], metadatas, strict=True):
                paper_id, chunks = _paper(row_id), int(metadata["chunks"])
                if counts[paper_id] > chunks:
                    longer.append(paper_id)
                    counts[paper_id] = chunks
            if longer:
                found = self._collection.get(
                    where=cast(Any, {"paper_id": {"$in": longer}}), include=[]
                )
                self._delete(
                    row_id for row_id in found["ids"] if _ordinal(row_id) >= counts[_paper(row_id)]
                )
        return counts


def descriptions(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """The collections of the database in ``folder``, with what was recorded with each."""
    client = _client(folder)
    try:
        found = client.list_collections()
        return [(collection.name, dict(collection.metadata or {})) for collection in found]
    finally:
        client.close()


def drop_other_collections(folder: Path, keep: str) -> None:
    """Deletes every collection but ``keep`` from the database in ``folder``.

    Their graphs go, too: Chroma leaves those files behind.
    """
    client = _client(folder)
    try:
        for collection in client.list_collections():
            if collection.name != keep:
                client.delete_collection(collection.name)
    finally:
        client.close()
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        used = {str(row[0]) for row in database.execute("SELECT id FROM segments")}
    for graph in folder.iterdir():
        if graph.is_dir() and graph.name not in used:
            shutil.rmtree(graph, ignore_errors=True)


def _client(folder: Path) -> Client:
    import chromadb  # noqa: PLC0415
    from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415
    from chromadb.config import Settings as ChromaSettings  # noqa: PLC0415

    settings = ChromaSettings(anonymized_telemetry=False)
    try:
        return cast("Client", chromadb.PersistentClient(path=str(folder), settings=settings))
    except BaseException:
        # Chroma would hand its half-opened database out again to whoever tries next
        SharedSystemClient._identifier_to_system.pop(str(folder), None)
        raise


def _metadata(row: IndexRow, chunk: Chunk, ordinal: int, chunks: int) -> dict[str, Any]:
    from llama_index.core.schema import (  # noqa: PLC0415
        NodeRelationship,
        RelatedNodeInfo,
        TextNode,
    )
    from llama_index.core.vector_stores.utils import node_to_metadata_dict  # noqa: PLC0415

    paper = row.paper
    node = TextNode(
        id_=f"{paper.id}#{ordinal}",
        text=chunk.text,
        metadata={"paper_id": paper.id, "title": paper.label},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=paper.id)},
        start_char_idx=chunk.span.start,
        end_char_idx=chunk.span.end,
    )
    metadata = dict(node_to_metadata_dict(node, remove_text=True, flat_metadata=True))
    metadata |= {"ordinal": ordinal, "chunks": chunks, "text_hash": paper.text_hash}
    if ordinal == 0:
        metadata["record"] = paper.model_dump_json(exclude={"id"}, exclude_defaults=True)
        block = np.ascontiguousarray(row.sentence_vectors, dtype=np.int8)
        metadata["sentence_vectors"] = base64.b64encode(block.tobytes()).decode("ascii")
        metadata["sentence_spans"] = json.dumps(row.spans)
    return metadata


def _whole_paper(
    paper_id: str,
    at: dict[str, int],
    embeddings: np.ndarray[Any, Any],
    metadatas: Sequence[dict[str, Any]],
) -> IndexRow | None:
    """The paper made of the rows found, or None where any of them is missing or stale."""
    head = at.get(f"{paper_id}#0")
    if head is None:
        return None
    meta = metadatas[head]
    rows = [at.get(f"{paper_id}#{n}") for n in range(int(meta["chunks"]))]
    places = [row for row in rows if row is not None]
    if len(places) != len(rows) or any(
        metadatas[place]["text_hash"] != meta["text_hash"] for place in places
    ):
        return None
    try:
        paper = Paper.model_validate_json(meta["record"])
    except ValidationError:
        return None
    vectors = embeddings[places]
    spans = [Span(*span) for span in json.loads(meta["sentence_spans"])]
    block = np.frombuffer(base64.b64decode(meta["sentence_vectors"]), dtype=np.int8)
    return IndexRow(paper, vectors, spans, block.reshape(len(spans), vectors.shape[1]))


def _grouped(
    counts: Iterable[tuple[str, int]], rows_per_group: int
) -> Iterator[list[tuple[str, int]]]:
    group: list[tuple[str, int]] = []
    rows = 0
    for paper_id, n in counts:
        if group and rows + n > rows_per_group:
            yield group
            group, rows = [], 0
        group.append((paper_id, n))
        rows += n
    if group:
        yield group


def _batches(ids: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _paper(row_id: str) -> str:
    return row_id.rpartition("#")[0]


def _ordinal(row_id: str) -> int:
    return int(row_id.rpartition("#")[2])
