"""Follow-ups that ask for something else than what was shown, and questions in many shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Assistant, Paper
from assistant.results import Answer, Message
from tests.answering.conftest import FilledWith

PAPERS = [
    Paper(
        title="Herons in Drained Marshes",
        abstract="Draining a marsh lowers the breeding success of grey herons. We ringed 214 grey "
        "herons in Denmark from 1998 to 2004. In drained marshes 62% of the heron nests failed. "
        "Breeding fails because foxes reach the nests of herons where a marsh is drained.",
        authors=("Lena Brandt", "Jo Okafor"),
        year=2012,
        venue="Journal of Shores",
        doi="10.1234/heron",
    ),
    Paper(
        title="Storks in Drained Marshes",
        abstract="White storks breed in drained marshes with as much success as elsewhere. We "
        "watched 90 white storks in Poland. They nest on poles and roofs.",
    ),
    Paper(
        title="Grebe: A Fast Counter of Birds",
        abstract="Grebe counts birds in photographs of flocks. On FLOCK-10 its error is 3.1%. It "
        "outperforms COOTz2 in dense flocks. It was trained with 45M photographs.",
    ),
    Paper(
        title="Turnips in Cellars",
        abstract="We kept turnips in cellars for a year. Turnips rot where a cellar is damp.",
    ),
    Paper(
        title="Tides and Mud",
        abstract="Mud settles at slack water. We measured tides at nine harbours.",
    ),
]


@pytest.fixture(scope="module")
def filled(filled_with: FilledWith) -> Path:
    return filled_with(PAPERS).library.path


@pytest.fixture
def assistant(filled: Path) -> Assistant:
    return Assistant.open(filled)


def talk(assistant: Assistant, *questions: str) -> list[Answer]:
    """The answers to ``questions``, asked one after the other, as the front ends ask them."""
    turns: list[Message] = []
    answers: list[Answer] = []
    for question in questions:
        answers.append(assistant.ask(question, turns))
        turns.append(Message(role="user", content=question))
        turns.append(Message(role="assistant", content=str(answers[-1])))
    return answers


HERONS = "Does draining a marsh lower the breeding success of grey herons?"


def test_why_shows_a_reason_that_was_not_shown(assistant: Assistant) -> None:
    first, why = talk(assistant, HERONS, "why?")
    assert "foxes reach the nests" not in first.answer
    assert "foxes reach the nests" in why.answer
    assert not {s.quote for s in first.sentences if s.quote} & {s.quote for s in why.sentences}


def test_where_no_reason_is_told_that_is_said(assistant: Assistant) -> None:
    first, why = talk(assistant, "Do white storks breed in drained marshes?", "why is that?")
    assert first.status == "answered"
    assert why.status == "closest"
    assert why.confidence < 0.5
    assert why.answer.startswith("The papers shown give no reason in so many words")


def test_another_subject_takes_the_place_of_the_one_before(assistant: Assistant) -> None:
    _, other, third = talk(assistant, HERONS, "and white storks?", "what about grey herons?")
    assert other.standalone_question == HERONS.replace("grey herons", "white storks")
    assert [c.title for c in other.citations] == ["Storks in Drained Marshes"]
    assert third.standalone_question == HERONS


def test_a_subject_that_no_paper_mentions_is_not_answered_with_another(
    assistant: Assistant,
) -> None:
    _, other = talk(assistant, HERONS, "and black terns?")
    assert other.standalone_question == HERONS.replace("grey herons", "black terns")
    assert other.status != "answered"
    assert other.confidence < 0.5


def test_what_was_shown_is_no_answer_again(assistant: Assistant) -> None:
    first, again = talk(
        assistant, "What did the counter Grebe outperform in dense flocks?", "by how much?"
    )
    shown = {s.quote for s in first.sentences if s.quote}
    repeated = {s.quote for s in again.sentences if s.quote} <= shown
    assert not (repeated and again.status == "answered")
    assert again.confidence < 0.5


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("who wrote that?", "is by Lena Brandt and Jo Okafor."),
        ("When was it published?", "is of 2012."),
        ("which journal?", "appeared in Journal of Shores."),
        ("what is its DOI?", "has the DOI 10.1234/heron."),
        ("where can I read it?", "is at https://doi.org/10.1234/heron."),
        ("who wrote it and when?", "is by Lena Brandt and Jo Okafor and is of 2012."),
        ("who wrote [1]?", "is by Lena Brandt and Jo Okafor."),
    ],
)
def test_the_record_of_what_was_shown(assistant: Assistant, question: str, told: str) -> None:
    _, answer = talk(assistant, "How many heron nests failed in drained marshes?", question)
    assert answer.form == "about_library"
    assert f"Herons in Drained Marshes [1] {told}" in answer.answer


def test_what_the_record_does_not_hold_is_said(assistant: Assistant) -> None:
    _, answer = talk(assistant, "Where do white storks nest?", "who are the authors?")
    assert "its authors are not stored" in answer.answer


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        ("which of these were in Poland?", ["Storks in Drained Marshes"]),
        ("which ones mention grey herons?", ["Herons in Drained Marshes"]),
        ("is any of them by Okafor?", ["Herons in Drained Marshes"]),
        ("which of them were in Spain?", []),
    ],
)
def test_which_of_those_shown_have_it(
    assistant: Assistant, question: str, titles: list[str]
) -> None:
    first, answer = talk(assistant, "papers on drained marshes", question)
    assert len(first.citations) == 2
    assert [c.title for c in answer.citations] == titles
    assert (answer.status == "answered") == bool(titles)
    assert titles or answer.answer == "None of the 2 papers shown mentions “Spain”."


def test_what_the_program_says_of_itself_is_no_topic(assistant: Assistant) -> None:
    _, answer = talk(assistant, "how many papers are there?", "where do they nest")
    assert answer.standalone_question == "where do they nest"


@pytest.mark.parametrize(
    "question",
    [
        "is it true that draining a marsh lowers the breeding success of grey herons?",
        "do you know if draining a marsh lowers the breeding success of grey herons",
        "I heard that draining a marsh lowers the breeding success of herons, right?",
    ],
)
def test_a_claim_in_a_frame_is_asked_for_its_truth(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert (answer.status, answer.form) == ("answered", "yes_no")
    assert answer.citations[0].title == "Herons in Drained Marshes"


@pytest.mark.parametrize(
    "question", ["Grebe vs cootZ2, whats the difference", "which is better: grebe versus COOTz2?"]
)
def test_a_tail_that_asks_for_the_comparison_is_no_side(
    assistant: Assistant, question: str
) -> None:
    answer = assistant.ask(question)
    assert (answer.status, answer.form) == ("answered", "comparison")
    assert "outperforms COOTz2" in answer.answer
    assert "was found" not in answer.answer


@pytest.mark.parametrize("question", ["grebe flock10 error", "flock 10 error of grebe"])
def test_a_thing_and_a_measure_ask_for_a_fact(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert (answer.status, answer.form) == ("answered", "fact")
    assert "3.1%" in answer.answer


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("what share of the heron nests failed in drained marshes", "62%"),
        ("what percent of heron nests failed", "62%"),
        ("how many photographs did grebe need", "45M"),
    ],
)
def test_the_kind_of_answer_need_not_be_in_the_abstract(
    assistant: Assistant, question: str, fact: str
) -> None:
    answer = assistant.ask(question)
    assert answer.status == "answered", answer.answer
    assert fact in answer.answer


def test_a_share_of_what_is_not_here_is_refused(assistant: Assistant) -> None:
    assert assistant.ask("what share of sailors own a parrot").status != "answered"
