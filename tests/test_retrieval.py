"""Retrieval: the fused score against a plain reading of its formula, and against judged sets."""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MakeLibrary
from fake_embedder import FakeEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.embedding import Embedder
from assistant.index import IndexMeta, IndexRow, SearchIndex, build_index
from assistant.library import Library
from assistant.paper import Paper
from assistant.retrieval import PaperRetriever, Ranking, as_nodes, rank
from assistant.settings import LockSettings, RetrievalSettings, Settings
from assistant.text import terms

DEFAULT = RetrievalSettings()
WORDS = ["owl", "vole", "night", "bee", "nectar", "dance", "whale", "deep", "song", "the", "of"]


def unit(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def make_index(
    folder: Path, papers: Sequence[tuple[Paper, np.ndarray]], *, exact_rows: int = 200_000
) -> SearchIndex:
    meta = IndexMeta(
        generation=0,
        fingerprint="f",
        bm25_k1=1.5,
        bm25_b=0.75,
        title_repeats=2,
        exact_rows=exact_rows,
    )
    none = np.zeros((0, papers[0][1].shape[1] if papers else 4), dtype=np.int8)
    build_index(folder, (IndexRow(paper, v, [], none) for paper, v in papers), meta)
    return SearchIndex(folder)


def naive(
    index: SearchIndex, question: str, vector: np.ndarray, chosen: RetrievalSettings
) -> list[float]:
    """The fused score of every paper, paper by paper."""
    dense = []
    for place in range(len(index)):
        chunks = index.chunk_vectors(place).astype(np.float64)
        mean = chunks.mean(axis=0)
        norm = max(float(np.linalg.norm(mean)), 1e-6)
        best = max(float(chunk @ vector) for chunk in chunks)
        weight = chosen.best_chunk_weight
        dense.append(weight * best + (1 - weight) * float(mean @ vector) / norm)
    lexical = [float(score) for score in index.bm25(terms(question))]
    low, high, most = min(dense), max(dense), max(lexical)
    share = chosen.dense_weight
    return [
        share * ((d - low) / (high - low) if high > low else 0)
        + (1 - share) * (b / most if most else 0)
        for d, b in zip(dense, lexical, strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_ranking_is_what_the_formula_says(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 12))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    papers = []
    for i in range(count):
        text = " ".join(data.draw(st.lists(st.sampled_from(WORDS), max_size=12)))
        vectors = unit(random.standard_normal((data.draw(st.integers(1, 4)), 4)) + 0.5)
        papers.append((Paper(title=f"p{i}", abstract=text), vectors))
    index = make_index(tmp_path_factory.mktemp("index") / "i", papers)
    question = " ".join(data.draw(st.lists(st.sampled_from(WORDS), max_size=6)))
    chosen = RetrievalSettings(
        dense_weight=data.draw(st.floats(0, 1)), best_chunk_weight=data.draw(st.floats(0, 1))
    )
    vector = unit(random.standard_normal((1, 4)))[0]
    k = data.draw(st.integers(1, 15))
    ranking = rank(index, question, vector, chosen, k)
    expected = naive(index, question, vector, chosen)
    assert len(ranking) == min(k, count)
    assert len(set(ranking.places.tolist())) == len(ranking)  # no paper takes two places
    np.testing.assert_allclose(
        ranking.scores, [expected[place] for place in ranking.places], atol=2e-5
    )
    np.testing.assert_allclose(
        ranking.scores, sorted(expected, reverse=True)[: len(ranking)], atol=2e-5
    )
    assert all(a >= b for a, b in zip(ranking.scores, ranking.scores[1:], strict=False))
    best = [max(index.chunk_vectors(place) @ vector) for place in ranking.places]
    np.testing.assert_allclose(ranking.best_cosines, best, atol=1e-5)
    np.testing.assert_array_equal(ranking.bm25, index.bm25(terms(question))[ranking.places])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 10))
def test_cutting_candidates_changes_neither_order_nor_scores(
    tmp_path_factory: pytest.TempPathFactory, seed: int, k: int
) -> None:
    random = np.random.default_rng(seed)
    themes = random.standard_normal((10, 128))
    papers = [
        (
            Paper(title=f"p{i}", abstract=" ".join(random.choice(WORDS, 8))),
            unit(themes[i % 10] + 0.8 * random.standard_normal((1 + i % 4, 128))),
        )
        for i in range(200)
    ]
    folder = tmp_path_factory.mktemp("index")
    index = make_index(folder / "cut", papers, exact_rows=0)
    assert index.has_coarse
    question, vector = "owl and bee", unit(themes[:1] + random.standard_normal((1, 128)))[0]
    exact = rank(index, question, vector, DEFAULT, k)
    cut = rank(index, question, vector, RetrievalSettings(exact_rows=0, candidates=60), k)
    np.testing.assert_array_equal(cut.places, exact.places)
    np.testing.assert_allclose(cut.scores, exact.scores, atol=1e-5)


def ask(library: Library, question: str, k: int = 8) -> Ranking:
    return rank(library.index(), question, FakeEmbedder().embed_query(question), DEFAULT, k)


@pytest.mark.parametrize("question", ["what is it that they do", "zyzzyva qwertz", "?", "深度"])
def test_questions_of_stop_words_or_unknown_words(sample_library: Library, question: str) -> None:
    ranking = ask(sample_library, question)
    assert len(ranking) == 8
    assert not ranking.bm25.any()
    assert np.isfinite(ranking.scores).all()


def test_more_than_there_is(sample_library: Library) -> None:
    ranking = ask(sample_library, "sparse pruning of experts", 10_000)
    assert sorted(ranking.places.tolist()) == list(range(120))


def test_a_library_of_one_paper(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([Paper(title="Owls", abstract="They hunt. " * 100)])
    ranking = ask(library, "owls")
    assert ranking.places.tolist() == [0]
    assert ranking.scores.tolist() == pytest.approx([0.4])  # all of BM25, nothing of dense
    assert ask(library, "zyzzyva").scores.tolist() == [0.0]
    assert ranking.best_cosines[0] > 0


def test_equal_scores_keep_the_order_of_the_library(tmp_path: Path) -> None:
    vectors = np.ones((1, 4), dtype=np.float32) / 2
    index = make_index(tmp_path / "i", [(Paper(title=f"p{i}"), vectors) for i in range(30)])
    ranking = rank(index, "x", vectors[0], DEFAULT, 5)
    assert ranking.places.tolist() == [0, 1, 2, 3, 4]
    assert not ranking.scores.any()


def test_the_wanted_paper_comes_first(sample_library: Library, sample_papers: list[Paper]) -> None:
    for paper in sample_papers[::10]:
        ranking = ask(sample_library, paper.title)
        assert ranking.index.paper(int(ranking.places[0])).title == paper.title


def test_the_retriever_gives_one_node_a_paper(
    sample_library: Library, embedder: FakeEmbedder, sample_papers: list[Paper]
) -> None:
    retriever = PaperRetriever(sample_library, embedder, DEFAULT, top_k=5)
    title = sample_papers[3].title
    nodes = retriever.retrieve(title)
    assert len(nodes) == len({node.node_id for node in nodes}) == 5
    first = nodes[0]
    assert first.node_id == sample_papers[3].id
    assert first.text == sample_papers[3].abstract
    assert first.metadata["title"] == title
    assert "cosine" not in first.node.get_metadata_str("llm")  # type: ignore[arg-type]
    assert [n.node_id for n in asyncio.run(retriever.aretrieve(title))] == [
        n.node_id for n in nodes
    ]
    assert [n.node_id for n in as_nodes(retriever.rank(title, 2))] == [n.node_id for n in nodes[:2]]


def test_the_retriever_sees_new_papers(
    sample_library: Library, embedder: FakeEmbedder, make_library: MakeLibrary
) -> None:
    retriever = PaperRetriever(sample_library, embedder, DEFAULT)
    retriever.retrieve("xylophones")
    new = Paper(title="Xylophones", abstract="On the sound of xylophones.")
    make_library(sample_library.path).ingest([new])
    assert retriever.retrieve("xylophones")[0].node_id == new.id


# -- the judged sets -----------------------------------------------------------------------------


@dataclass
class JudgedSet:
    """A retrieval set over an index of its documents."""

    index: SearchIndex
    queries: dict[str, str]
    relevant: dict[str, dict[str, int]]

    def ndcg(self, embedder: Embedder, chosen: RetrievalSettings) -> float:
        """Mean nDCG@10 (linear gain) over the queries that have a relevant document."""
        return float(np.mean(list(self._ndcgs(embedder, chosen))))

    def _ndcgs(self, embedder: Embedder, chosen: RetrievalSettings) -> Iterator[float]:
        discounts = [1 / math.log2(place + 2) for place in range(10)]
        for query, grades in self.relevant.items():
            text = self.queries[query]
            ranking = rank(self.index, text, embedder.embed_query(text), chosen, 10)
            found = [grades.get(str(self.index.paper(int(p)).source_id), 0) for p in ranking.places]
            ideal = sorted(grades.values(), reverse=True)[:10]
            gain = sum(g * d for g, d in zip(found, discounts, strict=False))
            yield gain / sum(g * d for g, d in zip(ideal, discounts, strict=False))


JudgedSets = dict[str, JudgedSet]


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def judged_sets(
    corpus_data: Path, real_embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> JudgedSets:
    """The three sets, each in a library of its own that can be cut or not.

    Workers that run side by side share them: one fills a library, the others wait for it.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    sets = {}
    for name in ("cranfield", "medline1033", "cystic_fibrosis"):
        folder = corpus_data / "ir" / name
        documents = read_lines(folder / "corpus.jsonl")
        papers = (
            Paper(title=d["title"], abstract=d["text"], source=name, source_id=d["_id"])
            for d in documents
            if d["title"] or d["text"]
        )
        retrieval = RetrievalSettings(exact_rows=0)
        chosen = Settings(
            library=base / "judged" / name, retrieval=retrieval, lock=LockSettings(timeout=900)
        )
        library = Library(chosen, lambda: real_embedder)
        library.ingest(papers)
        lines = (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
        relevant: dict[str, dict[str, int]] = {}
        for line in lines:
            query, document, grade = line.split("\t")
            if int(grade) > 0:
                relevant.setdefault(query, {})[document] = int(grade)
        texts = {q["_id"]: q["text"] for q in read_lines(folder / "queries.jsonl")}
        sets[name] = JudgedSet(library.index(), texts, relevant)
    return sets


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "at_least"),
    [("cranfield", 0.445), ("medline1033", 0.80), ("cystic_fibrosis", 0.635)],
)
def test_ndcg_on_the_judged_sets(
    judged_sets: JudgedSets, real_embedder: Embedder, name: str, at_least: float
) -> None:
    assert judged_sets[name].ndcg(real_embedder, DEFAULT) >= at_least


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize("name", ["cranfield", "medline1033", "cystic_fibrosis"])
def test_cutting_does_not_change_the_first_ten_of_a_judged_set(
    judged_sets: JudgedSets, real_embedder: Embedder, name: str
) -> None:
    judged = judged_sets[name]
    cut = RetrievalSettings(exact_rows=0, candidates=200)  # of 1,000 to 1,400 papers
    for text in judged.queries.values():
        vector = real_embedder.embed_query(text)
        exact = rank(judged.index, text, vector, DEFAULT, 10)
        found = rank(judged.index, text, vector, cut, 10)
        np.testing.assert_array_equal(found.places, exact.places)
        np.testing.assert_allclose(found.scores, exact.scores, atol=1e-5)
