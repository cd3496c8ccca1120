"""A ranking without some papers is the ranking of a library that never held them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_embedder import FakeEmbedder

from assistant.library import Library
from assistant.retrieval import PaperRetriever, Ranking
from assistant.settings import RetrievalSettings
from eval.answers import without

QUESTION = "pruning experts of a mixture without retraining"


def _ranked(library: Library, embedder: FakeEmbedder, settings: RetrievalSettings) -> Ranking:
    return PaperRetriever(library, embedder, settings).rank(QUESTION, 1000)


def test_as_if_they_were_not_there(
    sample_library: Library, embedder: FakeEmbedder, make_library: Callable[..., Library]
) -> None:
    settings = RetrievalSettings(dense_weight=1.0)  # BM25 would still count them in its idf
    whole = _ranked(sample_library, embedder, settings)
    hidden = [int(place) for place in whole.places[:3]]
    names = [whole.index.paper(place).id for place in hidden]
    withheld = without(whole, frozenset(hidden), settings.dense_weight)
    sample_library.remove(names)
    smaller = _ranked(sample_library, embedder, settings)
    ours = [withheld.index.paper(int(place)).id for place in withheld.places]
    theirs = [smaller.index.paper(int(place)).id for place in smaller.places]
    assert len(withheld) == len(whole) - 3
    assert ours[:50] == theirs[:50]
    assert withheld.scores.tolist() == pytest.approx(smaller.scores.tolist(), abs=1e-5)
    assert withheld.best_cosines.tolist() == pytest.approx(smaller.best_cosines.tolist(), abs=1e-6)


def test_fused_scores_stay_in_order_and_between_zero_and_one(
    sample_library: Library, embedder: FakeEmbedder
) -> None:
    settings = RetrievalSettings()
    whole = _ranked(sample_library, embedder, settings)
    withheld = without(whole, frozenset(whole.places[:2].tolist()), settings.dense_weight)
    scores = withheld.scores.tolist()
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] <= scores[0] <= 1.00001
    assert not set(whole.places[:2].tolist()) & set(withheld.places.tolist())
