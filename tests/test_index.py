"""The search index: what goes in comes out; the next one is the last one and the changes."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fake_embedder import FakeEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.index import IndexBuilder, IndexMeta, IndexRow, SearchIndex, build_index
from assistant.paper import Paper
from assistant.text import terms
from assistant.writer import embedded

META = IndexMeta(generation=3, fingerprint="f", bm25_k1=1.5, bm25_b=0.75, title_repeats=2)


def rows_of(papers: Sequence[Paper]) -> list[IndexRow]:
    return [row for row, _ in embedded(papers, FakeEmbedder(), 20)]


def index_of(folder: Path, papers: Sequence[Paper], meta: IndexMeta = META) -> SearchIndex:
    build_index(folder, rows_of(papers), meta)
    return SearchIndex(folder)


def same(a: SearchIndex, b: SearchIndex) -> None:
    """That two indexes answer alike."""
    assert a.meta.model_copy(update={"generation": 0}) == b.meta.model_copy(
        update={"generation": 0}
    )
    assert a.names == b.names
    for place in range(len(a)):
        ours, theirs = a.row(place), b.row(place)
        assert ours.paper == theirs.paper
        assert ours.spans == theirs.spans
        np.testing.assert_array_equal(ours.vectors, theirs.vectors)
        np.testing.assert_array_equal(ours.sentence_vectors, theirs.sentence_vectors)
    np.testing.assert_array_equal(a.mean_norms, b.mean_norms)
    for name in ("hashes", "starts", "places", "counts", "lengths"):
        np.testing.assert_array_equal(getattr(a.lexicon, name), getattr(b.lexicon, name))


def naive_bm25(papers: Sequence[Paper], question: Sequence[str]) -> list[float]:
    bags = [terms(p.title) * 2 + terms(p.abstract) for p in papers]
    mean = sum(map(len, bags)) / len(bags)
    scores = []
    for bag in bags:
        counts, score = Counter(bag), 0.0
        for term in question:
            n = sum(term in other for other in bags)
            idf = math.log(1 + (len(bags) - n + 0.5) / (n + 0.5))
            tf = counts[term]
            score += idf * tf / (tf + 1.5 * (0.25 + 0.75 * len(bag) / mean))
        scores.append(score)
    return scores


def test_what_goes_in_comes_out(tmp_path: Path, sample_papers: list[Paper]) -> None:
    rows = rows_of(sample_papers)
    build_index(tmp_path / "i", rows, META)
    index = SearchIndex(tmp_path / "i")
    assert list(index.papers()) == sample_papers
    assert index.meta.generation == 3
    for place, row in enumerate(rows):
        assert index.place[row.paper.id] == place
        assert index.spans(place) == row.spans
        np.testing.assert_array_equal(index.chunk_vectors(place), row.vectors)
        back = index.sentence_vectors(place)
        np.testing.assert_allclose(back, row.sentence_vectors / 127, atol=1e-6)
        assert np.linalg.norm(row.vectors.mean(axis=0)) == pytest.approx(index.mean_norms[place])


def test_bm25_is_the_lucene_form(tmp_path: Path, sample_papers: list[Paper]) -> None:
    index = index_of(tmp_path / "i", sample_papers)
    for question in ("sparse pruning of large language models", "which models", "zyzzyva models"):
        asked = terms(question) * 2
        np.testing.assert_allclose(
            index.bm25(asked), naive_bm25(sample_papers, asked), rtol=1e-4, atol=1e-5
        )
    n = sum("prune" in terms(p.title + " " + p.abstract) for p in sample_papers)
    assert index.document_frequency("prune") == n > 0
    assert index.idf("prune") == pytest.approx(
        math.log(1 + (len(sample_papers) - n + 0.5) / (n + 0.5))
    )
    assert index.document_frequency("zyzzyva") == 0
    assert not index.bm25([]).any()


def test_an_index_without_papers_and_one_without_words(tmp_path: Path) -> None:
    empty = index_of(tmp_path / "a", [])
    assert len(empty) == 0
    assert list(empty.papers()) == []
    assert empty.bm25(["term"]).shape == (0,)
    wordless = index_of(tmp_path / "b", [Paper(title="The of and"), Paper(title="深")])
    assert wordless.bm25(["term"]).tolist() == [0, 0]
    same(index_of(tmp_path / "c", []), empty)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_next_index_equals_one_made_from_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("next")
    papers = [
        Paper(title=f"Paper {i}", abstract=f"Old words {'w ' * (i * 7 % 50)} here {i}. More so.")
        for i in range(data.draw(st.integers(0, 8)))
    ]
    new = [Paper(title=f"New {i}", abstract=f"New old words {i}.") for i in range(2)]
    fates = [data.draw(st.sampled_from(["keep", "keep", "drop", "change"])) for _ in papers]
    old = index_of(folder / "old", papers)
    expected: list[Paper] = []
    with IndexBuilder(folder / "next", META, old) as builder:
        for place, (paper, fate) in enumerate(zip(papers, fates, strict=True)):
            if fate == "keep":
                builder.keep(place, place + 1)
                expected.append(paper)
            elif fate == "change":
                changed = paper.model_copy(update={"abstract": f"Changed words {place}."})
                builder.add(rows_of([changed])[0])
                expected.append(changed)
        for row in rows_of(new):
            builder.add(row)
        builder.finish()
    same(SearchIndex(folder / "next"), index_of(folder / "whole", [*expected, *new]))


def test_keeping_a_run_is_keeping_each(tmp_path: Path, sample_papers: list[Paper]) -> None:
    old = index_of(tmp_path / "old", sample_papers)
    with IndexBuilder(tmp_path / "next", META, old) as builder:
        builder.keep(0, 50)
        builder.keep(70, len(old))
        builder.finish()
    same(
        SearchIndex(tmp_path / "next"),
        index_of(tmp_path / "whole", sample_papers[:50] + sample_papers[70:]),
    )


FILES = [
    "meta.json", "papers.jsonl", "paper_offsets.npy", "names.json", "vectors.npy",
    "chunk_starts.npy", "mean_norms.npy", "sentences.npy", "sentence_starts.npy",
    "sentence_vectors.npy", "terms.npy", "term_starts.npy", "posting_places.npy",
    "posting_counts.npy", "lengths.npy", "coarse.npy", "coarse_basis.npy",
]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "short"])
def test_a_damaged_index_is_noticed(
    tmp_path: Path, sample_papers: list[Paper], name: str, damage: str
) -> None:
    meta = META.model_copy(update={"exact_rows": 0})
    folder = tmp_path / "i"
    index_of(folder, sample_papers[:10], meta)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    content = (folder / name).read_bytes()
    kept = {"empty": 0, "half": len(content) // 2, "short": len(content) - 4}
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content[: kept[damage]])
    with pytest.raises((OSError, ValueError)):
        SearchIndex(folder)


def test_an_open_index_outlives_its_folder(tmp_path: Path, sample_papers: list[Paper]) -> None:
    index = index_of(tmp_path / "i", sample_papers)
    shutil.rmtree(tmp_path / "i")
    assert list(index.papers()) == sample_papers
    assert index.place[sample_papers[-1].id] == len(index) - 1
    assert index.bm25(["model"]).any()
    assert index.sentence_vectors(0).any()


def test_an_index_answers_from_many_threads(tmp_path: Path, sample_papers: list[Paper]) -> None:
    index = index_of(tmp_path / "i", sample_papers)
    questions = [terms(paper.title) for paper in sample_papers]
    expected = [index.bm25(question) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            found = list(pool.map(index.bm25, questions))
            np.testing.assert_array_equal(found, expected)
            assert list(pool.map(index.paper, range(len(index)))) == sample_papers
