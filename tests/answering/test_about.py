"""What is asked of the library itself, told from its records."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_embedder import FakeEmbedder

from assistant import Assistant, Paper, Settings
from assistant.answering.authors import one_name
from assistant.results import Answer, Message

PAPERS = [
    Paper(
        title=f"Tidal Flats {name}: Mud and Birds",
        abstract=f"We count birds on tidal flats near {name}. Mud feeds {n + 3} kinds of them.",
        authors=("Lena Brandt", "J. Okafor") if n % 2 else ("Mara Quist",),
        year=2010 + n,
        venue="Journal of Shores" if n < 2 else None,
    )
    for n, name in enumerate(("Husum", "Esbjerg", "Dorum", "Texel"))
]


def library(folder: Path, papers: list[Paper]) -> Assistant:
    assistant = Assistant(Settings.load(library=folder, cache=folder / "cache"))
    assistant._opened_embedder = FakeEmbedder()
    assistant.library.ingest(papers)
    return assistant


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return library(tmp_path / "library", PAPERS)


def ask(assistant: Assistant, question: str) -> Answer:
    answer = assistant.ask(question)
    assert answer.form == "about_library", answer.answer
    assert (answer.status, answer.confidence) == ("answered", 1.0)
    assert answer.answer == "\n".join(sentence.text for sentence in answer.sentences)
    return answer


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How many papers are in the library?", "holds 4 papers"),
        ("What is this library about?", "tidal flats (4)"),
        ("What topics do the papers cover?", "tidal flats (4)"),
        ("Which papers are by Brandt?", "2 papers here are by Brandt"),
        ("Which papers are by L. Brandt?", "2 papers here are by L. Brandt"),
        ("What has Mara Quist written?", "2 papers here are by Mara Quist"),
        ("Which papers are by Geoffrey Hinton?", "No paper here is by Geoffrey Hinton"),
        ("Who wrote Tidal Flats Texel?", "is by Lena Brandt and J. Okafor"),
        ("Which years do the papers cover?", "of 2010 to 2013"),
        ("papers since 2012", "2 of the 4 papers here are since 2012"),
        ("papers from 2012", "1 of the 4 papers here is of 2012"),
        ("how many papers are there from 2011 on?", "3 of the 4 papers here are since 2011"),
        ("How many papers are there from 2012?", "1 of the 4 papers here is of 2012"),
        ("How many papers were published after 2010?", "3 of the 4 papers here are since 2011"),
        ("number of papers before 2012", "2 of the 4 papers here are up to 2011"),
        ("How many papers in this library are from 1999?", "0 of the 4 papers here are of 1999"),
        ("How many papers did Brandt publish in 2011?", "1 of the 4 papers here is of 2011, by"),
        ("who wrote most papers after 2012?", "with most papers here: Lena Brandt (1)"),
        ("How many papers have no journal?", "2 of 4 papers here have no journal"),
        ("how many papers are without a year?", "0 of 4 papers here have no year"),
        ("How many papers from 2012 lack a DOI?", "1 of 1 paper here has no doi"),
        ("how many of the papers have an abstract", "4 of 4 papers here have an abstract"),
        ("What are the main topics of this library?", "tidal flats (4)"),
        ("which papers from before 2012 have no abstract", "0 of 2 papers here have no abstract"),
        ("main themes here since 2012", "2 of the 4 papers here are since 2012. What"),
        ("main themes here", "tidal flats (4)"),
        ("what are the most common subjects in the papers from 2012", "1 of the 4 papers here"),
        ("Which journals are the papers from?", "Journal of Shores (2)"),
        ("who are the authors in this library?", "3 authors"),
        ("what is there from 2012?", "1 of the 4 papers here is of 2012"),
        ("what did people publish in 2012", "1 of the 4 papers here is of 2012"),
        ("how many papers by brandt", "2 papers here are by brandt"),
        ("newest on tidal flats", "Tidal Flats Texel: Mud and Birds [1] (2013)"),
        ("list all papers", "Tidal Flats Dorum: Mud and Birds"),
    ],
)
def test_told_from_the_records(assistant: Assistant, question: str, told: str) -> None:
    assert told in ask(assistant, question).answer


def test_the_newest_come_first(assistant: Assistant) -> None:
    answer = ask(assistant, "What are the most recent papers?")
    assert [c.title.split(":")[0] for c in answer.citations][:2] == [
        "Tidal Flats Texel",
        "Tidal Flats Dorum",
    ]
    oldest = ask(assistant, "which are the oldest papers?")
    assert oldest.citations[0].title.startswith("Tidal Flats Husum")


def test_an_abstract_is_shown_letter_for_letter(assistant: Assistant) -> None:
    answer = ask(assistant, "Show me the abstract of Tidal Flats Dorum")
    assert PAPERS[2].abstract in answer.answer
    assert answer.sentences[0].quote == PAPERS[2].abstract


def test_how_many_are_about_something(assistant: Assistant) -> None:
    answer = ask(assistant, "How many papers are about birds?")
    assert "4 papers of 4 mention the word" in answer.answer


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What are the newest papers?", "No publication dates are stored"),
        ("Which papers are by Brandt?", "No authors are stored"),
        ("Which journals are the papers from?", "No journals or venues are stored"),
        ("Who wrote Mud?", "its authors are not stored"),
    ],
)
def test_what_the_records_do_not_hold_is_said(tmp_path: Path, question: str, missing: str) -> None:
    bare = library(tmp_path / "bare", [Paper(title="Mud", abstract="Mud is wet earth.")])
    answer = ask(bare, question)
    assert missing in answer.answer
    assert "'assistant enrich'" in answer.answer


@pytest.mark.parametrize("question", ["hello", "Can you help me?", "thanks", "what can you do?"])
def test_talk_needs_no_paper(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert (answer.form, answer.status, answer.citations) == ("talk", "answered", [])


@pytest.mark.parametrize(
    "question",
    [
        "How many birds are on tidal flats?",
        "Who counts birds?",
        "What do mud flats feed?",
        "which time series models are there",
        "which date palms are studied in the papers here",
        "what fields of mud are there",
        "who are most at risk of birds",
        "which conference papers are there on mud",
    ],
)
def test_what_is_asked_of_the_papers_is_not_taken_for_it(
    assistant: Assistant, question: str
) -> None:
    assert assistant.ask(question).form not in {"about_library", "talk"}


def test_what_was_understood_of_the_words_is_printed(assistant: Assistant) -> None:
    assert "Only papers of 2012" in str(assistant.ask("papers from 2012 about mud"))
    assert "Only papers" not in str(assistant.ask("papers about mud"))


def test_a_topic_is_counted_within_the_period(assistant: Assistant) -> None:
    answer = ask(assistant, "How many papers about birds were published after 2011?")
    assert {c.title for c in answer.citations} == {paper.title for paper in PAPERS[2:]}


@pytest.mark.parametrize(
    ("names", "people"),
    [
        (["V. Saab", "Victoria A. Saab", "Saab VA", "V.A. Saab"], 1),
        (["J.-P.L. Savard", "Jean-Pierre L. Savard"], 1),
        (["V. Saab", "Victoria Saab", "Vincent Saab"], 3),
        (["V. Saab", "Victoria Saab", "Victoria A. Saab", "Vincent Saab"], 3),
        (["J. A. Roe", "J. B. Roe", "J. Roe"], 3),
        (["Wei Li", "Wen Li", "W. Li", "W. Lind"], 4),
        (["W. Li", "Wei Li", "A. Li", "Bo Li", "C. Li"], 5),
        (["Consortium", "Ada Roe", "Bo Roe"], 3),
    ],
)
def test_names_of_one_author(names: list[str], people: int) -> None:
    told = one_name(names)
    assert set(told) == set(names)
    assert len(set(told.values())) == people


def test_an_author_is_counted_once_under_all_spellings(tmp_path: Path) -> None:
    spelled = [("V. Saab",), ("Victoria A. Saab", "Bo Li"), ("Saab VA",)]
    papers = [
        Paper(title=f"Owls {n}", abstract=f"Owls hunt {n} voles.", authors=names)
        for n, names in enumerate(spelled)
    ]
    answer = ask(library(tmp_path / "names", papers), "who has published most?").answer
    assert "2 authors; with most papers here: Victoria A. Saab (3), Bo Li (1)" in answer
    assert "4 spellings" in answer


def test_papers_of_an_author_on_a_topic(assistant: Assistant) -> None:
    assert (
        "1 paper here is by brandt on esbjerg"
        in ask(assistant, "papers by brandt on esbjerg").answer
    )
    assert (
        "2 papers here are by brandt, none on whales"
        in ask(assistant, "papers by brandt on whales").answer
    )


def test_the_papers_that_were_shown_by_their_years(assistant: Assistant) -> None:
    first = assistant.ask("Which papers are by Brandt?")
    turns = [
        Message(role="user", content="Which papers are by Brandt?"),
        Message(role="assistant", content=first.answer),
    ]
    for asked, order in (
        ("which of them is the newest?", ["Texel", "Esbjerg"]),
        ("Which was published first?", ["Esbjerg", "Texel"]),
    ):
        answer = assistant.ask(asked, history=turns)
        titles = [citation.title for citation in answer.citations]
        assert [name for title in titles for name in order if name in title] == order
        assert "(2013)" in answer.answer


def test_a_paper_on_a_topic_has_its_words(assistant: Assistant) -> None:
    told = ask(assistant, "who wrote the paper on mud near esbjerg").answer
    assert "Esbjerg" in told
    assert "Lena Brandt" in told
    assert assistant.ask("who wrote the paper on dragons?").status != "answered"
    assert "2 papers here are by brandt." in ask(assistant, "papers by brandt on this").answer
