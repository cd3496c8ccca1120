"""The cross-encoder: every sentence is read once, and what answers stands out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files

import numpy as np
import pytest

from assistant.answering.cross_encoder import (
    UNREAD,
    CrossEncoder,
    joined,
    windows,
)
from assistant.embedding import Vectors, WordEmbedder, open_embedder
from assistant.settings import Settings
from eval.cross_encoder import SEAL

TITLE = "Keeping bees on the roofs of a harbour town"
SENTENCES = (
    "Roofs are warm places that few people use.",
    "We kept thirty-two hives on eleven roofs for three summers.",
    "Every week a volunteer weighed the hives and counted dead bees at the entrance.",
    "Colonies by the water gathered 14 kg of honey a year, those inland twice as much.",
    "We think that the wind from the sea keeps the bees at home.",
    "Hives were not followed over the winter, so losses in the cold remain unknown.",
)


@pytest.fixture(scope="module")
def embedder() -> WordEmbedder:
    found = open_embedder(Settings.load())
    assert isinstance(found, WordEmbedder)
    return found


@pytest.fixture(scope="module")
def encoder() -> CrossEncoder:
    return CrossEncoder()


@pytest.fixture
def read(embedder: WordEmbedder, encoder: CrossEncoder) -> Callable[..., Vectors]:
    """The log-odds of sentences for a question."""

    def odds(question: str, sentences: Sequence[str] = SENTENCES) -> Vectors:
        passage = list(windows(embedder, TITLE, sentences))
        return encoder.read(embedder.read(question).lower, passage, len(sentences))

    return odds


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("how many hives were there?", 1),
        ("how much honey did colonies near the sea make", 3),
        ("why do bees fly less at the coast", 4),
        pytest.param(
            "what was not studied about rooftop hives",
            5,
            marks=pytest.mark.xfail(
                reason="the model of 28 November takes sentence 2", strict=True
            ),
        ),
        ("how were dead bees counted", 2),
    ],
)
def test_the_sentence_that_answers_is_the_likeliest(
    read: Callable[..., Vectors], question: str, place: int
) -> None:
    odds = read(question)
    assert odds.shape == (len(SENTENCES),)
    assert int(odds.argmax()) == place, odds


def test_what_nothing_answers_is_less_likely_than_what_something_does(
    read: Callable[..., Vectors],
) -> None:
    told = read("how many hives were there?")
    for other in ("what do the hives cost", "which neural network predicts rain in Peru"):
        assert read(other).max() < told.max()


def test_what_is_left_out_is_not_read(read: Callable[..., Vectors]) -> None:
    asked = "how many hives were there?"
    odds = read(asked, ("", *SENTENCES[1:]))
    assert odds[0] == np.float32(UNREAD)
    assert int(odds.argmax()) == 1
    assert read(asked, ()).shape == (0,)
    assert list(read(asked, ("", ""))) == [UNREAD, UNREAD]


def test_what_is_read_already_is_not_read_again(embedder: WordEmbedder) -> None:
    sentences = ("", *SENTENCES[:3], "", SENTENCES[3], "")
    text, starts = joined(TITLE, sentences)
    assert all(text[start:].startswith(s) for start, s in zip(starts, sentences, strict=True))
    (at_hand,) = windows(embedder, TITLE, sentences, embedder.read(text))
    (anew,) = windows(embedder, TITLE, sentences)
    np.testing.assert_array_equal(at_hand.states, anew.states)
    np.testing.assert_array_equal(at_hand.places, anew.places)
    assert at_hand.read == [1, 2, 3, 5]


def test_a_long_abstract_is_read_in_windows_each_sentence_once(embedder: WordEmbedder) -> None:
    long = [f"In year {n} the {n} hives of the harbour were weighed again. " * 3 for n in range(40)]
    long[7] = ""
    long[11] = "honey " * 600  # more than a window
    found = list(windows(embedder, TITLE, long))
    read = [place for window in found for place in window.read]
    assert read == [n for n in range(40) if n != 7]
    assert len(found) > 3
    assert all(len(window.states) == len(window.places) <= 256 for window in found)


def test_a_title_longer_than_a_window_ends(embedder: WordEmbedder) -> None:
    found = list(windows(embedder, "bees " * 400, SENTENCES))
    assert len(found) == len(SENTENCES)  # nothing is seen of them, and no end is not an option
    assert all(not window.read for window in found)


def test_the_model_is_the_one_that_the_last_whole_run_wrote() -> None:
    digest, name = SEAL.read_text("utf-8").split()
    model = files("assistant.fitted").joinpath(name).read_bytes()
    assert hashlib.sha256(model).hexdigest() == digest
    assert len(model) < 12_000_000
