"""The project's own questions fit the papers that they were written for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from assistant.paper import Paper, normalised_title
from assistant.reading import read
from assistant.sample import SAMPLE_PAPERS
from assistant.text import words
from eval.data import QUESTIONS, GoldFinder, Kind, Question, read_beir, read_questions
from eval.facts import states

RUN = 6
"""Words in a row that a question may not share with an abstract."""


def _papers(sources: Iterable[Path]) -> dict[str, Paper]:
    found = read([str(source) for source in sources])
    return {normalised_title(p.title): p for p in found if isinstance(p, Paper)}


@pytest.fixture(scope="module")
def sample() -> tuple[list[Question], dict[str, Paper]]:
    return read_questions(QUESTIONS / "sample.jsonl"), _papers([SAMPLE_PAPERS])


@pytest.fixture(scope="module", params=["listing-pages", "listing-pages-2", "held-out"])
def listing(
    request: pytest.FixtureRequest, corpus_data: Path
) -> tuple[list[Question], dict[str, Paper]]:
    papers = _papers([corpus_data / "seeds"])
    return read_questions(QUESTIONS / f"{request.param}.jsonl"), papers


def problems(questions: list[Question], papers: dict[str, Paper]) -> list[str]:
    """What is wrong with the questions, one line each."""
    copied = {run for paper in papers.values() for run in _runs(paper.abstract)}
    return [f"{q.id}: {what}" for q in questions for what in _wrong(q, papers, copied)]


def _wrong(
    question: Question, papers: dict[str, Paper], copied: set[tuple[str, ...]]
) -> Iterable[str]:
    golds = _golds(question.gold_titles, papers)
    text = " ".join(f"{paper.title} {paper.abstract}" for paper in golds if paper)
    checks = {
        "a gold title that no paper has": None in golds,
        "absent with gold titles, or answerable without": question.answerable != bool(golds),
        "about several papers with one gold title": question.kind == "multi" and len(golds) < 2,
        "a follow-up without history, or history without a follow-up": (question.kind == "follow")
        != bool(question.history),
        "absent without its type": question.answerable != (question.absent_type is None),
        "no reference answer": not question.answer,
        f"{RUN} words in a row are an abstract's": bool(copied & set(_runs(question.question))),
    }
    yield from (what for what, wrong in checks.items() if wrong)
    for fact in question.gold_facts:
        if not states(text, fact):
            yield f"the gold fact {fact!r} is not in the gold papers"
        if question.kind == "fact" and states(question.question, fact):
            yield f"the question gives its fact {fact!r} away"


def _golds(titles: Iterable[str], papers: dict[str, Paper]) -> list[Paper | None]:
    """The paper of each title; None where no paper, or more than one, has it."""
    finder, by_id = GoldFinder(papers.values()), {paper.id: paper for paper in papers.values()}
    found = [finder.papers(title) for title in titles]
    return [by_id[next(iter(ids))] if len(ids) == 1 else None for ids in found]


def _runs(text: str, length: int = RUN) -> list[tuple[str, ...]]:
    found = words(text)
    return [tuple(found[i : i + length]) for i in range(len(found) - length + 1)]


def test_the_sample_questions_fit_the_digests(
    sample: tuple[list[Question], dict[str, Paper]],
) -> None:
    questions, papers = sample
    assert problems(questions, papers) == []


@pytest.mark.corpus
def test_the_listing_questions_fit_the_saved_pages(
    listing: tuple[list[Question], dict[str, Paper]],
) -> None:
    questions, papers = listing
    assert problems(questions, papers) == []


PLAIN = {
    "plain-ml": "seeds",
    "plain-medicine": "ir/cystic_fibrosis",
    "plain-aeronautics": "ir/cranfield",
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", PLAIN)
def test_the_plain_questions_fit_their_papers(name: str, corpus_data: Path) -> None:
    folder = corpus_data / PLAIN[name]
    if folder.name == "seeds":
        papers = _papers([folder])
    else:
        _, records = read_beir(folder)
        papers = {normalised_title(p.title): p for p in records()}
    questions = read_questions(QUESTIONS / f"{name}.jsonl")
    copied = {run for p in papers.values() for run in _runs(p.abstract, 8)}
    wrong = [f"{q.id}: {what}" for q in questions for what in _wrong_in_plain(q, papers, copied)]
    assert wrong == []
    assert len(questions) >= 100
    assert {q.kind for q in questions} == set(get_args(Kind)) - {"find", "multi"}
    assert len({q.id for q in questions}) == len(questions)


def _wrong_in_plain(
    question: Question, papers: dict[str, Paper], copied: set[tuple[str, ...]]
) -> Iterable[str]:
    named = [title for title in question.gold_titles if not title.startswith("#")]
    golds = _golds(named, papers)
    text = " ".join(f"{paper.title} {paper.abstract}" for paper in golds if paper)
    written = [question.question, question.answer, *question.gold_facts]
    written += [turn.content for turn in question.history]
    checks = {
        "a gold title that no paper has": None in golds,
        "absent with gold titles": not question.answerable and bool(question.gold_titles),
        "answerable without gold titles": question.kind not in ("library", "absent")
        and not question.gold_titles,
        "absent without its type": question.answerable != (question.absent_type is None),
        "a follow-up without turns, or turns without a follow-up": (question.kind == "follow")
        != bool(question.history or question.turns),
        "a follow-up without its type": (question.kind == "follow")
        != (question.follow_type is not None),
        "8 words in a row are an abstract's": any(copied & set(_runs(t, 8)) for t in written),
    }
    yield from (what for what, wrong in checks.items() if wrong)
    for fact in question.gold_facts:
        if not fact.startswith("{") and not states(text, fact):
            yield f"the gold fact {fact!r} is not in the gold papers"


def test_there_are_enough_questions_of_every_kind(
    sample: tuple[list[Question], dict[str, Paper]],
) -> None:
    questions, _ = sample
    kinds = Counter(question.kind for question in questions)
    assert len(questions) >= 80
    assert set(kinds) == {"fact", "find", "multi", "absent", "follow"}
    assert min(kinds.values()) >= 8
    assert len({question.id for question in questions}) == len(questions)
    assert {q.absent_type for q in questions if not q.answerable} == {
        "near",
        "detail",
        "false_premise",
        "far",
    }


def test_absent_subjects_are_absent(sample: tuple[list[Question], dict[str, Paper]]) -> None:
    """The subjects of "near" and "far" questions occur in no digest."""
    _, papers = sample
    everything = " ".join(f"{p.title} {p.abstract}" for p in papers.values()).casefold()
    subjects = (
        "music|deepfake|drone|dataset distill|homomorphic|encrypt|optical flow|event camera|"
        "differential privacy|differentially private|emotion|sarcas|protein|bicycle|sneez|"
        "rain barrel|apple tree"
    )
    assert re.findall(subjects, everything) == []
