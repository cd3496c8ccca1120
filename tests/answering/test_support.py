"""The support checker, with the embedded model where there is one, and its particulars."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest

from assistant.answering.attachment import (
    Held,
    crossed_words,
    number_company,
    swapped_numbers,
    turned_round,
    turns,
    word_company,
)
from assistant.answering.evidence import PassageReader
from assistant.answering.particulars import Particulars, bare_claim, measure_of
from assistant.answering.support import (
    FEATURES,
    OPPOSITE,
    OTHER_LANGUAGE,
    READ,
    Source,
    SupportChecker,
    proof,
)
from assistant.embedding.minilm import MiniLM
from assistant.fitted import load
from assistant.languages import differs, language
from assistant.settings import Settings
from eval.support_fit import auroc, scores, written
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


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    """The embedded model, out of CI's cache where there is one."""
    named = os.environ.get("ASSISTANT_CACHE")
    folder = Path(named) if named else tmp_path_factory.mktemp("model")
    return MiniLM.open(Settings.load(cache=folder))


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


@pytest.mark.parametrize(
    ("said", "held", "agrees"),
    [
        ("nearly 93%", "92.7%", True),
        ("about twice as fast", "92.7% faster", True),
        ("over 90%", "92.7%", True),
        ("over 95%", "92.7%", False),
        ("93%", "92.7%", False),
        ("a quarter", "1/4 of the cost", True),
        ("one-fifth", "20%", True),
        ("92,7 %", "92.7%", True),
        ("1,000", "1000", True),
    ],
)
def test_rounding_fractions_and_decimal_commas(said: str, held: str, agrees: bool) -> None:
    here, there = Particulars.of(said).numbers[0], Particulars.of(held).numbers[0]
    assert here.agrees(there) == agrees


def test_what_is_divided_by_nothing_is_no_fraction() -> None:
    numbers = Particulars.of("A binary 1/0 code fills 1/4 of the time.").numbers
    assert [number.shown for number in numbers] == ["1", "0", "1/4"]


def test_a_number_may_be_made_of_two() -> None:
    gain, low, high = Particulars.of("2.3 points, 65.3 and 67.6").numbers
    assert gain.derives(low, high)
    assert not Particulars.of("2.4 points").numbers[0].derives(low, high)
    three, one, two = Particulars.of("3 of 1 and 2").numbers
    assert not three.derives(one, two)
    assert three.derives(one, two, small=True)


def test_a_small_difference_counts_where_both_numbers_are_named(checker: SupportChecker) -> None:
    held = ["The noise fell from 54 to 47 decibels after the change."]
    assert "not in the abstract" not in checker.check("It fell by 7, from 54 to 47.", held).why
    assert "9" in checker.check("It fell by 9, from 54 to 47.", held).why
    assert "7" in checker.check("It fell by 7 decibels.", held).why


def test_numbers_in_words() -> None:
    found = Particulars.of("Forty-eight of sixteen hundred, twenty thousand and a dozen").numbers
    assert [n.readings[0][0] for n in found] == [48, 1600, 20000, 12]


def test_half_of_a_copied_sentence_denies_nothing(checker: SupportChecker) -> None:
    held = ["Reading was slower in the bright room; in the dim room there was no difference."]
    assert checker.check("Reading was slower in the bright room.", held).why != OPPOSITE
    assert checker.check("In the dim room there was a difference.", held).support != "supported"


def test_swapped_numbers_are_seen_by_their_company() -> None:
    held_text = "The valve opens 41% sooner in cold water and 12% later in warm water."

    def most(claim: str) -> tuple[float, float]:
        said, known = (list(Particulars.of(t).numbers) for t in (claim, held_text))
        held = [
            Held(number, company, 0)
            for number, company in zip(known, number_company(held_text, known), strict=True)
        ]
        return swapped_numbers(said, number_company(claim, said), held, lambda _: 1.0)

    right = most("In cold water it opens 41% sooner, in warm water 12% later.")
    wrong = most("In cold water it opens 12% sooner, in warm water 41% later.")
    assert max(right) <= 0
    assert min(wrong) > 0.1


def test_words_that_change_places_are_seen() -> None:
    held = word_company("Robins nest early in gardens, whereas thrushes nest late in woods.")

    def crossed(claim: str) -> float:
        return crossed_words(word_company(claim), held, lambda _: 1.0)

    swapped = crossed("Thrushes nest early in gardens, and robins nest late in woods.")
    same = crossed("Thrushes nest late in woods, and robins nest early in gardens.")
    assert swapped > 0.1
    assert same <= 0
    assert crossed("Nothing of this.") == 0


@pytest.mark.parametrize(
    ("claim", "opposite"),
    [
        ("The new pump is slower than the old pump.", True),
        ("The old pump is slower than the new pump.", False),
        ("The old pump is faster than the new pump.", True),
        ("The new pump is not faster than the old pump.", True),
        ("Leaks in winter were not affected by the new pump.", False),
        ("Leaks in winter were affected by the new pump.", True),
        ("In winter the new pump left the leaks unchanged.", False),
        ("The pumps are painted.", False),
    ],
)
def test_what_is_turned_round_is_told_from_what_is_turned_twice(claim: str, opposite: bool) -> None:
    held = ["The new pump is faster than the old pump.", "It did not affect leaks in winter."]
    there = [turn for text in held for turn in turns(text, Particulars.of(text).directions)]
    here = turns(claim, Particulars.of(claim).directions)
    assert (turned_round(here, there, lambda _: 1.0) > 0.1) == opposite


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("in 24 weeks", ("wk", "")),
        ("12.8 mm/min", ("mm", "min")),
        ("12.8 millimetres per minute", ("mm", "min")),
        ("3 kg", ("kg", "")),
        ("a 30-minute nap", ("min", "")),
        ("30 GPU-hours", ("h", "")),
        ("24 patients", ("", "")),
        ("7%", ("", "")),
    ],
)
def test_measures(text: str, measure: tuple[str, str]) -> None:
    assert measure_of(text, Particulars.of(text).numbers[0]) == measure


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The valve opens sooner than it did before.", "english"),
        ("Das Ventil öffnet sich früher, und es schließt nicht mehr.", "german"),
        ("La valve s'ouvre plus tôt dans l'eau et ne se ferme pas.", "french"),
        ("阀门在冷水中打开得更早。", "cjk"),
        ("Клапан открывается раньше.", "cyrillic"),
        ("41% on Mixtral-8x7B", ""),
        ("Unter Kälte wurden 18 Ventile undicht befunden.", "german"),
    ],
)
def test_languages(text: str, name: str) -> None:
    assert language(text) == name


def test_a_short_sentence_in_english_is_no_other_language() -> None:
    abstract = "The valve leaks. Leaks fell to 18 litres per hour when it was closed by hand."
    assert not differs("Closing lowered leaks to 18 litres per hour.", abstract)
    assert differs("Das Ventil verlor nur noch 18 Liter je Stunde.", abstract)


def test_another_language_is_not_checked(checker: SupportChecker) -> None:
    verdict = checker.check("它将内存减少了 62%。", ABSTRACT, title=TITLE)
    assert (verdict.support, verdict.why) == ("partial", OTHER_LANGUAGE)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("1. **Speed** – twice as fast", "Speed – twice as fast"),
        ("- Memory falls ()", "Memory falls"),
        ("| SlimMoE | 62% | Yes |", "SlimMoE; 62%; Yes"),
        ("According to papers 1 and 2, it falls.", "According to the paper, it falls."),
        ("3 tasks are used.", "3 tasks are used."),
    ],
)
def test_the_furniture_of_a_list_is_no_claim(text: str, bare: str) -> None:
    assert bare_claim(text) == bare


def test_a_proof_holds_every_number_and_name() -> None:
    source = Source(tuple(ABSTRACT), None, TITLE)
    shown = proof("Memory falls by 62% and 1,000 samples are needed.", ABSTRACT[2], [source])
    assert shown == f"{ABSTRACT[2]} … {ABSTRACT[3]}"


def test_authors_and_years_of_a_paper_are_known(checker: SupportChecker) -> None:
    sentence = "Brandt and colleagues pruned experts of Mixtral-8x7B in 2023."
    bare = Source(tuple(ABSTRACT), None, TITLE)
    known = Source(tuple(ABSTRACT), None, TITLE, "Lena Brandt; 2023")
    assert "Brandt" in checker.check_sources(sentence, [bare])[0].why
    assert "not in the abstract" not in checker.check_sources(sentence, [known])[0].why


def test_written_pairs_of_other_fields_are_told_apart(minilm: MiniLM) -> None:
    own = written(PassageReader(minilm))
    held = ~own.fitted
    assert (len(own.kinds), int(held.sum())) == (537, 70)
    for model in ("support", "support-lexical"):
        scored = scores(own.features, load(model))
        true, false = scored[held & own.holds], scored[held & ~own.holds]
        assert auroc(true, false) > 0.89
        assert float((true <= 0).mean()) < 0.15
        assert float((false <= 0).mean()) > 0.6


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
    began = time.process_time()
    for n in range(20):
        checker.check_sources(f"It reduces memory by 62% in case {n}.", sources)
    assert (time.process_time() - began) / 20 < 0.05


def test_the_coefficients_fit_the_features() -> None:
    weights = load("support").weights
    assert set(weights) == {*FEATURES, READ}
    assert weights[READ] > 0
    weights = load("support-lexical").weights
    assert set(weights) == set(FEATURES)
    assert weights["cosine"] > 0
    for penalty in ("number_missing", "name_missing", "number_moved", "turned_round"):
        assert weights[penalty] < 0
