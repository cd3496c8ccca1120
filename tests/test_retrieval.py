"""Retrieval: the formula, its edges, and the judged sets."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MakeLibrary, shared_by_workers
from fake_embedder import FakeEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.embedding import Embedder
from assistant.library import TITLE_REPEATS, Library, embedded
from assistant.paper import Paper
from assistant.records import Records, StoredPaper
from assistant.retrieval import PaperRetriever, as_node
from assistant.retrieved import Retrieval
from assistant.settings import LockSettings, RetrievalSettings, Settings
from assistant.text import terms

DEFAULT = RetrievalSettings()
WORDS = ["owl", "vole", "night", "bee", "nectar", "dance", "whale", "deep", "song", "the", "of"]


def ask(
    library: Library, question: str, k: int = 8, chosen: RetrievalSettings = DEFAULT
) -> Retrieval:
    return PaperRetriever(library, FakeEmbedder(), chosen).find(question, k)


def naive(papers: list[Paper], question: str, chosen: RetrievalSettings) -> dict[str, float]:
    """The fused score of every paper, paper by paper, from nothing that the program keeps."""
    fake = FakeEmbedder()
    vector = fake.embed_query(question)
    dense = {}
    for stored, _ in embedded(papers, fake, 96):
        chunks = np.rint(stored.vectors * 127) / 127
        mean = chunks.mean(axis=0)
        norm = float(np.linalg.norm(stored.vectors.mean(axis=0)))
        weight = chosen.best_chunk_weight
        best = max(float(chunk @ vector) for chunk in chunks)
        dense[stored.paper.id] = weight * best + (1 - weight) * float(mean @ vector) / norm
    bags = {p.id: terms(p.title) * TITLE_REPEATS + terms(p.abstract) for p in papers}
    mean_length = sum(map(len, bags.values())) / len(bags)
    lexical = dict.fromkeys(bags, 0.0)
    for term in terms(question):
        n = sum(term in bag for bag in bags.values())
        idf = math.log1p((len(bags) - n + 0.5) / (n + 0.5))
        for paper_id, bag in bags.items():
            tf = Counter(bag)[term]
            length = chosen.bm25_k1 * (1 - chosen.bm25_b + chosen.bm25_b * len(bag) / mean_length)
            lexical[paper_id] += idf * tf / (tf + length) if tf else 0.0
    low, high, most = min(dense.values()), max(dense.values()), max(lexical.values())
    share = chosen.dense_weight
    return {
        i: share * ((dense[i] - low) / (high - low) if high > low else 0)
        + (1 - share) * (lexical[i] / most if most else 0)
        for i in dense
    }


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_ranking_is_what_the_formula_says(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    texts = data.draw(
        st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=1, max_size=9)
    )
    papers = [Paper(title=f"p{i}", abstract=" ".join(text)) for i, text in enumerate(texts)]
    question = " ".join(data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)))
    chosen = RetrievalSettings(
        dense_weight=data.draw(st.floats(0, 1)), best_chunk_weight=data.draw(st.floats(0, 1))
    )
    k = data.draw(st.integers(1, 12))
    folder = tmp_path_factory.mktemp("library")
    library = Library(Settings(library=folder), FakeEmbedder)
    library.ingest(papers)
    held = list(library.papers())  # without the repeats among them
    found, expected = ask(library, question, k, chosen), naive(held, question, chosen)
    library.close()
    assert len(found) == min(k, len(held)) == len({p.paper.id for p in found})
    scores = [p.score for p in found]
    np.testing.assert_allclose(scores, [expected[p.paper.id] for p in found], atol=2e-5)
    np.testing.assert_allclose(
        scores, sorted(expected.values(), reverse=True)[: len(found)], atol=2e-5
    )


def test_candidates_find_what_scoring_all_finds(sample_library: Library) -> None:
    for question in ("sparse pruning of experts", "learning rate", "speculative decoding speed"):
        every = ask(sample_library, question, 120)
        few = ask(sample_library, question, 8)
        assert [p.paper.id for p in few] == [p.paper.id for p in every[:8]]
        np.testing.assert_allclose([p.score for p in few], [p.score for p in every[:8]], atol=1e-5)


@pytest.mark.parametrize("question", ["what is it that they do", "zyzzyva qwertz", "?", "深度"])
def test_questions_of_stop_words_or_unknown_words(sample_library: Library, question: str) -> None:
    found = ask(sample_library, question)
    assert len(found) == 8
    assert not any(p.bm25 for p in found)
    assert np.isfinite([p.score for p in found]).all()


def test_more_than_there_is(sample_library: Library) -> None:
    assert (
        len({p.paper.id for p in ask(sample_library, "sparse pruning of experts", 10_000)}) == 120
    )


def test_a_library_of_one_paper(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([Paper(title="Owls", abstract="They hunt. " * 100)])
    (found,) = ask(library, "owls")
    assert found.score == pytest.approx(0.4)  # all of BM25, nothing of dense
    assert [p.score for p in ask(library, "zyzzyva")] == [0.0]
    assert found.best_cosine > 0


def test_equal_scores_keep_the_order_of_the_library(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([Paper(title="The", abstract=" ".join(["of"] * (i + 1))) for i in range(30)])
    first = [p.paper.abstract for p in ask(library, "zyzzyva", 30)]
    assert first == [p.paper.abstract for p in ask(library, "zyzzyva", 30)]


def test_the_words_of_common_terms_are_left_out_of_the_search_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.records._MANY_POSTINGS", 10)
    with Records(tmp_path / "r.sqlite", 2, title_repeats=2, make=True) as records:
        vectors = np.array([[1.0, 0.0]], np.float32)
        records.put(
            StoredPaper(Paper(title=f"p{i} owl{'' if i else ' vole'}"), (), vectors, 1)
            for i in range(30)
        )
        assert records.lexical(terms("owl vole"), 30) == [1]  # the rarest word finds it
        assert len(records.lexical(terms("owl"), 30)) == 30  # a question of one word is searched
        assert records.document_frequency("owl") == 30
        records.remove([next(records.papers([3])).id])
        assert records.document_frequency("owl") == 29
        assert records.sound() == "ok"


def test_the_wanted_paper_comes_first(sample_library: Library, sample_papers: list[Paper]) -> None:
    for paper in sample_papers[::10]:
        assert ask(sample_library, paper.title)[0].paper.title == paper.title


def test_papers_are_read_by_name(sample_library: Library, sample_papers: list[Paper]) -> None:
    retriever = PaperRetriever(sample_library, FakeEmbedder(), DEFAULT)
    wanted = [sample_papers[7].id, "unknown", sample_papers[2].id]
    found = retriever.read(wanted, FakeEmbedder().embed_query(sample_papers[7].title))
    assert [p.paper.id for p in found] == [wanted[0], wanted[2]]
    assert found[0].cosine > found[1].cosine
    assert found[0].vectors.shape == (len(found[0].sentences), 32)


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
    assert as_node(retriever.find(title, 1)[0]).node_id == first.node_id


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
    """A retrieval set and a library of its documents."""

    library: Library
    queries: dict[str, str]
    relevant: dict[str, dict[str, int]]

    def ndcg(self, embedder: Embedder, chosen: RetrievalSettings) -> float:
        """Mean nDCG@10 (linear gain) over the queries that have a relevant document."""
        return float(np.mean(list(self._ndcgs(embedder, chosen))))

    def _ndcgs(self, embedder: Embedder, chosen: RetrievalSettings) -> Iterator[float]:
        discounts = [1 / math.log2(place + 2) for place in range(10)]
        for query, grades in self.relevant.items():
            text = self.queries[query]
            ranking = PaperRetriever(self.library, embedder, chosen).find(text, 10)
            found = [grades.get(str(p.paper.source_id), 0) for p in ranking]
            ideal = sorted(grades.values(), reverse=True)[:10]
            gain = sum(g * d for g, d in zip(found, discounts, strict=False))
            yield gain / sum(g * d for g, d in zip(ideal, discounts, strict=False))


JudgedSets = dict[str, JudgedSet]


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def judged_sets(
    corpus_data: Path, remembering_embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> JudgedSets:
    """The three sets, each in a library of its own.

    Workers that run side by side share them: one fills a library, the others wait for it.
    """
    base = shared_by_workers(tmp_path_factory)
    sets = {}
    for name in ("cranfield", "medline1033", "cystic_fibrosis"):
        folder = corpus_data / "ir" / name
        documents = read_lines(folder / "corpus.jsonl")
        papers = (
            Paper(title=d["title"], abstract=d["text"], source=name, source_id=d["_id"])
            for d in documents
            if d["title"] or d["text"]
        )
        chosen = Settings(library=base / "judged" / name, lock=LockSettings(timeout=900))
        library = Library(chosen, lambda: remembering_embedder)
        library.ingest(papers)
        lines = (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
        relevant: dict[str, dict[str, int]] = {}
        for line in lines:
            query, document, grade = line.split("\t")
            if int(grade) > 0:
                relevant.setdefault(query, {})[document] = int(grade)
        texts = {q["_id"]: q["text"] for q in read_lines(folder / "queries.jsonl")}
        sets[name] = JudgedSet(library, texts, relevant)
    return sets


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "at_least"),
    [("cranfield", 0.44), ("medline1033", 0.795), ("cystic_fibrosis", 0.63)],
)
def test_ndcg_on_the_judged_sets(
    judged_sets: JudgedSets, remembering_embedder: Embedder, name: str, at_least: float
) -> None:
    assert judged_sets[name].ndcg(remembering_embedder, DEFAULT) >= at_least
