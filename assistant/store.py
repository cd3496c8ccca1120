"""The Chroma collection: the one place that writes papers down and reads them back.

A paper is one row a chunk, each a LlamaIndex node (so that other LlamaIndex code can open the
collection), with the ids ``<paper id>#0``, ``#1``, …. The first row's metadata also carries
what is stored once a paper: the record, and the sentence vectors (int8, base64), so that the
search index can be made again without the embedding model. All rows of a paper go in one
transaction; rows left over from a longer, older version are ignored when read and deleted
with the next write.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pydantic import ValidationError

from assistant.chunking import Chunk
from assistant.index import IndexRow
from assistant.paper import Paper
from assistant.text import Span

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

__all__ = ["PaperStore"]

_ROWS_PER_CALL = 2000
_HNSW = {
    "space": "cosine",
    "ef_construction": 100,
    "ef_search": 200,
    "max_neighbors": 16,
    # fewer, larger flushes of the graph: what is not flushed yet is replayed from SQLite
    "batch_size": 1000,
    "sync_threshold": 20_000,
}


class PaperStore:
    """One collection of an embedded Chroma database.

    Args:
        folder: of the database.
        name: of the collection, made if it does not exist.
        fingerprint: recorded with a new collection, see `recorded_fingerprint`.
    """

    def __init__(self, folder: Path, name: str, fingerprint: str) -> None:
        self._client = _client(folder)
        self._collection: Collection = self._client.get_or_create_collection(
            name,
            embedding_function=None,
            configuration=cast(Any, {"hnsw": _HNSW}),
            metadata={"fingerprint": fingerprint},
        )

    def close(self) -> None:
        """Lets go of the database's files."""
        self._client.close()

    @property
    def recorded_fingerprint(self) -> str:
        """The fingerprint of the model that filled the collection."""
        return str((self._collection.metadata or {}).get("fingerprint", ""))

    def chunk_counts(self) -> dict[str, int]:
        """Paper id → rows held, read from the ids alone."""
        counts: dict[str, int] = {}
        for row_id in self._collection.get(include=[])["ids"]:
            paper_id = row_id.rpartition("#")[0]
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
        stale = [f"{pid}#{n}" for pid, before, now in old_counts for n in range(now, before)]
        for start in range(0, len(stale), _ROWS_PER_CALL):
            self._collection.delete(ids=stale[start : start + _ROWS_PER_CALL])

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

    def nearest(self, vector: np.ndarray[Any, Any], rows: int) -> list[str]:
        """Ids of the papers whose chunks are nearest to ``vector`` (approximate), best first."""
        found = self._collection.query(
            query_embeddings=cast(Any, [vector]),
            n_results=min(rows, max(1, self._collection.count())),
            include=[],
        )
        return list(dict.fromkeys(row_id.rpartition("#")[0] for row_id in found["ids"][0]))


def drop_other_collections(folder: Path, keep: str) -> None:
    """Deletes every collection but ``keep`` from the database in ``folder``."""
    client = _client(folder)
    for collection in client.list_collections():
        if collection.name != keep:
            client.delete_collection(collection.name)
    client.close()


def _client(folder: Path) -> ClientAPI:
    import chromadb  # noqa: PLC0415
    from chromadb.config import Settings as ChromaSettings  # noqa: PLC0415

    return chromadb.PersistentClient(
        path=str(folder), settings=ChromaSettings(anonymized_telemetry=False)
    )


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
