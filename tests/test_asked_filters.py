"""Filters that a question names, the list of libraries, and one question over several."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_embedder import FakeEmbedder

from assistant.asked_filters import asked_filters
from assistant.assistant import Assistant
from assistant.cli import main
from assistant.errors import ConfigurationError, LibraryNotFound, QuestionError
from assistant.filters import Filters, chosen_years, year_range
from assistant.libraries import Libraries
from assistant.paper import Paper
from assistant.settings import Settings
from assistant.several import SeveralRetriever

AUTHORS = ["Lena Brandt", "Bo Li", "Ulf Lindholm"]


def asked(question: str, *, years: bool = True) -> tuple[str, Filters | None, str]:
    found = asked_filters(
        question,
        lambda: set(range(2015, 2024)) if years else set(),
        lambda part: [name for name in AUTHORS if part.casefold() in name.casefold()],
    )
    return found.text, found.filters, found.note


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("papers on owls since 2022", 2022, None),
        ("papers on owls after 2022", 2023, None),
        ("studies of owls before 2020?", None, 2019),
        ("studies of owls published prior to 2020?", None, 2019),
        ("work on owls between 2019 and 2021", 2019, 2021),
        ("articles on owls in 2020", 2020, 2020),
        ("papers from 2019 to 2021 on owls", 2019, 2021),
        ("papers from 2019–2021 on owls", 2019, 2021),
        ("papers from 2018 on owls", 2018, 2018),
        ("papers from the year 2018 about owls", 2018, 2018),
        ("owls: papers from 2018 on", 2018, None),
        ("papers from 2018 onwards about owls", 2018, None),
        ("papers from 2018 until now about owls", 2018, None),
        ("which papers published in 2018 or later are on owls", 2018, None),
        ("papers of 2018 about owls", 2018, 2018),
        ("the 2018 papers about owls", 2018, 2018),
        ("papers on owls up to 2018", None, 2018),
        ("papers on owls from the 2010s", 2010, 2019),
        ("how many papers on owls were published later than 2016", 2017, None),
    ],
)
def test_a_period_of_publication_is_understood(
    question: str, first: int | None, last: int | None
) -> None:
    text, filters, note = asked(question)
    assert filters == Filters(first_year=first, last_year=last)
    assert "20" not in text
    assert "owls" in text
    assert "as the question says" in note


@pytest.mark.parametrize(
    "question",
    [
        "How did mortality change between 2000 and 2010?",
        "papers about the 2018 crisis",
        "papers about the crisis of 2018",
        "which papers saw 2019 owls",
    ],
)
def test_a_period_of_the_matter_is_none(question: str) -> None:
    assert asked(question) == (question, None, "")


def test_several_years_are_understood() -> None:
    text, filters, _ = asked("papers on owls from 2018, 2020 and 2021")
    assert (text, filters) == ("papers on owls", Filters(years=(2018, 2020, 2021)))


def test_a_period_without_papers_is_of_the_matter() -> None:
    text, filters, note = asked("papers on the great owl migration in 1931")
    assert (text, filters) == ("papers on the great owl migration in 1931", None)
    assert "of 1931" in note
    assert asked("how many papers are from 1931?")[1] == Filters(first_year=1931, last_year=1931)


def test_a_library_without_years_says_so() -> None:
    text, filters, note = asked("papers on owls since 2022", years=False)
    assert (text, filters) == ("papers on owls", None)
    assert "assistant enrich" in note


def test_only_an_author_of_the_library_is_one() -> None:
    assert asked("What did Brandt publish?")[1] == Filters(author=("Brandt",))
    assert asked("work by Li on owls")[1] == Filters(author=("Li",))  # and not by Lindholm
    assert asked("pruning by Hessian")[1] is None
    assert asked("work by Lind on owls")[1] is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which papers by Brandt discuss owls?", "Which papers discuss owls?"),
        ("What did Brandt find about owls?", "What did we find about owls?"),
        ("What did Brandt publish on owls?", "What did Brandt publish on owls?"),
        ("How many papers by Brandt are about owls?", "How many papers by Brandt are about owls?"),
        ("papers by Brandt on owls", "papers by Brandt on owls"),
        ("Which papers are by Brandt?", "Which papers are by Brandt?"),
    ],
)
def test_an_author_is_no_part_of_what_is_looked_for(question: str, text: str) -> None:
    assert asked(question)[:2] == (text, Filters(author=("Brandt",)))


@pytest.mark.parametrize("text", ["", "x", "20222", "2021...2023", ".."])
def test_a_range_of_years_that_is_none_is_said(text: str) -> None:
    with pytest.raises(QuestionError, match="no range of years"):
        year_range(text)


def test_ranges_of_years() -> None:
    ranges = [year_range(text) for text in ("2022", "2021..2024", "2021..", "..2024", "2021-2024")]
    assert ranges == [(2022, 2022), (2021, 2024), (2021, None), (None, 2024), (2021, 2024)]


def test_several_years_and_ranges() -> None:
    assert Filters(**chosen_years("2021..")) == Filters(first_year=2021)
    several = Filters(**chosen_years("2019, 2021-2023"))
    assert several.years == (2019, 2021, 2022, 2023)
    assert str(several) == "of 2019 or 2021 to 2023"
    fits = [year for year in range(2018, 2025) if several.fits(Paper(title="Owls", year=year))]
    assert fits == [2019, 2021, 2022, 2023]
    assert not several.fits(Paper(title="Owls"))
    assert Filters(**chosen_years("2019,2030..")).fits(Paper(title="Owls", year=2031))
    with pytest.raises(QuestionError):
        chosen_years("2019,x")


def library(path: Path, *papers: Paper) -> Assistant:
    assistant = Assistant(Settings.load(library=path), embedder=FakeEmbedder())
    assistant.library.ingest(papers)
    return assistant


def test_several_libraries_are_ranked_together(tmp_path: Path) -> None:
    birds = library(tmp_path / "a", Paper(title="Owls", abstract="Owls hunt voles at night."))
    beasts = library(
        tmp_path / "b",
        Paper(title="Voles", abstract="Voles flee from owls at night. They hide."),
        Paper(title="Owls", abstract="Owls hunt voles at night."),
    )
    both = SeveralRetriever([birds.retriever, beasts.retriever], birds.settings.retrieval)
    found = both.find("owls hunt voles")
    assert [p.paper.title for p in found] == ["Owls", "Voles"]
    assert found.statistics.papers_held == 3
    assert len(both.retrieve("owls")) == 2
    asking = Assistant(birds.settings, embedder=FakeEmbedder(), retriever=both)
    assert asking.search("voles hide")[0].title == "Voles"


def test_the_list_of_libraries(tmp_path: Path) -> None:
    libraries = Libraries(tmp_path)
    libraries.create("birds")
    libraries.create("shared", "http://host:8000")
    assert libraries.settings("birds").library == tmp_path / "libraries" / "birds"
    assert libraries.settings("shared").store == "http://host:8000"
    for name in ("birds", "sample", "a/b", ""):
        with pytest.raises(ConfigurationError):
            libraries.create(name)
    libraries.use("birds")
    assert libraries.used == "birds"
    library(tmp_path / "libraries" / "birds", Paper(title="Owls", abstract="Owls hunt."))
    libraries.delete("birds")
    assert not (tmp_path / "libraries" / "birds").exists()
    assert libraries.used is None
    with pytest.raises(LibraryNotFound, match="shared"):
        libraries.use("birds")


def test_libraries_by_name_in_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSISTANT_LIBRARY")
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: FakeEmbedder())
    source = tmp_path / "p.jsonl"
    source.write_text('{"title": "Owls", "abstract": "Owls hunt voles at night.", "year": 2021}\n')

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["assistant", *words])
        with pytest.raises(SystemExit) as ended:
            raise SystemExit(main())
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    assert run("library", "create", "birds")[0] == 0
    assert run("library", "create", "other", "--at", str(tmp_path / "other"))[0] == 0
    assert run("ingest", str(source), "--library", "birds")[0] == 0
    assert run("library", "use", "birds")[0] == 0
    assert "Owls" in run("search", "voles")[1]
    assert "Owls" not in run("search", "voles", "--year", "2022..")[1]
    code, printed = run("library", "copy", "birds", "other")
    assert (code, "1 papers copied" in printed) == (0, True)
    assert "other" in run("library", "list")[1]
    code, printed = run("search", "voles", "--year", "soon")
    assert (code, "no range of years" in printed) == (1, True)
    assert run("library", "delete", "birds")[0] == 1  # nobody can be asked
    assert run("library", "delete", "birds", "--yes")[0] == 0
