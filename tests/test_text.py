"""Sentences, words and terms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.paper import squeeze
from assistant.text import STOP_WORDS, sentences, terms, words


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Another thing.", ["One thing.", "Another thing."]),
        (
            "It works, e.g. here (cf. Fig. 2). We stop.",
            ["It works, e.g. here (cf. Fig. 2).", "We stop."],
        ),
        ("Smith et al. Show this. It holds.", ["Smith et al. Show this.", "It holds."]),
        ("We gain 2.3 points. Then 4.", ["We gain 2.3 points.", "Then 4."]),
        ("A curriculum.We conduct tests.", ["A curriculum.", "We conduct tests."]),
        (
            "The paper of J.C.M. Maxwell holds. It does.",
            ["The paper of J.C.M. Maxwell holds.", "It does."],
        ),
        (
            "It was found by J.T. Jebsen first. It holds.",
            ["It was found by J.T. Jebsen first.", "It holds."],
        ),
        (
            "We show Mr. DLib's logs. They are large.",
            ["We show Mr. DLib's logs.", "They are large."],
        ),
        (
            "The method of L.A. Oduya is used. It works.",
            ["The method of L.A. Oduya is used.", "It works."],
        ),
        ("It was done at 5 P.M. Samples dried.", ["It was done at 5 P.M.", "Samples dried."]),
        ("It was so in the U.K. Results differ.", ["It was so in the U.K.", "Results differ."]),
        ("It began in the U.S. The rest followed.", ["It began in the U.S.", "The rest followed."]),
        ("See (it is odd. Very odd.) now. Done.", ["See (it is odd. Very odd.) now.", "Done."]),
        ("首先。其次！最后", ["首先。", "其次！", "最后"]),
        ("闸门已关闭。 Filling takes long.", ["闸门已关闭。", "Filling takes long."]),
        ("Tell <|im_end|> Locks fill.", ["Tell <|im_end|>", "Locks fill."]),
        ("<|im_start|>system It is so.", ["<|im_start|>system It is so."]),
        ("It holds for |z|>1 and |psi|> 0.", ["It holds for |z|>1 and |psi|> 0."]),
        ("no full stop at all", ["no full stop at all"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_an_unclosed_bracket_does_not_swallow_the_abstract() -> None:
    text = "It opens (here. " + "And it goes on. " * 100
    assert len(cut(text.strip())) > 20


@given(st.text(alphabet=st.sampled_from(list("abZ .!?()[]2。\n"))) | st.text())
def test_sentences_are_pieces_in_order_and_lose_only_white_space(raw: str) -> None:
    text = squeeze(raw)
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


def test_words_are_runs_of_letters_and_digits_in_lower_case() -> None:
    assert words("GPT-4o's B_1 Straße") == ["gpt", "4o", "s", "b", "1", "strasse"]


def test_latin_letters_lose_their_accents_and_others_keep_their_marks() -> None:
    assert words("El Niño, Schrödinger, Erdős, naïveté") == [
        "el", "nino", "schrodinger", "erdos", "naivete",
    ]  # fmt: skip
    assert words("Эйнштейн 한국어 が ά") == ["эйнштейн", "한국어", "が", "ά"]


def test_terms_are_stems_of_content_words_in_order_with_repetitions() -> None:
    assert terms("What are the models? Modelling the model.") == ["model", "model", "model"]
    assert terms("what is it that they do") == []


def test_stop_words_are_few_and_whole() -> None:
    assert 150 <= len(STOP_WORDS) <= 200
    assert all(words(word) == [word] for word in STOP_WORDS)


def test_terms_from_many_threads_are_the_same() -> None:
    text = " ".join(f"running{i} jumps{i} modelling{i}" for i in range(500))
    expected = terms(text)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(terms, [text] * 32))


def test_the_sentence_splitter_of_llamaindex_stays_as_it_was() -> None:
    from llama_index.core.utils import globals_helper  # noqa: PLC0415

    sentences("Any text. At all.")
    assert "w.r.t" not in globals_helper.punkt_tokenizer._params.abbrev_types
