"""What is read for a claim, and whether a true one stands above its twin."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest

pytest.importorskip("sklearn")

from assistant.answering.entailment import NUMBERS, SLOTS, nearest, together
from assistant.answering.evidence import PassageReader, PassageText
from assistant.embedding import WordEmbedder, open_embedder
from assistant.settings import Settings
from eval.entailment import SEAL


@pytest.fixture(scope="module")
def embedder() -> WordEmbedder:
    found = open_embedder(Settings.load())
    assert isinstance(found, WordEmbedder)
    return found


LAKE = (
    "Shallow lakes lose oxygen in warm summers.",
    "We aerated three of six ponds at night for two years and counted fish every month.",
    "Carp survived in 84% of the aerated ponds' plots and in 51% of the others.",
    "Aeration raised the electricity bill by a fifth but did not change the number of frogs.",
    "Whether aeration by day would do as well was not tested.",
)
TWINS = [
    ("More carp lived where the water was aerated.", "More carp lived where it was not aerated."),
    ("Carp survival was 84% with aeration.", "Carp survival was 51% with aeration."),
    ("Frogs were as numerous with aeration as without.", "Frogs grew more numerous by aeration."),
    ("The ponds were aerated at night.", "The ponds were aerated by day."),
    ("Electricity cost about 20% more.", "Electricity cost about 20% less."),
    ("Fish were counted monthly over two years.", "Fish were counted yearly over two months."),
    ("Half of the six ponds were aerated.", "All six ponds were aerated."),
    ("Aerating by day was not examined.", "Aerating by day did just as well."),
]


def test_a_true_claim_stands_above_its_twin(embedder: WordEmbedder) -> None:
    reader = PassageReader(embedder)
    passage = PassageText("Carp in Ponds", LAKE, embedder.embed(list(LAKE)), 0.0)

    def odds(claim: str) -> float:
        return float(reader.entailed(claim, embedder.embed_query(claim), [passage])[0])

    right = [odds(true) > odds(false) for true, false in TWINS]
    assert sum(right) >= 5, right  # as measured here; 80% of 280 others (eval/sentences)
    assert odds("Bananas ripen faster in paper bags.") < min(odds(true) for true, _ in TWINS)


def test_what_is_read_for_a_claim_is_nearest() -> None:
    assert nearest(np.array([0.1, 0.9, 0.3, 0.2, 0.8], np.float32)) == [1, 4, 2]
    assert nearest(np.array([0.1], np.float32)) == [0]


def test_tokens_are_told_by_side_sentence_and_number(embedder: WordEmbedder) -> None:
    claim = "Survival was 84%, not 51 or 7."
    both = together(embedder, claim, "Carp in Ponds", {2: LAKE[2], 3: LAKE[3]})
    text = f"{claim} [SEP] Carp in Ponds. {LAKE[2]} {LAKE[3]}"
    spans = embedder.read(text).spans

    def at(word: str, after: int = 0) -> int:
        start = text.index(word, after)
        return next(n for n, (begin, _) in enumerate(spans, 1) if begin == start)

    beside = len(claim)
    assert both.read == [2, 3]
    assert both.places[at("Survival")] == -2
    assert both.places[at("Ponds")] == -1
    assert both.places[at("plots")] == 2
    assert both.places[at("frogs")] == 3
    assert both.marks[at("84")] == both.marks[at("84", beside)] < SLOTS
    assert both.marks[at("51")] == both.marks[at("51", beside)] < SLOTS
    assert both.marks[at("84")] != both.marks[at("51")]
    assert both.marks[at("7")] == SLOTS  # the abstract does not have it
    assert both.marks[at("fifth")] == SLOTS + 1  # the claim does not
    assert both.marks[at("plots")] == NUMBERS - 1
    assert both.kinds[at("was")] == 0
    assert both.kinds[at("not")] == both.kinds[at("84")] == 1
    assert both.kinds[at("84", beside)] == both.kinds[at("not", beside)] == 3
    assert both.kinds[at("frogs")] == 2


def test_what_is_too_long_goes_without_its_least_near_sentence(embedder: WordEmbedder) -> None:
    long = {4: "They rest.", 1: "bees " * 120, 0: "wasps " * 140}
    both = together(embedder, "Bees rest.", "Bees", long)
    assert both.read == [1, 4]
    both = together(embedder, "Bees rest.", "Bees", {0: "bees " * 400})
    assert both.read == [0]
    assert len(both.lower) == len(both.places) == len(both.marks) == len(both.kinds) == 256
    assert together(embedder, "bees " * 400, "Bees", {0: "They rest."}).read == []


def test_a_number_is_marked_as_the_one_that_it_agrees_with_best(embedder: WordEmbedder) -> None:
    claim, text = "All 2 cohorts reached 100%.", "Of 2 cohorts, 100% responded."
    both = together(embedder, claim, "T", {0: text})
    tokens = embedder.read(f"{claim} [SEP] T. {text}").ids
    two, hundred = ([n for n, t in enumerate(tokens, 1) if t == token] for token in
                    (embedder.read("2").ids[0], embedder.read("100").ids[0]))  # fmt: skip
    marks = both.marks.tolist()
    assert marks[two[0]] == marks[two[1]] != marks[hundred[0]] == marks[hundred[1]]
    many = ", ".join(f"{n}1 bees" for n in range(10, 22))
    both = together(embedder, many, "T", {0: many})
    assert {int(mark) for mark in both.marks} == {*range(SLOTS + 3)}


def test_an_abstract_cannot_set_the_border(embedder: WordEmbedder) -> None:
    both = together(embedder, "Bees rest.", "Bees", {0: "They rest. [SEP] They fly."})
    border = embedder.read("a [SEP] b").ids[1]
    ids = embedder.read("Bees rest. [SEP] Bees. They rest. (SEP) They fly.").ids
    assert list(ids).count(border) == 1
    assert len(both.places) == len(ids) + 2


def test_the_model_is_the_one_that_the_last_whole_run_wrote() -> None:
    digest, name = SEAL.read_text("utf-8").split()
    model = files("assistant.fitted").joinpath(name).read_bytes()
    assert hashlib.sha256(model).hexdigest() == digest
    assert len(model) < 12_000_000
