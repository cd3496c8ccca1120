"""Whole reviews without a language model: what they hold, and what they do with bad input."""

from __future__ import annotations

import json

import pytest

from assistant.assistant import Assistant
from assistant.attribution import is_verbatim
from assistant.errors import LibraryNotFound, PaperNotFound, QuestionError
from assistant.paper import Paper
from assistant.review.model import COLUMNS, Review, ReviewProgress, ReviewSentence, Theme
from assistant.review.rendering import render, rendered

from .conftest import Make, expert_papers, other_papers

TOPIC = "mixture of experts"


def check(review: Review) -> None:
    """What holds for every review."""
    numbers = [r.number for r in review.references]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({r.paper.id for r in review.references}) == len(numbers) == review.counts.used
    abstracts = {r.number: r.paper.abstract for r in review.references}
    cited: set[int] = set()
    for sentence in review.sentences:
        marks = {n for _, n in sentence.pieces() if n is not None}
        assert marks == set(sentence.citations)
        assert "".join(text for text, _ in sentence.pieces())
        cited |= marks
        if sentence.support != "none":
            assert sentence.citations
            assert {q.number for q in sentence.quotes} == set(sentence.citations)
        if review.mode == "extractive":
            check_quotations(review, sentence)
    assert cited == set(numbers)  # no used paper is lost, and no other is cited
    themed = sorted(n for theme in review.themes for n in theme.papers)
    assert themed == numbers
    assert [row.number for row in review.table] == numbers  # numbered as the table stands
    for row in review.table:
        for column in COLUMNS:
            cell = getattr(row, column)
            if cell is not None:
                assert cell.citation == row.number
                assert is_verbatim(cell.quote, abstracts[row.number])
                assert cell.text in cell.quote
    for number in review.numbers:
        assert number.value in number.cell.text
        assert number.cell.text in number.cell.quote
        assert number.cell.quote in abstracts[number.cell.citation]
    v = review.verdicts
    assert v.supported + v.partial + v.unsupported + v.own == len(list(review.sentences))
    texts = [s.text for s in review.sentences]
    assert len(set(texts)) == len(texts)


def check_quotations(review: Review, sentence: ReviewSentence) -> None:
    """What stands behind a colon in quotation marks is its abstract's, letter for letter."""
    held = {r.number: f"{r.paper.abstract} … {r.paper.title}" for r in review.references}
    for quote in sentence.quotes:
        assert is_verbatim(quote.text, held[quote.number]) or quote.text in held[quote.number]
    line = sentence.text.partition(": “")[2]
    if line and sentence in review.open_questions:
        assert line[: line.rindex("”")] in held[sentence.citations[0]]


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
    assert review.verdicts.supported >= 8
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


def test_numbers_stand_in_a_table_with_their_sentence(experts: Assistant) -> None:
    rows = {row.cell.text: row for row in experts.review(TOPIC).numbers}
    assert "reduces memory by 40%" in rows
    assert rows["reduces memory by 40%"].value == "40%"
    assert rows["reduces memory by 40%"].what == "reduces memory by"
    assert rows["reduces memory by 40%"].cell.quote.startswith("Expert pruning by Cutter")


def test_papers_are_set_side_by_side_by_what_cells_share_alone(
    experts: Assistant, make: Make
) -> None:
    """Never by a phrase that some of them write, nor by how many write a theme's name."""
    papers = [
        Paper(
            title=f"{name}: Sorting Lemons",
            abstract=f"We propose {name}, a method that sorts lemons. We train {name} on the "
            f"Citrus3 dataset of lemons. {name} sorts lemons better than before.",
        )
        for name in ("Zester", "Peeler")
    ]
    review = make([*papers, *other_papers()]).review("sorting lemons")
    said = review.across
    assert [s.text.endswith("use the same data: “Citrus3”.") for s in said] == [True]
    assert said[0].citations == [1, 2]
    text = " ".join(s.text for s in experts.review(TOPIC).sentences)
    assert "write of" not in text
    assert "is a subject of" not in text


def test_papers_that_find_the_opposite_are_quoted_both(make: Make) -> None:
    papers = [
        Paper(
            title=f"Sweat Sodium, Part {n}",
            abstract="We measured salt in the sweat of children. The aim was to see how sweat "
            f"sodium behaves in summer. Sweat sodium concentrations were {how} in July.",
        )
        for n, how in enumerate(("significantly higher", "lower"))
    ]
    review = make([*papers, *other_papers()]).review("sweat sodium")
    said = review.disagreements[0]
    assert "were significantly higher in July.” [1] But" in said.text or "But" in said.text
    assert said.citations == [1, 2]


def test_a_topic_that_is_a_question_is_answered_by_the_papers(make: Make) -> None:
    papers = [
        Paper(
            title="Lamps in the Orchard",
            abstract="Moths are drawn by lamps at night. We hung blue lamps in nine orchards for "
            "two summers. Under blue lamps the trees bore a fifth more apples than in the dark. "
            "We thank the growers.",
        ),
        Paper(
            title="Frost and Blossom",
            abstract="Late frost kills blossom. We counted blossom in forty orchards after a "
            "frost in May. Orchards on slopes kept most of their blossom.",
        ),
    ]
    made = make([*papers, *other_papers()])
    review = made.review("does blue light raise the yield of apple trees")
    assert review.status != "absent"
    assert review.references[0].paper.title == "Lamps in the Orchard"
    assert "a fifth more apples" in review.answers[0].text
    assert review.answers[0].citations == [1]
    assert not made.review("blue lamps in orchards").answers  # a topic asks nothing


def test_what_is_likely_is_marked_where_it_stands(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    cells = [c for row in review.table for c in (row.method, row.result, row.scale) if c]
    for cell in cells:
        cell.certainty = "sure"
    assert "(?)" not in rendered(review, "markdown")
    cells[0].certainty, cell = "likely", cells[0]
    for form in ("markdown", "html"):
        text = rendered(review, form)
        assert f"{cell.text}” (?)" in text or f"{cell.text} (?)" in text
        assert "(?) marks what is likely" in text


def test_open_questions_are_the_papers_own(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    assert any("remains an open question" in s.text for s in review.open_questions)


def test_empty_cells_where_the_abstract_does_not_say(experts: Assistant) -> None:
    rows = {row.title.partition(":")[0]: row for row in experts.review(TOPIC).table}
    assert rows["Cutter"].limits is not None
    assert "remains an open question" in rows["Cutter"].limits.text
    assert rows["Pathway"].limits is None
    assert rows["Pathway"].scale is None  # nobody here calls ImageNet a data set


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


def test_what_is_counted_is_what_is_listed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.review.candidates._LISTED", 1)
    monkeypatch.setattr("assistant.review.candidates.RELATED", 0.0)
    bare = Paper(title="Expert Pruning for Mixtures of Experts")
    dropped = "Cutter: Expert Pruning for Mixtures of Experts"
    assistant = make([*expert_papers(), bare, *other_papers()])
    review = assistant.review("expert pruning", exclude=[dropped])
    said = [sentence.text for sentence in review.scope]
    assert len(review.related) > 1
    assert f"lists {len(review.related)} more" in said[0]
    assert "1 more is by estimate about it, and left out: no abstract." in said
    assert "1 more is by estimate about it, and left out: dropped by hand." in said
    assert not any("asked for" in text for text in said)
    few = assistant.review("expert pruning", papers=2)
    assert len(few.beyond) > 1
    assert f"lists {len(few.beyond)} more that are by estimate about it" in few.scope[0].text
    assert not any("asked for" in sentence.text for sentence in few.scope)
    document = render(few, "md")
    assert all(f"- {left.title}" in document for left in few.beyond)


def test_no_papers_are_not_counted(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.review.candidates.RELATED", 1.1)
    review = make(expert_papers()[:3]).review("expert pruning")
    assert not review.related
    assert not review.beyond
    assert review.scope[0].text.endswith("this review is written about 3 of them.")


def test_themes_are_counted_as_they_are_named(experts: Assistant) -> None:
    review = experts.review(TOPIC)
    names = [theme.name for theme in review.themes if theme.name not in ("Other", "All papers")]
    assert review.extent == [f"{review.counts.used} papers", f"{len(names)} themes"]
    alone = Review(topic="t", title="t", status="thin", themes=[Theme(name="All papers")])
    assert alone.extent == ["0 papers"]


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
    assert "nothing to review in their abstracts" in review.scope[0].text
    assert {left.why for left in review.left_out} >= {"no abstract"}


def test_some_papers_without_abstracts(make: Make) -> None:
    bare = Paper(title="Expert Pruning for Mixtures of Experts")
    assistant = make([*expert_papers(), bare, *other_papers()])
    review = assistant.review("expert pruning")
    check(review)
    assert "no abstract" in {left.why for left in review.left_out}
    by_hand = assistant.review("expert pruning", include=[bare.title])
    check(by_hand)
    assert any(r.paper.title == bare.title for r in by_hand.references)


def test_a_preprint_and_its_paper_are_one(make: Make) -> None:
    first = expert_papers()[0]
    later = first.model_copy(
        update={"abstract": f"{first.abstract} It is simple.", "doi": "10.1000/later"}
    )
    review = make([*expert_papers(), later, *other_papers()]).review(TOPIC)
    check(review)
    titles = [r.paper.title for r in review.references]
    assert titles.count(first.title) == 1
    assert len(titles) == len(expert_papers())


def test_fifty_identical_abstracts(make: Make) -> None:
    abstract = expert_papers()[0].abstract
    same = [Paper(title=f"Expert Pruning, Volume {n}", abstract=abstract) for n in range(50)]
    review = make([*same, *other_papers()]).review("expert pruning", papers=60)
    check(review)
    assert review.counts.used == 50
    assert len(list(review.sentences)) < 20  # what they all say is said once
    assert any(len(s.citations) == 50 for s in review.sentences)


def test_an_endless_title(make: Make) -> None:
    long = "Expert Pruning " + "of the Very Long Kind " * 95
    papers = [Paper(title=long[:2000], abstract=expert_papers()[0].abstract), *expert_papers()]
    review = make([*papers, *other_papers()]).review("expert pruning")
    check(review)
    assert max(len(s.text) for s in review.sentences) < 2500
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
    assert review.searches


@pytest.mark.parametrize("topic", ["price pass-through", "price pass through", "price passthrough"])
def test_a_compound_is_its_joined_spelling(make: Make, topic: str) -> None:
    others = "Prices of imports follow what is paid abroad, and {} of prices is slow and partial."
    titles = {"Slow Passthrough of Prices": "passthrough", "Pass-Through of Prices": "pass-through"}
    papers = [Paper(title=t, abstract=others.format(word)) for t, word in titles.items()]
    review = make([*papers, *other_papers(), *expert_papers()]).review(topic)
    assert {reference.paper.title for reference in review.references} == set(titles)
    other = "price pass-through" if topic == "price passthrough" else "price passthrough"
    assert other in {step.query for step in review.searches}


def test_a_topic_of_two_words_needs_both(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """However sure the model is of a paper that holds one of them."""
    monkeypatch.setattr("assistant.fitted.LogisticModel.log_odds", lambda *_: 3.0)
    titles = (
        "Dwarf Galaxies of a Group",
        "Dwarf Galaxies and Their Dust",
        "White Dwarf Variability",
    )
    papers = [Paper(title=t, abstract=f"We observe {t.lower()}. All are faint.") for t in titles]
    assistant = make([*papers, *other_papers()])
    rings = {c.paper.title: c.ring for c in assistant.review_candidates("dwarf galaxies")}
    assert [rings[title] for title in titles] == ["core", "core", "related"]


def test_a_short_name_of_the_topic_names_no_theme(make: Make) -> None:
    kinds = ("Peel", "Juice", "Seeds")
    papers = [
        Paper(
            title=f"{kinds[n % 3]} and the ISLS of farm {chr(97 + n)}",
            abstract="Inland sweet lemon sorting (ISLS) is old. We study sweet lemon sorting."
            f" {kinds[n % 3]} of lemons matter. {kinds[n % 3]} were weighed in {chr(97 + n)}.",
        )
        for n in range(9)
    ]
    review = make([*papers, *other_papers()]).review("sweet lemon sorting")
    assert review.references
    assert not any("ISLS" in theme.name for theme in review.themes)
