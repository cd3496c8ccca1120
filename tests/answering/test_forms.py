"""The form that a question asks for, in any field."""

from __future__ import annotations

import pytest

from assistant.answering.forms import (
    asking,
    evidence_text,
    may_be_term,
    measured,
    no_topic,
    opened,
    parts,
    thing,
)


@pytest.mark.parametrize(
    ("question", "form", "topic"),
    [
        ("What is a topological insulator?", "definition", "topological insulator"),
        ("Explain tidal locking to me like I'm five", "definition", "tidal locking"),
        ("What does osmolarity mean?", "definition", "osmolarity"),
        ("papers on sleep in shift workers", "list", "sleep in shift workers"),
        ("Which papers are about crop rotation?", "list", "crop rotation"),
        ("Is there work on coral bleaching?", "list", "coral bleaching"),
        ("Can you list all papers about glaciers from the library?", "list", "glaciers"),
        ("Give me an overview of the research on bird song", "list", "bird song"),
        ("What methods exist for dating rocks?", "list", "dating rocks"),
        ("soil erosion on terraces", "list", "soil erosion on terraces"),
        ("dose of the vaccine given to infants", "fact", "dose of the vaccine given to infants"),
        ("How many patients were treated?", "fact", "many patients were treated"),
        ("What is the incubation period of measles?", "fact", "incubation period of measles"),
        ("How massive are the stars of the ring?", "fact", "massive are the stars of the ring"),
        ("how sticky is spider silk", "fact", "sticky is spider silk"),
        ("How exactly does silk dry?", "explanation", "exactly does silk dry"),
        ("How are the threads spun?", "explanation", "threads spun"),
        ("How do bridges resist wind?", "explanation", "bridges resist wind"),
        ("Why is the sky blue?", "explanation", "sky blue"),
        ("Does aspirin lower the risk of stroke?", "yes_no", "aspirin lower the risk of stroke"),
        ("What are the limitations of surveys?", "limits", "surveys"),
        ("drawbacks of surveys?", "limits", "surveys"),
        ("why is the reach of a crane limited", "explanation", "reach of a crane limited"),
        ("does working memory improve with sleep", "yes_no", "working memory improve with sleep"),
        ("has anyone worked on bird song", "list", "bird song"),
        ("has any paper studied bird song", "list", "bird song"),
        ("when does ray tracing fail", "limits", "ray tracing"),
        ("which datasets does the heron study use", "limits", "heron study use"),
        ("What do we have on coral reefs?", "list", "coral reefs"),
        ("quantum dots papers pls", "list", "quantum dots"),
        ("list everything on lichens", "list", "lichens"),
        ("list trials of walking in frost", "list", "walking in frost"),
        ("Which studies are about vitamin D?", "list", "vitamin D"),
        ("studies on soil frost", "list", "soil frost"),
        ("any studies that look at soil frost?", "list", "soil frost"),
        ("What is the effect of salt on frost risk?", "fact", None),
        ("has anyone worked on bee navigation?", "list", "bee navigation"),
        ("whats a neap tide", "definition", "neap tide"),
        ("what is turnover in ecology", "definition", "turnover"),
        ("ok, and what is a neap tide?", "definition", "neap tide"),
        ("In the study of herons, how many were ringed?", "fact", None),
        (
            "is it true that herons are larger than storks",
            "yes_no",
            "herons are larger than storks",
        ),
        ("can you tell me whether herons swim", "yes_no", "herons swim"),
        ("herons swim better than storks, right?", "yes_no", "herons swim better than storks"),
        ("do you know if there are papers on hail?", "list", "hail"),
        ("which surgery is right?", "fact", None),
    ],
)
def test_form_and_topic(question: str, form: str, topic: str | None) -> None:
    asked = asking(question)
    assert asked.form == form
    assert topic in (None, asked.topic)


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("wheat vs rye vs barley", ("wheat", "rye", "barley")),
        ("Compare insulin pumps with injections", ("insulin pumps", "injections")),
        ("Is surgery better than physiotherapy?", ("surgery", "physiotherapy")),
        ("difference between sleet and hail", ("sleet", "hail")),
        ("How does rye differ from wheat?", ("rye", "wheat")),
        ("sonar or radar for finding wrecks?", ("sonar", "radar")),
        ("rye or wheat: which is hardier?", ("rye", "wheat")),
        ("irrigation versus rain: effect on yield", ("irrigation", "rain")),
        ("rye vs wheat, whats the difference", ("rye", "wheat")),
        ("rye vs wheat which one is better?", ("rye", "wheat")),
        ("What is the difference between rye vs wheat?", ("rye", "wheat")),
    ],
)
def test_sides_of_a_comparison(question: str, sides: tuple[str, ...]) -> None:
    asked = asking(question)
    assert asked.form == "comparison"
    assert asked.sides == sides
    assert evidence_text(question) == " ".join(sides)


@pytest.mark.parametrize(
    ("question", "evidence"),
    [
        ("what share of the nests failed", "nests failed"),
        ("what percent recommended the trainer", "recommended the trainer"),
        ("percentage of heron nests that failed", "heron nests that failed"),
        ("which number theory is used", "number theory is used"),
        ("I heard that herons swim, is that true?", "herons swim"),
    ],
)
def test_the_kind_of_answer_is_no_evidence(question: str, evidence: str) -> None:
    assert evidence_text(question) == evidence


def test_what_ends_in_a_measure() -> None:
    assert measured("grebe flock10 error")
    assert measured("grebe error rate on flock10")
    assert not measured("medication errors of nurses")


def test_why_is_a_reason() -> None:
    assert asking("Why do leaves fall?").why
    assert not asking("How do leaves fall?").why


def test_a_question_of_two_is_cut_in_two() -> None:
    assert parts("What is hail, and why does it melt?") == ["What is hail?", "why does it melt?"]
    assert parts("What is hail? How large does it get?") == [
        "What is hail?",
        "How large does it get?",
    ]
    assert parts("how deep is snow in May and in June?") == [
        "how deep is snow in May?",
        "how deep is snow in June?",
    ]
    assert parts("what is the difference in May and in June?") != ["what is the difference in May?"]
    assert parts("Do salt and pepper mix?") == ["Do salt and pepper mix?"]


def test_a_story_asks_for_what_there_is() -> None:
    story = "I am writing about rivers. " * 12 + "What should I read?"
    assert asking(story).form == "list"
    assert parts(story) == [story]


def test_what_a_later_it_may_mean() -> None:
    assert thing("What is freon used for?") == "freon"
    assert thing("papers on coral reefs") == "coral reefs"


def test_a_question_without_a_topic() -> None:
    assert no_topic("is there another method?")
    assert no_topic("show more")
    assert no_topic("what study is reported in this report?")
    assert not no_topic("another method for glaciers")


def test_what_only_opens_a_question() -> None:
    assert opened("ok, and what about hail?") == "what about hail?"
    assert opened("and?") == "and?"


def test_what_may_be_the_name_of_a_thing() -> None:
    assert may_be_term("What is the price of anarchy?") == "price of anarchy"
    assert may_be_term("what is anarchy") == ""
    assert may_be_term("Which papers are on the price of anarchy?") == ""
