"""What is found without some papers is what a library finds that never held them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_embedder import FakeEmbedder

from assistant.library import Library
from assistant.retrieval import PaperRetriever
from assistant.settings import RetrievalSettings
from assistant.text import terms
from eval.withheld import Withholding

QUESTION = "pruning experts of a mixture without retraining"


def test_as_if_they_were_not_there(
    sample_library: Library, embedder: FakeEmbedder, make_library: Callable[..., Library]
) -> None:
    settings = RetrievalSettings(dense_weight=1.0)  # BM25 would still count them in its idf
    retriever = PaperRetriever(sample_library, embedder, settings)
    hidden = frozenset(paper.paper.id for paper in retriever.find(QUESTION, 3))
    withheld = Withholding(retriever, hidden, settings.dense_weight).find(QUESTION, 50)
    sample_library.remove(sorted(hidden))
    smaller = retriever.find(QUESTION, 50)
    assert [p.paper.id for p in withheld] == [p.paper.id for p in smaller]
    assert [p.score for p in withheld] == pytest.approx([p.score for p in smaller], abs=1e-5)


def test_scores_stay_in_order_and_words_of_hidden_papers_are_not_counted(
    sample_library: Library, embedder: FakeEmbedder
) -> None:
    settings = RetrievalSettings()
    retriever = PaperRetriever(sample_library, embedder, settings)
    whole = retriever.find(QUESTION)
    hidden = frozenset(paper.paper.id for paper in whole[:2])
    withheld = Withholding(retriever, hidden, settings.dense_weight).find(QUESTION)
    scores = [paper.score for paper in withheld]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] <= scores[0] <= 1.00001
    assert not hidden & {paper.paper.id for paper in withheld}
    stem = terms(whole[0].paper.title)[0]
    before = whole.statistics.document_frequency(stem)
    assert withheld.statistics.document_frequency(stem) < before
    assert withheld.statistics.papers_held == whole.statistics.papers_held - 2
