"""Which records are the same paper, within a run and over runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.identity import KnownPapers
from assistant.paper import Paper

LONG_A = "The lungs of patients are studied over years with care and many measurements."
LONG_B = "Genes on chromosome seven explain most of what families show in this report."


MakeKnown = Callable[..., KnownPapers]


def known_papers(papers: Iterable[Paper]) -> KnownPapers:
    """Of a library that holds the papers given."""
    held = {paper.id: paper for paper in papers}
    return KnownPapers((paper.names for paper in held.values()), held.__getitem__)


@pytest.fixture
def known() -> MakeKnown:
    """Makes the `KnownPapers` of a library that holds the papers given."""
    return lambda *papers: known_papers(papers)


def verdicts(known: KnownPapers, *records: Paper) -> list[str]:
    return [known.place(record).verdict for record in records]


def test_a_record_is_new_then_a_duplicate_then_unchanged_in_the_next_run(known: MakeKnown) -> None:
    paper = Paper(title="T", abstract=LONG_A)
    assert verdicts(known(), paper, paper) == ["new", "duplicate"]
    assert verdicts(known(paper), paper, paper) == ["unchanged", "duplicate"]


def test_where_it_was_read_does_not_change_a_paper(known: MakeKnown) -> None:
    paper = Paper(title="T", abstract=LONG_A, source="a.jsonl", source_id="1")
    again = Paper(title="T", abstract=LONG_A, source="b.bib", source_id="key")
    assert verdicts(known(paper), again) == ["unchanged"]


def test_a_record_that_knows_less_changes_nothing(known: MakeKnown) -> None:
    paper = Paper(title="T", abstract=LONG_A, doi="10.1234/x", year=2020, authors=("A",))
    assert verdicts(known(paper), Paper(title="T", abstract=LONG_A)) == ["unchanged"]
    assert verdicts(known(paper), Paper(title="T")) == ["unchanged"]


def test_a_changed_abstract_is_the_same_paper(known: MakeKnown) -> None:
    decision = known(Paper(title="T", abstract=LONG_A)).place(Paper(title="T.", abstract=LONG_B))
    assert decision.verdict == "changed"
    assert decision.paper.abstract == LONG_B
    assert decision.paper.id == Paper(title="T").id


def test_a_doi_or_arxiv_id_decides_across_sources_and_titles(known: MakeKnown) -> None:
    held = Paper(title="First title", abstract=LONG_A, doi="10.1234/x")
    renamed = Paper(title="Second title", abstract=LONG_A, doi="https://doi.org/10.1234/X")
    assert known(held).place(renamed).paper.id == "doi:10.1234/x"
    preprint = Paper(title="Draft", abstract=LONG_A, arxiv_id="2401.00001v1")
    version = Paper(title="Final", abstract=LONG_B, arxiv_id="arXiv:2401.00001v7", doi="10.1234/y")
    decision = known(preprint).place(version)
    assert (decision.verdict, decision.paper.id) == ("changed", "arxiv:2401.00001")
    assert decision.paper.doi == "10.1234/y"


def test_a_record_that_gains_a_doi_keeps_its_paper(known: MakeKnown) -> None:
    plain = Paper(title="T", abstract=LONG_A)
    with_doi = Paper(title="T", abstract=LONG_A, doi="10.1234/x")
    papers = known(plain)
    decision = papers.place(with_doi)
    assert (decision.verdict, decision.paper.id) == ("changed", plain.id)
    # from now on the DOI is a name of it, in this run and in the next ones
    other_title = Paper(title="T: a study", abstract=LONG_A, doi="10.1234/x")
    assert papers.place(other_title).verdict == "duplicate"
    later = known(decision.paper)
    assert later.place(with_doi).verdict == "unchanged"
    assert later.place(other_title).verdict == "duplicate"


def test_parts_of_a_book_that_share_its_doi_are_papers_of_their_own(known: MakeKnown) -> None:
    parts = [
        Paper(title="Lungs over years", abstract=LONG_A, doi="10.1234/book"),
        Paper(title="Genes in families", abstract=LONG_B, doi="10.1234/book"),
        Paper(title="Preface", doi="10.1234/book"),
    ]
    papers = known()
    held = [papers.place(part).paper for part in parts]
    assert len({paper.id for paper in held}) == 3
    assert {paper.doi for paper in held} == {"10.1234/book"}
    assert verdicts(known(*held), *parts) == ["unchanged"] * 3
    assert verdicts(known(*held), *reversed(parts)) == ["unchanged"] * 3


def test_an_abstract_that_comes_later_is_added_in_any_order(known: MakeKnown) -> None:
    bare = Paper(title="Lungs over years", year=2020, doi="10.1234/x")
    whole = Paper(title="Lungs over years", abstract=LONG_A, authors=("Jo Doe",))
    for first, second in ((bare, whole), (whole, bare)):
        papers = known()
        assert papers.place(first).verdict == "new"
        decision = papers.place(second)
        assert decision.verdict == "changed"
        assert decision.paper.id == first.id
        wanted = (LONG_A, 2020, "10.1234/x", ("Jo Doe",))
        found = decision.paper
        assert (found.abstract, found.year, found.doi, found.authors) == wanted
        assert known(first).place(second).paper.abstract == LONG_A


def test_what_cannot_be_read_yet_is_a_mere_duplicate() -> None:
    def unreadable(name: str) -> Paper:
        raise KeyError(name)

    held = Paper(title="T", abstract=LONG_A)
    papers = KnownPapers([held.names], unreadable)
    assert papers.place(Paper(title="T", abstract=LONG_A, year=2020)).verdict == "duplicate"


def test_a_preprint_and_its_published_version_are_one_paper_with_both_ids(
    known: MakeKnown,
) -> None:
    preprint = Paper(title="Lungs over years", abstract=LONG_A, doi="10.1101/2020.01.02.000001")
    published = Paper(title="Lungs over years", abstract=LONG_A, doi="10.1234/x", year=2021)
    for first, second in ((preprint, published), (published, preprint)):
        paper = known(first).place(second).paper
        assert paper.doi == "10.1234/x"
        assert paper.also == ("doi:10.1101/2020.01.02.000001",)
        assert verdicts(known(paper), published, preprint) == ["unchanged", "duplicate"]
    posted = Paper(title="Lungs over years", abstract=LONG_A, arxiv_id="2401.00001")
    paper = known(posted).place(published).paper
    assert (paper.id, paper.doi, paper.arxiv_id) == ("arxiv:2401.00001", "10.1234/x", "2401.00001")


def test_authors_tell_papers_without_abstracts_apart(known: MakeKnown) -> None:
    one = Paper(title="Editorial", authors=("Jo Doe",))
    two = Paper(title="Editorial", authors=("Kim Roe",))
    again = Paper(title="Editorial", authors=("Doe J",))
    assert verdicts(known(), one, two, again) == ["new", "new", "duplicate"]


def test_the_same_authors_with_a_long_title_wrote_one_paper(known: MakeKnown) -> None:
    title, people = "Lungs of patients over many years", ("Jo Doe", "Kim Roe")
    one = Paper(title=title, abstract=LONG_A, authors=people)
    two = Paper(title=title, abstract=LONG_B, authors=("J. Doe", "K. Roe"))
    assert verdicts(known(), one, two) == ["new", "duplicate"]


def test_different_dois_are_different_papers_whatever_the_title(known: MakeKnown) -> None:
    one = Paper(title="Editorial", abstract=LONG_A, doi="10.1234/one")
    two = Paper(title="Editorial", abstract=LONG_A, doi="10.1234/two")
    assert verdicts(known(one), two, one) == ["new", "unchanged"]


def test_a_title_that_one_source_uses_for_several_papers(known: MakeKnown) -> None:
    first, second, third = (
        Paper(title="Cystic fibrosis", abstract=text, source="cf", source_id=str(i))
        for i, text in enumerate((LONG_A, LONG_B, LONG_A + " And more of it."))
    )
    papers = known()
    placed = [papers.place(paper) for paper in (first, second, third)]
    assert [decision.verdict for decision in placed] == ["new"] * 3
    held = [decision.paper for decision in placed]
    assert len({paper.id for paper in held}) == 3
    assert verdicts(known(*held), third, first, second) == ["unchanged"] * 3
    # the third one changes: its own source id says which it is
    changed = third.model_copy(update={"abstract": LONG_B + " Now about genes."})
    decision = known(*held).place(changed)
    assert (decision.verdict, decision.paper.id) == ("changed", held[2].id)


def test_same_title_and_clearly_other_abstract_in_one_run(known: MakeKnown) -> None:
    one, two = Paper(title="Review", abstract=LONG_A), Paper(title="Review", abstract=LONG_B)
    nearly = Paper(title="Review", abstract=LONG_A + " Slightly longer.")
    papers = known()
    placed = [papers.place(paper) for paper in (one, two, nearly)]
    assert [decision.verdict for decision in placed] == ["new", "new", "changed"]
    held = [decision.paper for decision in placed[:2]]
    assert verdicts(known(*held), two, one) == ["unchanged", "unchanged"]
    assert verdicts(known(*held), nearly, two) == ["changed", "unchanged"]


def test_a_repeat_with_the_same_text_is_never_a_second_paper(known: MakeKnown) -> None:
    one = Paper(title="T", abstract=LONG_A, source="s", source_id="1")
    two = Paper(title="T", abstract=LONG_A, source="s", source_id="2")
    assert verdicts(known(), one, two) == ["new", "duplicate"]


def test_a_repeat_never_takes_the_place_of_another_paper_with_its_title(
    known: MakeKnown,
) -> None:
    one, two = Paper(title="Review", abstract=LONG_A), Paper(title="Review", abstract=LONG_B)
    nearly = Paper(title="Review", abstract=LONG_A + " Slightly longer.")
    papers = known()
    placed = [papers.place(paper).paper for paper in (one, two)]
    assert verdicts(known(*placed), one, nearly, two) == [
        "unchanged",
        "changed",
        "unchanged",
    ]


def test_a_record_without_abstract_repeats_one_that_has_it(known: MakeKnown) -> None:
    whole, bare = Paper(title="T", abstract=LONG_A), Paper(title="T")
    assert verdicts(known(), whole, bare) == ["new", "duplicate"]
    assert verdicts(known(whole), bare, whole) == ["unchanged", "duplicate"]


def test_an_id_is_never_given_twice(known: MakeKnown) -> None:
    first = Paper(title="T", abstract=LONG_A, source="s", source_id="1")
    papers = known(first)
    second = papers.place(first.model_copy(update={"abstract": LONG_B, "source_id": "2"})).paper
    # the second one changes, and a third one comes with what was the text of the second
    changed = second.model_copy(update={"abstract": "Quite new words."})
    third = known(first, changed).place(
        first.model_copy(update={"abstract": LONG_B, "source_id": "3"})
    )
    assert third.verdict == "new"
    assert third.paper.id not in (first.id, second.id)


def test_title_only_and_untitled_papers(known: MakeKnown) -> None:
    title, text = Paper(title="Only a title"), Paper(abstract=LONG_A)
    assert verdicts(known(), title, title, text, text) == ["new", "duplicate", "new", "duplicate"]
    assert verdicts(known(title, text), text, title) == ["unchanged", "unchanged"]
    assert verdicts(known(title), Paper(title="Only a title", abstract=LONG_A)) == ["changed"]
    assert verdicts(known(text), Paper(abstract=LONG_B)) == ["new"]


def test_an_abstract_replaces_a_digest_for_good(known: MakeKnown) -> None:
    digest = Paper(title="T", abstract="Told again.", kind="digest")
    abstract = Paper(title="T", abstract=LONG_A)
    assert known(digest).place(abstract).paper.kind == "abstract"
    assert verdicts(known(abstract), digest) == ["unchanged"]


_papers = st.builds(
    Paper,
    title=st.sampled_from(["T", "U", "Editorial"]),
    abstract=st.sampled_from([LONG_A, LONG_B, LONG_A + " More."]),
    doi=st.sampled_from([None, "10.1234/x"]),
    arxiv_id=st.sampled_from([None, "2401.00001"]),
    source=st.sampled_from([None, "s"]),
    source_id=st.sampled_from([None, "1", "2"]),
)


@settings(max_examples=150, derandomize=True)
@given(st.lists(_papers, max_size=8))
def test_the_same_run_twice_adds_nothing_and_ids_never_clash(
    records: list[Paper],
) -> None:
    papers: dict[str, Paper] = {}
    first = known_papers([])
    for record in records:
        decision = first.place(record)
        if decision.verdict == "new":
            assert decision.paper.id not in papers
        if decision.verdict in ("new", "changed"):
            papers[decision.paper.id] = decision.paper
    second = known_papers(papers.values())
    assert "new" not in verdicts(second, *records)


NEAR_A = LONG_A.replace("many measurements", "several measurements")
EVEN = "Comparing bird assemblages in spruce stands originating from fire"


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("An occupancy and space-use model of owls", "An occupancy and space-usemodel of owls."),
        ("Owls info rest burns of the north", "OWLS IN FOREST BURNS OF THE NORTH."),
        ("Certification systems for owls", "Certifi cation Systems for Owls"),
    ],
)
def test_how_a_title_is_cut_into_words_does_not_tell_papers_apart(
    known: MakeKnown, title: str, other: str
) -> None:
    first, second = Paper(title=title, abstract=LONG_A), Paper(title=other, abstract=NEAR_A)
    assert verdicts(known(), first, second)[1] in {"changed", "duplicate"}


def twins(**changed: object) -> tuple[Paper, Paper]:
    fields = {"title": EVEN, "year": 1999, "venue": "Journal of Zoology"}
    first = Paper(**fields, abstract=LONG_A, authors=("L. Imbo", "R. Gagno"), doi="10.1139/z99-172")
    other = {**fields, "abstract": NEAR_A, "authors": ("Louis Imbo", "Rejean Gagno")}
    return first, Paper(**{**other, "doi": "10.1139/cjz-77-12-1850", **changed})


def test_two_dois_of_one_paper(known: MakeKnown) -> None:
    first, second = twins()
    papers = known()
    assert papers.place(first).verdict == "new"
    assert papers.place(second).paper.id == first.id


@pytest.mark.parametrize(
    "changed",
    [
        {"venue": "Proceedings of a Meeting"},
        {"venue": None},
        {"year": 2001},
        {"authors": ("Mara Quist", "Bo Li")},
        {"abstract": LONG_B},
        {"abstract": ""},
        {"title": f"{EVEN} II"},
    ],
)
def test_two_dois_are_two_papers_where_anything_else_differs(
    known: MakeKnown, changed: dict[str, object]
) -> None:
    assert verdicts(known(), *twins(**changed)) == ["new", "new"]


def test_a_preprint_and_its_paper_are_one_also_under_keys_of_one_source(known: MakeKnown) -> None:
    first, second = twins(doi="10.1139/z99-172", source="a.bib", source_id="Imbo1999a")
    preprint = first.model_copy(
        update={
            "doi": None,
            "venue": None,
            "year": 1998,
            "source": "a.bib",
            "source_id": "Imbo1998",
        }
    )
    assert verdicts(known(), preprint, second)[1] == "changed"
    apart = second.model_copy(update={"abstract": LONG_B})
    assert verdicts(known(), preprint, apart) == ["new", "new"]
