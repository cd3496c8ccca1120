"""Words of a question as the library writes them."""

from __future__ import annotations

import pytest
from fake_embedder import FakeEmbedder

from assistant import Assistant, Paper, Settings
from assistant.answering.spelling import as_held, base_forms
from assistant.retrieved import Statistics


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Statistics:
    folder = tmp_path_factory.mktemp("spelling")
    assistant = Assistant(Settings.load(library=folder / "library", cache=folder / "cache"))
    assistant._opened_embedder = FakeEmbedder()
    text = (
        "A fibre of colour in the center. Behavior was modelled on CIFAR-10 by visualization. The "
        "timbre of tiers, filling, tilling, a holy flor, Keler. Edema, hemoglobin, anaesthesia."
    )
    assistant.library.ingest([Paper(title="Fibres", abstract=text)])
    return assistant.library.statistics


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ("fiber optics", "fibre optics"),
        ("color of fibers", "colour of fibres"),
        ("in the centre", "in the center"),
        ("behaviour modeling", "behavior modeling"),
        ("visualisation on cifar10", "visualization on cifar-10"),
        ("oedema and haemoglobin", "edema and hemoglobin"),
        ("anesthesia", "anaesthesia"),
        ("timber, tires, tiling, holly", "timber, tires, tiling, holly"),
        ("a flour of our own by Keller", "a flour of our own by Keller"),
    ],
)
def test_words_are_spelled_as_the_library_does(
    asked: str, held: str, statistics: Statistics
) -> None:
    assert as_held(asked, statistics) == held


@pytest.mark.parametrize(
    ("word", "base"),
    [("tricking", "trick"), ("baked", "bake"), ("plotted", "plot"), ("carries", "carry")],
)
def test_a_word_is_a_form_of_another(word: str, base: str) -> None:
    assert base in base_forms(word)


def test_what_has_no_ending_is_a_form_of_none() -> None:
    assert base_forms("quantzation") == []
    assert base_forms("is") == []
