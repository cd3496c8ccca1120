"""The support checker, with the embedded model where there is one, and its particulars."""

from __future__ import annotations

import math
import time

import pytest

from assistant.answering.particulars import Particulars
from assistant.answering.support import FEATURES, Source, SupportChecker
from assistant.fitted import load
from tests.answering.conftest import WordsEmbedder

ABSTRACT = [
    "Large language models are slow to serve.",
    "We propose SlimMoE, which prunes experts of Mixtral-8x7B without retraining.",
    "It reduces memory by 62% and is 2.3x faster than the dense baseline.",
    "Accuracy on MMLU drops by half a point, and training needs 1,000 samples.",
    "It does not need a calibration set.",
]
TITLE = "SlimMoE: Pruning Experts"


@pytest.fixture
def checker() -> SupportChecker:
    return SupportChecker(WordsEmbedder(), lambda term: 1.0 + math.log(len(term)))


def numbers(text: str) -> list[str]:
    return [n.shown for n in Particulars.of(text).numbers]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2x faster", "2× faster"),
        ("2x faster", "twice as fast"),
        ("2 times", "two-fold"),
        ("62%", "62 percent"),
        ("62%", "62 per cent"),
        ("62%", "0.62"),
        ("1,000 samples", "1000 samples"),
        ("5.7M parameters", "5.7 million parameters"),
        ("10k images", "10,000 images"),
        ("70B", "70 billion"),
        ("half of them", "50% of them"),
        ("halves the cost", "0.5 of the cost"),
        ("ten times", "10x"),
        ("59.5@5%", "59.5 with 5%"),
        ("three tasks", "3 tasks"),
        ("doubles", "2x"),
    ],
)
def test_numbers_that_say_the_same_agree(one: str, other: str) -> None:
    here, there = Particulars.of(one).numbers, Particulars.of(other).numbers
    assert here
    assert all(any(a.agrees(b) for b in there) for a in here), (here, there)


@pytest.mark.parametrize(
    ("one", "other"),
    [("62%", "63%"), ("2x", "2%"), ("2.3x", "2.31x"), ("1,000", "10,000"), ("5M", "5B")],
)
def test_numbers_that_differ_do_not(one: str, other: str) -> None:
    assert not Particulars.of(one).numbers[0].agrees(Particulars.of(other).numbers[0])


def test_what_is_part_of_a_name_is_no_number() -> None:
    assert numbers("GPT-4 and BERT-2 on A100") == []
    assert Particulars.of("We test GPT-4, LoRA, MoE and ImageNet on ARC.").names == (
        "GPT-4", "LoRA", "MoE", "ImageNet", "ARC",
    )  # fmt: skip


@pytest.mark.parametrize(
    "sentence",
    [
        "SlimMoE prunes experts of Mixtral-8x7B without retraining.",
        "It reduces memory by 62 percent and is 2.3× faster than the dense baseline.",
        "Accuracy on MMLU drops by 0.5 points, and training needs 1000 samples.",
        "It does not need a calibration set.",
    ],
)
def test_true_sentences_are_supported(sentence: str, checker: SupportChecker) -> None:
    verdict = checker.check(sentence, ABSTRACT, title=TITLE)
    assert verdict.support == "supported", verdict
    assert verdict.quote in ABSTRACT


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("It reduces memory by 72% and is 2.3x faster than the dense baseline.", "72%"),
        ("SlimMoE prunes experts of Switch-XXL without retraining.", "Switch-XXL"),
        ("It increases memory by 62% and is 2.3x slower than the dense baseline.", "opposite"),
        ("It does need a calibration set.", "opposite"),
        ("Bananas ripen overnight in paper bags.", "little in common"),
    ],
)
def test_false_sentences_are_not(sentence: str, why: str, checker: SupportChecker) -> None:
    verdict = checker.check(sentence, ABSTRACT, title=TITLE)
    assert verdict.support != "supported", verdict
    assert why in verdict.why


def test_papers_are_compared_and_joined(checker: SupportChecker) -> None:
    one, two = Source(tuple(ABSTRACT[:3]), None, TITLE), Source(tuple(ABSTRACT[3:]), None, TITLE)
    sentence = "It reduces memory by 62% and accuracy on MMLU drops by half a point."
    single = checker.check_sources(sentence, [one, two])
    joined = checker.check_joined(sentence, [one, two])
    assert joined.score >= max(v.score for v in single)
    assert joined.support == "supported"


def test_odd_texts_break_nothing(checker: SupportChecker) -> None:
    for sentence in ("", "…", "専門家を剪定する。", "x" * 10_000, "1 2 3 4 5 " * 200):
        for sentences, title in ((ABSTRACT, TITLE), ([], TITLE), ([""], "")):
            verdict = checker.check(sentence, sentences, title=title)
            assert 0 <= verdict.score <= 1


def test_a_check_takes_a_few_milliseconds(checker: SupportChecker) -> None:
    vectors = WordsEmbedder().embed(ABSTRACT)
    sources = [Source(tuple(ABSTRACT), vectors, TITLE) for _ in range(8)]
    checker.check_sources("warm", sources)
    began = time.perf_counter()
    for n in range(20):
        checker.check_sources(f"It reduces memory by 62% in case {n}.", sources)
    assert (time.perf_counter() - began) / 20 < 0.05


def test_the_coefficients_fit_the_features() -> None:
    weights = load("support").weights
    assert set(weights) == set(FEATURES)
    assert weights["cosine_two"] > 0
    assert weights["terms_sentence"] > 0
    for penalty in ("number_missing", "name_missing", "number_moved", "absolute_new"):
        assert weights[penalty] < 0
