"""Whole reviews without a language model: what they hold, and what they do with bad input."""

from __future__ import annotations

import json
import re

import pytest

from assistant.assistant import Assistant
from assistant.errors import LibraryNotFound, PaperNotFound, QuestionError
from assistant.paper import Paper
from assistant.review.model import COLUMNS, Review, ReviewProgress

from .conftest import Make, expert_papers, other_papers

TOPIC = "mixture of experts"


def numbers_in(text: str) -> set[int]:
    found: set[int] = set()
    for first, last in re.findall(r"\[(\d+)\](?:–\[(\d+)\])?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def check(review: Review) -> None:
    """What holds for every review."""
    numbers = [r.number for r in review.references]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({r.paper.id for r in review.references}) == len(numbers) == review.counts.used
    seen: list[int] = []
    for sentence in review.sentences:
        assert set(sentence.citations) == numbers_in(sentence.text)
        seen += [n for n in sorted(sentence.citations) if n not in seen]
        if sentence.support != "none":
            assert sentence.citations
            assert {q.number for q in sentence.quotes} == set(sentence.citations)
    assert sorted(seen) == numbers  # no used paper is lost, and no other is cited
    assert seen == numbers  # numbered by first appearance
    themed = sorted(n for theme in review.themes for n in theme.papers)
    assert themed == numbers
    assert [row.number for row in review.table] == numbers
    abstracts = {r.number: r.paper.abstract for r in review.references}
    for row in review.table:
        for column in COLUMNS:
            cell = getattr(row, column)
            if cell is not None:
                assert cell.citation == row.number
                assert cell.quote in abstracts[row.number]
    v = review.verdicts
    assert v.supported + v.partial + v.unsupported + v.own == len(list(review.sentences))
    texts = [s.text for s in review.sentences]
    assert len(set(texts)) == len(texts)


def test_a_review_holds_what_it_should(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    check(review)
    assert review.status == "written"
    assert review.mode == "extractive"
    titles = {r.paper.title for r in review.references}
    assert {p.title for p in expert_papers()} <= titles
    assert not any(title.startswith("A Study of") for title in titles)
    assert 2 <= len(review.themes) <= 7
    assert len({theme.name for theme in review.themes}) == len(review.themes)
    assert review.verdicts.unsupported == 0
    assert review.verdicts.supported > 15
    assert "18 papers of the library" in review.scope[0].text


def test_themes_are_the_subjects_and_named_after_them(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    by_title = {r.paper.title: r.theme for r in review.references}
    pruning = {theme for title, theme in by_title.items() if "Pruning" in title}
    routing = {theme for title, theme in by_title.items() if "Routing" in title}
    assert len(pruning) == len(routing) == 1
    assert pruning != routing
    assert "prun" in pruning.pop().lower()
    assert "rout" in routing.pop().lower()


def test_numbers_stand_side_by_side_in_their_papers_words(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    text = " ".join(s.text for theme in review.themes for s in theme.sentences)
    assert "report figures on speed" in text
    assert re.search(r"Bitter, “is 2.5x faster[^”]*” \[\d+\]", text)
    speed = next(s for t in review.themes for s in t.sentences if "figures on speed" in s.text)
    assert speed.support == "supported"
    assert len(speed.quotes) == 3


def test_sentences_name_their_subject(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    text = " ".join(s.text for s in review.sentences)
    assert "Cutter is a method for expert pruning" in text
    assert not re.search(r"\b[Ww]e\b(?![^“]*”)", text)


def test_what_several_say_is_said_once(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    saying = [s for s in review.sentences if "served to many people" in s.text]
    assert len(saying) <= 1


def test_open_questions_are_the_papers_own(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    assert any("remains an open question" in s.text for s in review.open_questions)


def test_empty_cells_where_the_abstract_does_not_say(experts: Assistant) -> None:
    rows = {row.title.partition(":")[0]: row for row in experts.review(TOPIC).table}
    assert rows["Bitter"].limits is not None
    assert "batch is small" in rows["Bitter"].limits.text
    assert rows["Pathway"].limits is None
    assert rows["Pathway"].scale is not None
    assert "ImageNet" in rows["Pathway"].scale.text


def test_the_same_from_run_to_run(experts: Assistant) -> None:
    first, second = (experts.review(TOPIC).model_dump(exclude={"seconds"}) for _ in range(2))
    assert first == second


def test_reviews_of_the_sample(sample: Assistant) -> None:
    for topic in ("mixture of experts", "time series and weather forecasting", "diffusion models"):
        review = sample.review(topic)
        check(review)
        assert review.status == "written"
        assert review.verdicts.unsupported == 0
        assert review.seconds < 20


def test_progress_is_told(experts: Assistant) -> None:
    told: list[ReviewProgress] = []
    experts.review(TOPIC, on_progress=told.append)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert told[-1].done == told[-1].total


# ---------------------------------------------------------------------- chosen by hand


def test_papers_by_hand(experts: Assistant) -> None:
    review = experts.review(
        TOPIC,
        papers=5,
        include=["A Study of Bees"],
        exclude=["Cutter: Expert Pruning for Mixtures of Experts"],
    )
    check(review)
    titles = {r.paper.title: r for r in review.references}
    assert titles["A Study of Bees"].by_hand
    assert not any(title.startswith("Cutter") for title in titles)
    assert review.counts.used == 5
    whys = {left.title.partition(":")[0]: left.why for left in review.left_out}
    assert whys["Cutter"] == "dropped by hand"
    assert any("beyond the 5 papers" in why for why in whys.values())


def test_an_unknown_paper_by_hand(experts: Assistant) -> None:
    with pytest.raises(PaperNotFound):
        experts.review(TOPIC, include=["No Such Paper"])


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize("topic", ["", "  \n", "?!…", "the", "of the"])
def test_no_topic(experts: Assistant, topic: str) -> None:
    with pytest.raises(QuestionError) as caught:
        experts.review(topic)
    assert str(caught.value).count(".") <= 2


def test_no_papers_wanted(experts: Assistant) -> None:
    with pytest.raises(QuestionError):
        experts.review(TOPIC, papers=0)


def test_no_library(make: Make) -> None:
    with pytest.raises(LibraryNotFound):
        make([]).review(TOPIC)


def test_a_long_topic_is_cut(experts: Assistant) -> None:
    review = experts.review("mixture of experts " * 100)
    assert len(review.topic) <= 400
    assert "first 400 were read" in review.notes[0]


def test_more_papers_than_there_are(experts: Assistant) -> None:
    review = experts.review(TOPIC, papers=500)
    check(review)
    assert "500 papers were asked for, and the library holds 18" in review.notes[0]


def test_a_topic_that_the_library_does_not_hold(experts: Assistant) -> None:
    review = experts.review("gene editing by CRISPR")
    assert review.status == "absent"
    assert not review.references
    assert not review.themes
    assert "holds nothing on “gene editing by CRISPR”" in review.scope[0].text
    assert "nearest papers" in review.scope[1].text


def test_a_topic_that_it_hardly_holds(experts: Assistant) -> None:
    review = experts.review("orchids")
    check(review)
    assert review.status == "thin"
    assert review.counts.used == 1
    assert any("hardly holds" in s.text for s in review.scope)


def test_papers_without_abstracts(make: Make) -> None:
    bare = [Paper(title=f"Expert Pruning, Part {n}") for n in range(4)]
    review = make([*bare, *other_papers()]).review("expert pruning")
    assert review.status == "absent"
    assert "none of them has an abstract" in review.scope[0].text
    assert {left.why for left in review.left_out} >= {"no abstract"}


def test_some_papers_without_abstracts(make: Make) -> None:
    bare = Paper(title="Expert Pruning for Mixtures of Experts")
    assistant = make([*expert_papers(), bare, *other_papers()])
    review = assistant.review("expert pruning")
    check(review)
    assert any("without an abstract" in s.text for s in review.scope)
    by_hand = assistant.review("expert pruning", include=[bare.title])
    check(by_hand)
    assert any(r.paper.title == bare.title for r in by_hand.references)


def test_fifty_identical_abstracts(make: Make) -> None:
    abstract = expert_papers()[0].abstract
    same = [Paper(title=f"Expert Pruning, Volume {n}", abstract=abstract) for n in range(50)]
    review = make([*same, *other_papers()]).review("expert pruning", papers=60)
    check(review)
    assert review.counts.used == 50
    assert len(list(review.sentences)) < 20  # what they all say is said once
    assert any("[1]–[50]" in s.text for s in review.sentences)


def test_an_endless_title(make: Make) -> None:
    long = "Expert Pruning " + "of the Very Long Kind " * 95
    papers = [Paper(title=long[:2000], abstract=expert_papers()[0].abstract), *expert_papers()]
    review = make([*papers, *other_papers()]).review("expert pruning")
    check(review)
    assert max(len(s.text) for s in review.sentences) < 1500
    assert max(len(theme.name) for theme in review.themes) < 120


def test_markup_in_titles(make: Make) -> None:
    nasty = (
        "<script>alert(1)</script>: *Expert* [Pruning](x) | `of` {Mixtures} \\textbf{Now} & $x^2$"
    )
    papers = [Paper(title=nasty, abstract=expert_papers()[0].abstract), *expert_papers()[1:]]
    assistant = make([*papers, *other_papers()])
    review = assistant.review("expert pruning")
    check(review)
    assert any(r.paper.title == nasty for r in review.references)


def test_a_paper_that_speaks_of_itself_in_brackets(make: Make) -> None:
    """Reference marks of an abstract are not taken for ours."""
    first = expert_papers()[0]
    marked = first.model_copy(
        update={"abstract": first.abstract.replace("score", "score [12, 13]")}
    )
    check(make([marked, *expert_papers()[1:], *other_papers()]).review("expert pruning"))


def test_the_whole_as_json(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    again = Review.model_validate(json.loads(review.model_dump_json()))
    assert again == review
    assert review.plan.theme_counts
    assert review.plan.roles
    assert review.searches
