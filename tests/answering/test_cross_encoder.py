"""The cross-encoder: every sentence is read once, and what answers stands out."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from assistant.answering.cross_encoder import UNREAD, CrossEncoder, windows
from assistant.embedding import WordEmbedder, open_embedder
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
def encoder(embedder: WordEmbedder) -> CrossEncoder:
    return CrossEncoder(embedder)


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("how many hives were there?", 1),
        ("how much honey did colonies near the sea make", 3),
        ("why do bees fly less at the coast", 4),
        ("what was not studied about rooftop hives", 5),
        ("how were dead bees counted", 2),
    ],
)
def test_the_sentence_that_answers_is_the_likeliest(
    encoder: CrossEncoder, question: str, place: int
) -> None:
    odds = encoder.read(encoder.question(question), TITLE, SENTENCES)
    assert odds.shape == (len(SENTENCES),)
    assert int(odds.argmax()) == place, odds


def test_what_nothing_answers_is_less_likely_than_what_something_does(
    encoder: CrossEncoder,
) -> None:
    told = encoder.read(encoder.question("how many hives were there?"), TITLE, SENTENCES)
    for other in ("what do the hives cost", "which neural network predicts rain in Peru"):
        assert encoder.read(encoder.question(other), TITLE, SENTENCES).max() < told.max()


def test_what_is_left_out_is_not_read(encoder: CrossEncoder) -> None:
    asked = encoder.question("how many hives were there?")
    odds = encoder.read(asked, TITLE, ("", *SENTENCES[1:]))
    assert odds[0] == np.float32(UNREAD)
    assert int(odds.argmax()) == 1
    assert encoder.read(asked, TITLE, ()).shape == (0,)
    assert list(encoder.read(asked, TITLE, ("", ""))) == [UNREAD, UNREAD]


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
