"""What a question asks for, what speaks for a passage, and how sure the program is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_embedder import FakeEmbedder

from assistant import Assistant
from assistant.answering.confidence import assess
from assistant.answering.evidence import PassageReader, passage_text
from assistant.answering.question import Question
from assistant.embedding import Embedder
from assistant.library import Library
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import AnswerSettings, Settings


@pytest.fixture(scope="module")
def assistant(
    tmp_path_factory: pytest.TempPathFactory, real_embedder: Embedder, model_cache: Path
) -> Assistant:
    folder = tmp_path_factory.mktemp("confidence") / "library"
    made = Assistant(Settings(library=folder, cache=model_cache))
    made.ingest(SAMPLE_PAPERS)
    return made


def read(text: str, library: Library, embedder: Embedder | None = None) -> Question:
    chosen = embedder or FakeEmbedder()
    return Question.read(text, chosen.embed_query(text), library.index(), chosen)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("How many GPUs were used?", True),
        ("Latent video decoder on a phone: FPS gain?", True),
        ("What speed-up does it give?", True),
        ("Why does it fail?", False),
        ("Is there work on units that are histograms, not one number?", False),
        ("What decides how many layers it runs?", False),
    ],
)
def test_whether_a_number_is_wanted(sample_library: Library, text: str, wanted: bool) -> None:
    assert read(text, sample_library).wants_number is wanted


@pytest.mark.parametrize(
    ("text", "papers"),
    [
        ("Is there work on pruning?", True),
        ("Compare ways of pruning experts", True),
        ("expert pruning without retraining", True),
        ("Why does pruning hurt accuracy?", False),
        ("How many experts remain?", False),
    ],
)
def test_whether_papers_are_wanted(sample_library: Library, text: str, papers: bool) -> None:
    assert read(text, sample_library).wants_papers is papers


def test_names_and_focus(sample_library: Library) -> None:
    question = read("How many parameters does LLaMA-65B have on Frontier?", sample_library)
    assert {"llama", "65b", "frontier"} <= set(question.names)
    focus = {w for w, f in zip(question.states.words, question.focus, strict=True) if f}
    assert focus == {"parameters"}


def test_coverage_is_a_share_of_the_question(sample_library: Library) -> None:
    question = read("pruning schedules", sample_library)
    assert question.coverage(set()) == 0
    assert question.coverage(set(question.terms)) == pytest.approx(1)


def test_a_passage_that_answers_has_more_evidence(assistant: Assistant) -> None:
    asked = "When should pruning begin and end during pre-training?"
    retriever, reader = assistant._retriever(), assistant._reader()
    ranking = retriever.rank(asked)
    question = Question.read(asked, ranking.vector, ranking.index, reader.embedder)
    evidence = reader.evidence(question, ranking, 5)
    assert int(np.argmax(evidence)) == 0
    first = reader.features(question, passage_text(ranking, 0))
    last = reader.features(question, passage_text(ranking, 7))
    for name in ("soft_coverage", "best_sentence_cosine", "coverage"):
        assert first[name] > last[name]
    assert all(np.isfinite(list(features.values())).all() for features in (first, last))


def test_status_follows_the_confidence(assistant: Assistant) -> None:
    retriever, reader = assistant._retriever(), assistant._reader()
    asked = "When should pruning begin and end during pre-training?"
    ranking = retriever.rank(asked)
    settings = AnswerSettings()
    found = assess(ranking, asked, reader, settings)
    assert found.status == "answered"
    assert found.relevant[0] == 0
    stricter = settings.model_copy(update={"answered_from": 0.9999, "closest_from": 0.5})
    assert assess(ranking, asked, reader, stricter).status == "closest"
    strictest = settings.model_copy(update={"answered_from": 1.0, "closest_from": 1.0})
    nothing = assess(ranking, asked, reader, strictest)
    assert (nothing.status, nothing.relevant) == ("absent", [])


def test_only_stop_words_are_no_question(assistant: Assistant) -> None:
    ranking = assistant._retriever().rank("the of and")
    found = assess(ranking, "the of and", assistant._reader(), AnswerSettings())
    assert (found.confidence, found.status) == (0.0, "absent")


def test_other_embedding_models_get_the_lexical_evidence(sample_library: Library) -> None:
    embedder = FakeEmbedder()
    reader = PassageReader(embedder)
    assert "soft_coverage" not in reader.model.weights
    question = read("When should pruning begin?", sample_library, embedder)
    assert question.rarity.shape == (len(question.states.words),)
    assert ((question.rarity >= 0) & (question.rarity <= 1)).all()
