"""What a question asks for, what speaks for a passage, and how sure the program is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_embedder import FakeEmbedder

from assistant import Assistant
from assistant.answering.calibration import Calibrations
from assistant.answering.confidence import assess
from assistant.answering.evidence import NUMBER, PassageReader
from assistant.answering.question import Question
from assistant.embedding import Embedder
from assistant.library import Library
from assistant.retrieval import PaperRetriever
from assistant.retrieved import Retrieval
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import AnswerSettings
from tests.answering.conftest import FilledWith


@pytest.fixture(scope="module")
def assistant(filled_with: FilledWith) -> Assistant:
    return filled_with(SAMPLE_PAPERS)


def read(text: str, library: Library, embedder: Embedder | None = None) -> Question:
    chosen = embedder or FakeEmbedder()
    return Question.read(text, chosen.embed_query(text), library.statistics, chosen)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("How many GPUs were used?", True),
        ("Latent video decoder on a phone: FPS gain?", True),
        ("What speed-up does it give?", True),
        ("How massive is the black hole?", True),
        ("How is the mass measured?", False),
        ("Why does it fail?", False),
        ("Is there work on units that are histograms, not one number?", False),
        ("What decides how many layers it runs?", False),
    ],
)
def test_whether_a_number_is_wanted(sample_library: Library, text: str, wanted: bool) -> None:
    assert read(text, sample_library).wants_number is wanted


def test_names_and_focus(sample_library: Library) -> None:
    question = read("How many parameters does LLaMA-65B have on Frontier?", sample_library)
    assert set(question.names) == {"llama65b", "frontier"}
    focus = {w for w, f in zip(question.states.words, question.focus, strict=True) if f}
    assert focus == {"parameters"}


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("price per kilogram of freon", {"price"}),
        ("What was the mean age of the parents in the study?", {"mean", "age"}),
        ("which tokenizer does JetMoE use?", {"tokenizer"}),
        ("how much did it cost to train the model", {"cost"}),
        ("heat transfer", set()),
        ("Which papers are about pruning?", set()),
        ("Does pruning help?", set()),
    ],
)
def test_the_detail_that_is_asked_for(sample_library: Library, text: str, detail: set[str]) -> None:
    question = read(text, sample_library)
    found = zip(question.states.words, question.focus, strict=True)
    assert {word for word, asked in found if asked} == detail


def test_a_number_in_the_unit_that_is_asked_for(sample_library: Library) -> None:
    question = read("how long does a stream of protons last", sample_library)
    assert question.gives("It was seen for as long as 11 days.")
    assert not question.gives("It was seen in 1,400 of 3,000 flights at 30 km.")
    assert not read("what is a stream of protons", sample_library).gives("It lasts 11 days.")


def test_a_number_of_what_is_to_be_counted(sample_library: Library) -> None:
    question = read("How many herons were ringed?", sample_library)
    assert question.counts("Over three winters 48 grey herons were ringed.")
    assert question.counts("We ringed seven herons.")
    assert not question.counts("In 1998 the herons left after eleven days.")
    assert not read("Why do herons leave?", sample_library).counts("We ringed seven herons.")


def test_the_digits_of_a_name_are_no_number() -> None:
    assert NUMBER.findall("GN-z11 and CIFAR-10, seen by v1.57 of H2O-200") == []
    assert NUMBER.findall("29-61 cm, 1,400 of 3.5e, 45B and -0.57") == [
        "29",
        "1,400",
        "3.5",
        "45",
        "0.57",
    ]


def test_coverage_is_a_share_of_the_question(sample_library: Library) -> None:
    question = read("pruning schedules", sample_library)
    assert question.coverage(set()) == 0
    assert question.coverage(set(question.terms)) == pytest.approx(1)


def test_a_passage_that_answers_has_more_evidence(assistant: Assistant) -> None:
    asked = "When should pruning begin and end during pre-training?"
    retriever, reader = assistant._retriever(), assistant._reader()
    found = retriever.find(asked)
    question = Question.read(asked, found.vector, found.statistics, reader.embedder)
    readings = reader.read(question, found[:8])
    assert int(np.argmax([reading.log_odds for reading in readings[:5]])) == 0
    first, last = readings[0], readings[7]
    for name in ("soft_coverage", "sentence_coverage", "best_sentence_cosine", "coverage"):
        assert first.features[name] > last.features[name]
    for reading, paper in ((first, found[0]), (last, found[7])):
        assert np.isfinite(list(reading.features.values())).all()
        assert reading.answers.shape == reading.hit.shape == (len(paper.sentences),)
    assert first.answers.max() > last.answers.max()


def test_status_follows_the_confidence(assistant: Assistant) -> None:
    retriever, reader = assistant._retriever(), assistant._reader()
    asked = "When should pruning begin and end during pre-training?"
    ranking = retriever.find(asked)
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
    ranking = assistant._retriever().find("the of and")
    found = assess(ranking, "the of and", assistant._reader(), AnswerSettings())
    assert (found.confidence, found.status) == (0.0, "absent")


def test_other_embedding_models_get_the_lexical_evidence(sample_library: Library) -> None:
    embedder = FakeEmbedder()
    reader = PassageReader(embedder)
    assert "soft_coverage" not in reader.model.weights
    question = read("When should pruning begin?", sample_library, embedder)
    assert question.rarity.shape == (len(question.states.words),)
    assert ((question.rarity >= 0) & (question.rarity <= 1)).all()


def test_a_word_that_no_paper_holds_is_unknown(sample_library: Library) -> None:
    assert read("pruning schedules", sample_library).unknown == 0
    assert read("pruning of xylophones", sample_library).unknown > 0


def test_names_are_found_whatever_their_hyphens(sample_library: Library) -> None:
    assert read("the cost of GPT-4", sample_library).names == ("gpt4",)
    assert read("the cost of GPT‑4", sample_library).names == ("gpt4",)


def test_a_library_is_calibrated_once_and_again_when_it_has_grown(
    assistant: Assistant, tmp_path: Path
) -> None:
    made = Calibrations(assistant.library, assistant._embedder(), tmp_path)
    retriever = Counting(assistant._retriever())
    first = made.of(retriever)  # type: ignore[arg-type]
    asked = retriever.asked
    assert 0 < first.near_from < 0.6
    assert asked > 30
    assert made.of(retriever) == first  # type: ignore[arg-type]
    again = Calibrations(assistant.library, assistant._embedder(), tmp_path)
    assert again.of(retriever) == first  # type: ignore[arg-type]
    assert retriever.asked == asked


class Counting:
    """A retriever that counts what it is asked."""

    def __init__(self, retriever: PaperRetriever) -> None:
        self._retriever, self.asked = retriever, 0

    def find(self, question: str, k: int | None = None) -> Retrieval:
        self.asked += 1
        return self._retriever.find(question, k)
