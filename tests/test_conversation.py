"""Follow-up questions completed from the turns before them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assistant.conversation import (
    leaning,
    leans,
    references_in,
    resolved,
    small_talk,
    standalone,
    without_references,
)
from assistant.results import Message


def turns(*contents: str) -> list[Message]:
    roles = ("user", "assistant")
    return [Message(role=roles[n % 2], content=text) for n, text in enumerate(contents)]


HISTORY = turns(
    "Which methods prune experts of mixture models?",
    "PreMoe keeps the experts that a task needs [1]. It was tried on DeepSeek-R1 [1].",
)


@pytest.mark.parametrize(
    "question",
    [
        "How many of them did it keep?",
        "What did that cost?",
        "Does this work on a CPU?",
        "Interesting - which ones were larger?",
        "compared with the other method?",
        "by how much?",
    ],
)
def test_a_question_that_leans_is_completed(question: str) -> None:
    assert leans(question)
    completed = standalone(question, HISTORY)
    assert completed.startswith(question)
    assert "prune experts" in completed
    assert "PreMoe keeps the experts that a task needs" in completed
    assert "[1]" not in completed


@pytest.mark.parametrize(
    "question",
    [
        "Which papers study batch normalization without gradient explosion?",
        "What word error rate does Canary reach on LibriSpeech test-clean?",
        "Are graph networks able to extrapolate to longer inference chains?",
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(question: str) -> None:
    assert standalone(question, HISTORY) == question


def test_nothing_before_nothing_added() -> None:
    assert standalone("and for vision models?", []) == "and for vision models?"


def test_a_chain_of_follow_ups_keeps_the_topic() -> None:
    history = [*HISTORY, *turns("And how fast is it?", "It is twice as fast [1].")]
    completed = standalone("And on which hardware?", history)
    assert "prune experts" in completed
    assert "And how fast is it?" in completed
    assert "twice as fast" in completed


def test_a_long_history_is_cut() -> None:
    history = turns("What is it? " + "word " * 5000, "answer " * 5000)
    assert len(standalone("and then?", history).split()) < 150


def test_a_title_in_the_answer_is_kept() -> None:
    history = turns("Who did it?", "Somebody did. See [Pruning Experts of Large Models].")
    assert "Pruning Experts of Large Models" in standalone("and when?", history)


def test_small_talk_is_answered_from_what_is_known() -> None:
    assert small_talk("How many papers do you hold?", 1200) == "The library holds 1,200 papers."
    assert "cites papers by title" in (small_talk("what can you do?", 3) or "")
    assert small_talk("How many papers prune experts?", 9) is None


def test_the_references_of_an_answer_are_what_was_shown() -> None:
    said = (
        "Two ways:\n1. Experts are dropped [1].\n2. Experts are merged [2].\n\n"
        "References\n[1] Pruning Experts https://example.org/1\n[2] Merging Experts"
    )
    assert references_in(said) == {1: "Pruning Experts", 2: "Merging Experts"}
    assert without_references(said).endswith("2. Experts are merged [2].")
    assert "Merging Experts" in standalone("tell me about the second one", turns("How?", said))


LISTED = turns(
    "papers on hail",
    "2 papers here on “hail”:\nHail in May. A survey: “It hails.” [1]\nHail: A Study: “Big.” [2]\n"
    "Also — Sleet; and rain [3]; Snow: Why? [4].",
)


def test_papers_that_were_shown_are_compared_by_name() -> None:
    assert resolved("compare the first two", LISTED).beside == (
        ("Hail in May. A survey", "It hails."),
        ("Hail: A Study", "Big."),
    )
    after = [*LISTED, *turns("what is hail?", "Hail: “Ice.” [1]")]
    assert len(resolved("compare [1] and [2]", after).beside) == 2


def test_a_subject_with_the_same_head_takes_the_place_of_the_one_before() -> None:
    assert leans("and for vision models?")
    completed = standalone("and for vision models?", HISTORY)
    assert completed == "Which methods prune experts of vision models?"


def test_an_ordinal_is_of_the_last_answer_that_shows_several() -> None:
    after = [*LISTED, *turns("what is hail?", "Hail in May. A survey: “Ice.” [1]")]
    assert resolved("who wrote the second one?", after).among == (("Hail: A Study", "Big."),)
    assert resolved("and the last one?", after).paper == "Snow: Why?"
    assert resolved("what does paper 1 say of ice?", after).paper == "Ice."
    assert resolved("who wrote that", after).among == (("Hail in May. A survey", "Ice."),)


def test_the_papers_that_were_shown_are_listed() -> None:
    after = [*LISTED, *turns("what is hail?", "Hail in May. A survey: “Ice.” [1]")]
    meant = resolved("list them pls", after)
    assert meant.fields == ("paper",)
    assert len(meant.among) == 4
    assert not resolved("what are those?", after).fields


def test_another_subject_with_another_preposition_takes_the_place_of_its_kind() -> None:
    def alike(text: str, others: Sequence[str]) -> list[float]:
        return [float(text == "saturn" and other == "jupiter") for other in others]

    before = turns("what drives the winds of jupiter?", "Jets: “Heat.” [1]")
    meant = resolved("and for saturn?", before, alike)
    assert meant.text == "what drives the winds of saturn?"


def test_more_leaves_out_all_that_was_shown() -> None:
    meant = resolved("show more", LISTED)
    assert meant.text == "papers on hail"
    assert meant.said == ("It hails.", "Big.", "Sleet; and rain", "Snow: Why?")
    compared = [*LISTED, *turns("compare the first two", "Hail: A Study: “Big.” [1]")]
    assert resolved("show more", compared).text == "papers on hail"
    again = [*LISTED, *turns("show more", "Hail again: “More.” [1]")]
    assert "More." in resolved("is there another paper?", again).said


def test_a_pronoun_in_a_comparison_is_the_thing_asked_about() -> None:
    before = turns("What is freon used for?", "Freon: “It cools.” [1]")
    assert standalone("compare it with air", before) == "compare freon with air"


def test_what_else_is_asked_about_is_not_what_was_shown() -> None:
    text = standalone("what about vision models?", HISTORY)
    assert "prune experts" in text
    assert "PreMoe" not in text


def test_a_detail_may_be_asked_of_the_one_paper_that_was_shown() -> None:
    before = turns("tell me about the second one", "Herons: “We ringed herons.” [1]")
    found = leaning("how many took part?", before)
    assert found.paper == "We ringed herons."
    assert "Herons" in found.text
    both = turns("herons", "Herons: “We ringed herons.” [1]\nStorks: “We ringed storks.” [2]")
    assert leaning("how many took part?", both).paper == ""
    assert leaning("what about storks?", before).paper == ""


def test_no_chain_of_questions_nests_what_they_are_about() -> None:
    asked = ("what is soil frost?", "in which years", "and where", "another study", "why", "others")
    told: list[str] = []
    for question in asked * 2:
        meant = resolved(question, turns(*told))
        assert meant.text.count("(about: ") <= 1
        told += [question, "Frosts: “Soil froze in 12 years.” [1]"]


def test_papers_on_what_was_asked_before() -> None:
    found = resolved("which papers study it?", turns("What is soil frost?", "Frost in soil [1]."))
    assert found.text == found.asked == "papers on soil frost"


def test_another_is_of_the_last_question_that_stood_alone() -> None:
    said = turns("How many herons nest there?", "Seven. [1]", "and in winter?", "None [1].")
    assert resolved("another study", said).text == "How many herons nest there?"


def test_another_topic_that_is_announced_stands_alone() -> None:
    before = [
        Message(role="user", content="papers on tidal flats"),
        Message(role="assistant", content="Tidal Mud: “Mud feeds birds.” [1]"),
    ]
    for lead in ("ok, other topic: ", "new topic. ", "Now for a different subject - "):
        found = resolved(f"{lead}how do whales sleep?", before)
        assert (found.text, found.said) == ("how do whales sleep?", ())
    assert resolved("any newer papers on that?", before).text == "the newest papers on tidal flats"
    assert resolved("older ones", before).text == "the oldest papers on tidal flats"
    assert resolved("other topics?", before).text != "topics?"


def test_what_it_is_after_its_authors_were_asked_for() -> None:
    before = [
        Message(role="user", content="papers on tidal flats"),
        Message(role="assistant", content="Tidal Mud: “Mud feeds birds.” [1]\nSand: “It is.” [2]"),
        Message(role="user", content="who wrote the second?"),
        Message(role="assistant", content="Sand [1] is by Lena Brandt."),
    ]
    found = resolved("does it feed birds?", before)
    assert found.paper == "Sand"


@pytest.mark.parametrize(
    "question",
    [
        "New question answering methods?",
        "new question-answering sets?",
        "A different question on hail",
    ],
)
def test_a_question_that_only_sounds_like_another_topic_is_left_whole(question: str) -> None:
    assert resolved(question, LISTED).text == question


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("which one was published first?", "oldest"),
        ("which of them came first?", "oldest"),
        ("which of the two is older?", "oldest"),
        ("which is the newest?", "newest"),
        ("which of these studies is newest?", "newest"),
        ("Which paper came out first?", "oldest"),
        ("which of these is more recent", "newest"),
        ("what is the newest paper?", ""),
        ("which papers are the newest?", ""),
        ("which is the first?", ""),
    ],
)
def test_age_is_asked_of_what_was_shown_only_where_that_is_meant(question: str, order: str) -> None:
    found = resolved(question, LISTED)
    assert found.fields == ((order,) if order else ())
    assert not found.picks


def test_newer_papers_are_not_on_what_the_records_tell() -> None:
    after = turns("What is dark matter?", "A: “B.” [1]", "How many papers are there?", "9 papers.")
    assert resolved("newer papers?", after).text == "the newest papers on dark matter"
    after = turns("Is pain reduced by MDMA?", "A: “B.” [1]")
    assert "pain reduced by MDMA" in resolved("newer papers?", after).text
    after = turns("Does research on mice carry over to humans?", "A: “B.” [1]")
    assert "research on mice" in resolved("newer papers?", after).text


@pytest.mark.parametrize(
    ("before", "topic"),
    [
        ("How many papers are about sleep?", "sleep"),
        ("newest papers on sleep", "sleep"),
        ("What are the effects of caffeine on sleep?", "effects of caffeine on sleep"),
        ("What is deep sleep?", "deep sleep"),
    ],
)
def test_newer_papers_are_on_the_whole_topic(before: str, topic: str) -> None:
    after = turns(before, "Deep: “Mice.” [1]")
    assert resolved("is there anything newer?", after).text == f"the newest papers on {topic}"
