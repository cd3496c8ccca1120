"""The Chroma collection: whole papers, tidied of leftovers, readable by other programs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_embedder import FakeEmbedder

from assistant.index import IndexRow
from assistant.library import Library
from assistant.paper import Paper
from assistant.store import PaperStore, descriptions, drop_other_collections
from assistant.writer import embedded


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PaperStore]:
    with PaperStore(tmp_path / "chroma", "papers-one", {"fingerprint": "f"}) as opened:
        yield opened


def write(store: PaperStore, *papers: Paper) -> None:
    store.write(embedded(papers, FakeEmbedder(), 16))


def read(store: PaperStore) -> dict[str, IndexRow]:
    return {row.paper.id: row for row in store.read(store.chunk_counts().items())}


LONG = Paper(title="Long", abstract=" ".join(f"Sentence {i} of a long text." for i in range(20)))
SHORT = LONG.model_copy(update={"abstract": "A short one now."})
OTHER = Paper(title="Other", abstract="Something else.")


def test_papers_come_back_whole_and_in_order(store: PaperStore, sample_papers: list[Paper]) -> None:
    rows = embedded(sample_papers, FakeEmbedder(), 16)
    store.write(rows)
    assert store.chunk_counts() == {row.paper.id: len(chunks) for row, chunks in rows}
    assert len(store) == sum(len(chunks) for _, chunks in rows)
    for (row, _), back in zip(rows, store.read(store.chunk_counts().items()), strict=True):
        assert back.paper == row.paper
        assert back.spans == row.spans
        np.testing.assert_allclose(back.vectors, row.vectors, atol=1e-6)  # Chroma normalises again
        np.testing.assert_array_equal(back.sentence_vectors, row.sentence_vectors)


def test_a_shorter_text_replaces_a_longer_one(store: PaperStore) -> None:
    write(store, LONG, OTHER)
    before = store.chunk_counts()
    write(store, SHORT)
    assert read(store)[LONG.id].paper == SHORT  # also before the rows left over are gone
    store.trim([(LONG.id, before[LONG.id], 1)])
    assert store.chunk_counts() == {LONG.id: 1, OTHER.id: 1}


def test_tidy_removes_what_a_killed_writer_leaves(store: PaperStore) -> None:
    write(store, LONG, OTHER)
    write(store, SHORT)  # and then it was killed
    assert store.chunk_counts()[LONG.id] > 1
    assert store.tidy() == store.chunk_counts() == {SHORT.id: 1, OTHER.id: 1}
    assert len(store) == 2


@pytest.mark.parametrize("missing", [0, 1])
def test_a_torn_paper_is_passed_over_and_mended_by_writing_it(
    store: PaperStore, missing: int
) -> None:
    write(store, LONG, OTHER)
    store._collection.delete(ids=[f"{LONG.id}#{missing}"])
    rows = len(store)
    assert set(store.tidy()) == {LONG.id, OTHER.id}
    assert len(store) == rows
    assert set(read(store)) == {OTHER.id}
    write(store, LONG)
    assert set(read(store)) == {LONG.id, OTHER.id}


def test_removed_papers_are_gone(store: PaperStore) -> None:
    write(store, LONG, OTHER)
    store.delete([(LONG.id, store.chunk_counts()[LONG.id])])
    assert set(read(store)) == {OTHER.id}
    assert len(store) == 1


def test_many_rows_are_written_in_several_calls(
    store: PaperStore, monkeypatch: pytest.MonkeyPatch, sample_papers: list[Paper]
) -> None:
    monkeypatch.setattr("assistant.store._ROWS_PER_CALL", 7)
    write(store, LONG, *sample_papers[:20])  # the first has more rows than a call takes
    assert set(read(store)) == {LONG.id, *(paper.id for paper in sample_papers[:20])}
    store.delete(list(store.chunk_counts().items()))
    assert len(store) == 0


def test_other_collections_are_dropped_with_their_files(tmp_path: Path) -> None:
    folder = tmp_path / "chroma"
    for name in ("papers-one", "papers-two"):
        with PaperStore(folder, name, {"fingerprint": name}) as store:
            write(store, LONG)
    assert {found[1]["fingerprint"] for found in descriptions(folder)} == {
        "papers-one",
        "papers-two",
    }
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 2
    drop_other_collections(folder, "papers-two")
    assert [name for name, _ in descriptions(folder)] == ["papers-two"]
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 1
    with PaperStore(folder, "papers-two", {"fingerprint": "papers-two"}) as store:
        assert set(read(store)) == {LONG.id}


def test_a_plain_llamaindex_vector_store_reads_the_collection(sample_library: Library) -> None:
    import chromadb  # noqa: PLC0415
    from llama_index.core.vector_stores.types import VectorStoreQuery  # noqa: PLC0415
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

    info = sample_library.info
    assert info is not None
    client = chromadb.PersistentClient(
        str(sample_library.path / "chroma"), chromadb.Settings(anonymized_telemetry=False)
    )
    try:
        plain = ChromaVectorStore(client.get_collection(info.collection, embedding_function=None))
        paper = sample_library.index().paper(7)
        vector = FakeEmbedder().embed_query(f"{paper.title}. {paper.abstract}")
        found = plain.query(VectorStoreQuery(query_embedding=vector.tolist(), similarity_top_k=3))
        assert found.nodes is not None
        node = found.nodes[0]
        assert node.metadata["paper_id"] == paper.id
        assert node.metadata["title"] == paper.title
        assert node.ref_doc_id == paper.id
        text = node.get_content()
        assert text.startswith(paper.title)
        body = paper.abstract[node.start_char_idx : node.end_char_idx]  # type: ignore[attr-defined]
        assert text.endswith(body)
        assert body
    finally:
        client.close()
        gc.collect()
