"""Citations: markers in every form, cut in every way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.citations import (
    LONGEST,
    Marker,
    MarkerParser,
    Numbering,
    RawSentence,
    SentenceReader,
)

TITLES = [
    "Pruning Experts, Slowly",
    "Attention Is Not All You Need",
    "MoE: A Survey [Extended]",
    "0.1% Data Makes Segment Anything Slim",
    "稀疏模型综述",
]


def parse(pieces: list[str]) -> list[str | Marker]:
    parser = MarkerParser(TITLES)
    parts = [part for piece in pieces for part in parser.feed(piece)] + list(parser.finish())
    merged: list[str | Marker] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part:
            merged.append(part)
    return merged


def read(pieces: list[str]) -> tuple[str, list[tuple[str, list[int], int, bool]]]:
    """The text as a reader sees it, and the sentences."""
    reader, numbering = SentenceReader(TITLES), Numbering()
    shown, sentences = "", []
    for stream in [*(reader.feed(piece) for piece in pieces), reader.finish()]:
        for part in stream:
            if isinstance(part, RawSentence):
                shown += part.shown_rest(numbering.show)
                sentences.append((part.text, part.numbers, part.dropped, part.silent))
            else:
                shown += part
    return shown, sentences


def every_cut(text: str) -> list[list[str]]:
    halves = [[text[:i], text[i:]] for i in range(len(text) + 1)]
    return [*halves, list(text), [text[i : i + 3] for i in range(0, len(text), 3)]]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("[1]", (1,)),
        ("[2, 3]", (2, 3)),
        ("[2,3]", (2, 3)),
        ("[3; 1]", (3, 1)),
        ("[1-3]", (1, 2, 3)),
        ("[1–3, 5]", (1, 2, 3, 5)),
        ("[1 and 4]", (1, 4)),
        ("【1】", (1,)),
        ("【2†source】", (2,)),
        ("【2:0†source】", (2,)),
        ("［5］", (5,)),
        ("[ 4 ]", (4,)),
        ("[^2]", (2,)),
        ("[#2]", (2,)),
        ("[Paper 2]", (2,)),
        ("[papers 1, 2]", (1, 2)),
        ("[1, 1, 2]", (1, 2)),
        ("[Pruning Experts, Slowly]", (1,)),
        ("[pruning experts slowly]", (1,)),
        ("[Attention Is Not]", (2,)),
        ("[0.1% Data Makes Segment Anything Slim]", (4,)),
        ("[稀疏模型综述]", (5,)),
    ],
)
def test_every_form_of_a_marker_is_read(text: str, numbers: tuple[int, ...]) -> None:
    for pieces in every_cut(f"A {text} b"):
        assert parse(pieces) == ["A ", Marker(numbers), " b"]


def test_numbers_that_were_never_given_are_dropped_and_counted() -> None:
    assert parse(["[9]"]) == [Marker((), dropped=1)]
    assert parse(["[2, 17, 99]"]) == [Marker((2,), dropped=2)]
    assert parse(["[4-8]"]) == [Marker((4, 5), dropped=3)]
    assert parse(["[1-999999]"]) == [Marker((1,), dropped=1)]


@pytest.mark.parametrize(
    "text",
    ["[sic]", "[0, 1]", "[x]", "[]", "[ ]", "[1.5]", "[-1]", "a[i]", "[see the text]", "[MoE]"],
)
def test_other_brackets_are_text(text: str) -> None:
    for pieces in every_cut(f"A {text} b"):
        assert parse(pieces) == [f"A {text} b"]


def test_zero_marks_what_rests_on_no_paper() -> None:
    assert parse(["[0]"]) == [Marker((), silent=True)]


def test_an_open_bracket_is_not_waited_for_forever() -> None:
    parser = MarkerParser(TITLES)
    assert "".join(map(str, parser.feed("[" + "x" * LONGEST))) != ""
    assert parse(["[1\n2]"]) == ["[1\n2]"]
    assert parse(["[[1]]"]) == ["[", Marker((1,)), "]"]


def test_half_a_marker_at_the_end_is_left_out() -> None:
    assert parse(["It helps [1"]) == ["It helps "]
    assert parse(["It helps [Prun"]) == ["It helps [Prun"]


ANSWERS = [
    "It helps [3]. It hurts [1, 3]. Both hold [2].",
    "It helps. [3] It hurts.[1] Both hold (see [2]).",
    "Accuracy rises by 3.5% [4], e.g. on GLUE [9]. Next, J. Smith et al. Show more [2].",
    "- First point [2]\n- Second point [1]\n\nThe rest is missing [0].",
    "剪枝有效【5】。注意力不够【2】！谢谢",
    "Wow! Really? Yes [1].\nEnd without a stop [2]",
    "Nothing here is cited. values lie in [0, 1]. [Attention Is Not All You Need] says so.",
    "Trailing [99]. Half [1",
    "  Leading space [1].  Two spaces.",
]


@pytest.mark.parametrize("text", ANSWERS)
def test_where_a_stream_is_cut_changes_nothing(text: str) -> None:
    whole = read([text])
    for pieces in every_cut(text):
        assert read(pieces) == whole


@given(st.text(alphabet="ab A.1 [],-】【0\n9。", max_size=60), st.data())
def test_any_text_cut_anywhere_reads_the_same(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(pieces) == read([text])
    assert parse(pieces) == parse([text])


def test_numbers_follow_the_first_appearance() -> None:
    shown, sentences = read([ANSWERS[0]])
    assert shown == "It helps [1]. It hurts [1][2]. Both hold [3]."
    assert [numbers for _, numbers, _, _ in sentences] == [[3], [1, 3], [2]]
    assert [text for text, *_ in sentences] == ["It helps.", "It hurts.", "Both hold."]


def test_a_marker_after_the_stop_belongs_to_the_sentence_before() -> None:
    shown, sentences = read([ANSWERS[1]])
    assert shown == "It helps. [1] It hurts.[2] Both hold (see [3])."
    assert [numbers for _, numbers, _, _ in sentences] == [[3], [1], [2]]


def test_abbreviations_and_decimals_end_no_sentence() -> None:
    _, sentences = read([ANSWERS[2]])
    assert [numbers for _, numbers, _, _ in sentences] == [[4], [2]]
    assert sentences[0][2] == 1  # [9] was never given


def test_a_dropped_marker_takes_its_space_along() -> None:
    shown, _ = read([ANSWERS[7]])
    assert shown == "Trailing. Half"


def test_lines_and_wide_scripts_end_sentences() -> None:
    assert [text for text, *_ in read([ANSWERS[3]])[1]] == [
        "- First point",
        "- Second point",
        "The rest is missing.",
    ]
    assert read([ANSWERS[3]])[1][-1][3]
    assert [text for text, *_ in read([ANSWERS[4]])[1]] == ["剪枝有效。", "注意力不够！", "谢谢"]


def test_text_before_a_marker_is_shown_at_once() -> None:
    reader = SentenceReader(TITLES)
    assert list(reader.feed("It helps a lot")) == ["It helps a lot"]
    assert list(reader.feed(" ")) == []
    assert list(reader.feed("and [")) == [" and"]


def test_citing_another_paper_moves_the_last_marker() -> None:
    reader = SentenceReader(TITLES)
    (sentence,) = [
        s for s in [*reader.feed("A [1] b [2]. "), *reader.finish()] if isinstance(s, RawSentence)
    ]
    sentence.cite(5)
    assert sentence.numbers == [5]
    assert sentence.before + sentence.shown_rest(Numbering().show) == "A b [1]."
