"""Screening: order, estimate, agreement, PRISMA, decisions of other programs."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from assistant.assistant import Assistant
from assistant.doctor import damaged_beside
from assistant.errors import (
    ConfigurationError,
    DecisionStands,
    LibraryNotFound,
    PaperNotFound,
    QuestionError,
    ScreeningNotFound,
    SourceError,
)
from assistant.filters import Filters
from assistant.paper import Paper
from assistant.review.screening import (
    CONSENSUS,
    Criteria,
    Decision,
    Ranker,
    Screening,
    Verdict,
    agreement,
    decisions_csv,
    prisma_svg,
    read_criteria,
    read_decisions,
)
from eval.screening import simulated

CRITERIA = (
    "# ours\ninclude: drops experts\n- Exclude: insects or animals\nexclude: not in English\n"
)


def make_set(count: int = 120) -> tuple[Ranker, dict[str, bool]]:
    """A tenth is about salt, the rest about other things."""
    rng = np.random.default_rng(1)
    truth = {str(n): n % 10 == 0 for n in range(count)}
    words = ["river", "stone", "cloud", "bread", "violin", "harbour", "comet", "glacier"]
    texts = {
        p: f"{'salt in sweat of children' if yes else ' '.join(rng.choice(words, 4))} study {p}"
        for p, yes in truth.items()
    }
    vectors = rng.normal(size=(count, 8)).astype(np.float32)
    return Ranker(texts, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)), truth


def test_the_likely_come_first() -> None:
    ranker, truth = make_set()
    found = simulated(ranker, truth, ["0", "1"])
    assert len(found) == 118
    assert sum(found[:15]) == sum(found) == 11


def test_the_estimate_says_how_many_are_left_and_when_to_stop() -> None:
    ranker, truth = make_set()
    screening = Screening(topic="salt", papers=list(truth))
    verdicts: dict[str, Verdict] = {"0": "include", "1": "exclude"}
    assert ranker.chances(verdicts) == {}
    for paper in ["0", "10", "20", "30", "40", "50", *[str(n) for n in range(1, 10)]]:
        verdict: Verdict = "include" if truth[paper] else "exclude"
        screening.decide(Decision(paper_id=paper, verdict=verdict))
    estimate = screening.estimate(ranker.chances(screening.final()))
    assert estimate.unfound is not None
    assert 3 <= estimate.unfound <= 12  # six are
    assert not estimate.stop
    order = ranker.ranked(screening.final())
    for paper in order[:60]:
        verdict = "include" if truth[paper] else "exclude"
        screening.decide(Decision(paper_id=paper, verdict=verdict))
    estimate = screening.estimate(ranker.chances(screening.final()))
    assert estimate.included == 12
    assert estimate.stop
    assert "stopping may be reasonable" in str(estimate)


def test_a_session_keeps_each_decision(experts: Assistant, tmp_path: Path) -> None:
    file = tmp_path / "screening.json"
    session = experts.screen("expert pruning", criteria=CRITERIA, file=file)
    first = session.next()
    assert first is not None
    session.decide(first.id, "include")
    second = session.next()
    assert second is not None
    assert second.id != first.id
    session.decide(second.id, "exclude", "insects or animals")
    again = experts.screen("expert pruning", file=file)
    assert again.screening.decisions == session.screening.decisions
    assert again.screening.criteria.exclude == ["insects or animals", "not in English"]
    assert again.undo() == second
    assert again.next() == second
    while (paper := again.next()) is not None:
        again.decide(paper.id, "exclude")
    assert again.estimate().decided == len(experts.library)
    with pytest.raises(ConfigurationError, match="holds the decisions on “expert pruning”"):
        experts.screen("quantization", file=file)
    (tmp_path / "bad.json").write_text("{", "utf-8")
    with pytest.raises(SourceError):
        experts.screen("expert pruning", file=tmp_path / "bad.json")
    with pytest.raises(QuestionError):
        experts.screen("the")


def test_criteria_and_the_words_that_they_rest_on() -> None:
    criteria = read_criteria(CRITERIA)
    assert criteria.include == ["drops experts"]
    held = criteria.words("It dropped one expert, and animals were seen.")
    assert held == {"drops experts": ["dropped", "expert"], "insects or animals": ["animals"]}


def test_agreement_of_reviewers() -> None:
    verdicts = {"a": "ieie", "b": "iiee", "c": "ieie"}
    named: dict[str, Verdict] = {"i": "include", "e": "exclude"}
    decisions = [
        Decision(paper_id=str(n), verdict=named[v], reviewer=who)
        for who, row in verdicts.items()
        for n, v in enumerate(row)
    ]
    assert agreement(decisions) == {"a / b": 0.0, "a / c": 1.0, "b / c": 0.0}


def test_decisions_of_other_programs() -> None:
    papers = [
        Paper(title="Salt in Sweat", doi="10.1000/salt"),
        Paper(title="On Bees", source_id="77"),
        Paper(title="Bread"),
    ]
    asreview = (
        "record_id,title,doi,included\n0,x,https://doi.org/10.1000/SALT,1\n77,y,,0\n5,Bread!,,\n"
    )
    made, lost = read_decisions(asreview, papers)
    assert [(d.paper_id, d.verdict) for d in made] == [
        (papers[0].id, "include"), (papers[1].id, "exclude"),
    ]  # fmt: skip
    assert lost == 0
    rayyan = (
        'key,title,notes\nr1,On bees,"RAYYAN-INCLUSION: {""Ada""=>""Excluded"", ""Bo""=>""Maybe""} '
        '| RAYYAN-EXCLUSION-REASONS: wrong animal"\n'
        'r2,Nowhere,"RAYYAN-INCLUSION: {""Ada""=>""Included""}"\n'
    )
    made, lost = read_decisions(rayyan, papers)
    assert [(d.reviewer, d.verdict, d.reason) for d in made] == [
        ("Ada", "exclude", "wrong animal"), ("Bo", "maybe", "wrong animal"),
    ]  # fmt: skip
    assert lost == 1
    covidence = "Title,Status,Exclusion reason\nBread,Excluded,not about salt\n"
    made, _ = read_decisions(covidence, papers)
    assert made == [
        Decision(paper_id=papers[2].id, verdict="exclude", reviewer="imported",
                 reason="not about salt")
    ]  # fmt: skip


def test_export_is_read_again_and_counts_add_up() -> None:
    papers = [Paper(title=f"Salt {n}") for n in range(4)]
    screening = Screening(topic="salt", papers=[p.id for p in papers], identified=6)
    rows: tuple[tuple[int, Verdict, str], ...] = (
        (0, "include", ""), (1, "exclude", "a <b> & c"), (2, "maybe", ""),
    )  # fmt: skip
    for n, verdict, reason in rows:
        screening.decide(Decision(paper_id=papers[n].id, verdict=verdict, reason=reason))
    made, lost = read_decisions(decisions_csv(screening, {p.id: p for p in papers}), papers)
    assert made == screening.decisions
    assert lost == 0
    counts = screening.prisma()
    assert counts["identified"] - counts["duplicates removed"] == 4
    assert counts["screened"] + counts["not screened"] == 4
    assert counts["excluded"] == counts["excluded: a <b> & c"] == 1
    ElementTree.fromstring(prisma_svg(screening))


def test_no_window_overwrites_what_another_did(experts: Assistant, tmp_path: Path) -> None:
    file = tmp_path / "screening.json"
    one = experts.screen("expert pruning", file=file)
    two = experts.screen("expert pruning", file=file)  # as another process has it
    papers = list(one.papers)
    one.decide(papers[0], "include", reviewer="ada")
    two.decide(papers[1], "exclude", "bread", "bo")
    two.decide(papers[0], "exclude", reviewer="bo")
    assert len(one.screening.decisions) < len(Screening.load(file).decisions) == 3
    assert one.estimate().decided == 2  # it reads again what lies there
    assert one.screening.conflicts() == [papers[0]]
    assert one.screening.final()[papers[0]] == "maybe"
    with pytest.raises(DecisionStands, match="include"):
        two.decide(papers[0], "maybe", reviewer="ada", instead_of="")
    two.decide(papers[0], "maybe", reviewer="ada", instead_of="include")
    one.decide(papers[0], "include", reviewer=CONSENSUS)
    assert two.undo("ada") == two.papers[papers[0]]
    assert two.next("ada", shown=papers[2]) == two.papers[papers[2]]
    assert Screening.load(file).final() == {papers[1]: "exclude", papers[0]: "include"}
    assert one.screening.conflicts() == []
    assert "consensus" not in str(one.agreement())
    with pytest.raises(PaperNotFound):
        one.decide("nowhere", "include")
    assert [entry.name for entry in tmp_path.glob("*")].count(file.name) == 1


def test_named_screenings_lie_in_the_library(experts: Assistant) -> None:
    kept = experts.screenings
    name = kept.start("Expert pruning: a study", read_criteria(CRITERIA), most=2)
    assert name == "expert-pruning-a-study"
    assert kept.start("Expert pruning, a study", Criteria()) == f"{name}-2"
    session = kept.session(name)
    assert len(session.papers) == 2
    session.decide(next(iter(session.papers)), "include")
    told = {one.name: (one.decided, one.included, one.papers) for one in kept.all()}
    assert told[name] == (1, 1, 2)
    assert session.written("bib", experts.citation_keys()).count("@") == 1
    assert session.written("ris").count("TY  -") == 1
    assert str(session.screening.criteria).count("exclude: ") == 2
    file = experts.library.path / "screenings" / f"{name}.json"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"include", b"exclude"))
    assert file in damaged_beside(experts.library.path)
    file.write_bytes(b"")
    assert file in damaged_beside(experts.library.path)
    file.write_bytes(whole)
    kept.delete(name)
    kept.delete(f"{name}-2")
    assert damaged_beside(experts.library.path) == {}
    assert kept.all() == []
    for gone in (name, "../secret", "a/b"):
        with pytest.raises(ScreeningNotFound):
            kept.session(gone)
    with pytest.raises(LibraryNotFound, match="No paper fits"):
        kept.start("experts", Criteria(), Filters(first_year=2999))


def test_files_of_tabs_of_ris_and_without_verdicts() -> None:
    papers = [Paper(title="Salt in Sweat", doi="10.1000/salt"), Paper(title="On Bees")]
    tabs = "\ufefftitle\tasreview_label\nSalt in sweat\t1\nOn bees\t0\n"
    made, _ = read_decisions(tabs, papers)
    assert [d.verdict for d in made] == ["include", "exclude"]
    ris = (
        "TY  - JOUR\nTI  - Salt in Sweat\nN1  - ASReview_relevant\nER  - \n\n"
        "TY  - JOUR\nT1  - On Bees\nN1  - ASReview_irrelevant\nER  - \n"
    )
    assert read_decisions(ris, papers)[0] == made
    bare = "Title,Authors\nSalt in Sweat,Lind\nOn Stones,Berg\n"
    with pytest.raises(SourceError, match="no decisions"):
        read_decisions(bare, papers)
    included, lost = read_decisions(bare, papers, "ada", "include")
    assert [(d.paper_id, d.verdict, d.reviewer) for d in included] == [
        (papers[0].id, "include", "ada")
    ]
    assert lost == 1


def test_what_was_decided_here_stands_against_an_import(experts: Assistant) -> None:
    session = experts.screen("expert pruning")
    first, second, *_ = session.papers
    session.decide(first, "exclude", reviewer="ada")
    rows = f"paper_id,decision\n{first},include\n{second},include\n"
    assert tuple(session.bring_in(rows, "ada")) == (1, 1, 0)
    assert session.screening.final() == {first: "exclude", second: "include"}
