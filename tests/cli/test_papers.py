"""papers list, show, remove, export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.cli.opening import write_file
from assistant.errors import LibraryError
from assistant.exporting import FORMATS
from assistant.paper import Paper
from assistant.reading import read

from .conftest import PAPERS, Run

TITLES = [paper["title"] for paper in PAPERS]
TRICKY = [
    *(Paper.model_validate(paper) for paper in PAPERS),
    Paper(title="No abstract here", url="https://example.org/x_y"),
    Paper(abstract="No title here, and {braces} that balance."),
    Paper(
        title="Opens { and never closes", abstract="Closes } first, 100% sure, a_b ~c $d #e & f."
    ),
    Paper(title="Comma, \"quotes\"; and 'more'", abstract="A tab-less line.", year=1843),
]


def test_list_by_tabs(filled: Path, run: Run) -> None:
    result = run("papers", "list")
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert [row[0] for row in rows] == TITLES
    assert rows[0][1:] == ["2024", "doi:10.1000/prune_1"]
    assert rows[2][1] == ""
    assert result.err == ""


def test_list_filters_and_limits(filled: Path, run: Run) -> None:
    result = run("papers", "list", "LOVELACE", "2024")
    assert [line.split("\t")[0] for line in result.out.splitlines()] == TITLES[:1]
    assert result.err == "1 of 3 papers.\n"
    assert len(run("papers", "list", "--limit", "2", "--json").json) == 2
    none = run("papers", "list", "lovelace 1843")
    assert (none.code, none.out) == (0, "")
    assert none.err == "None of the 3 papers holds all of these words.\n"
    assert run("papers", "list", "nothing-like-it", "--json").json == []


def test_list_on_a_terminal(filled: Path, on_terminal: Run) -> None:
    result = on_terminal("papers", "list", width=120)
    assert "Gaze [bold]Estimation[/bold] with One Eye" in result.out
    assert "year" in result.out
    assert "3 papers." in result.err


@pytest.mark.parametrize("name", ["doi:10.1000/prune_1", "pruning experts, without retraining!"])
def test_show(name: str, filled: Path, run: Run) -> None:
    result = run("papers", "show", name)
    assert result.code == 0
    assert result.out.splitlines() == [
        "Pruning Experts Without Retraining",
        "Ada King Lovelace, José van der Berg",
        "Journal of Odd Things · 2024",
        "https://doi.org/10.1000/prune_1",
        "",
        "Experts of a mixture are pruned without retraining. Memory falls by 41%.",
        "",
        "doi:10.1000/prune_1",
    ]
    shown = run("papers", "show", name, "--json").json
    assert shown["id"] == "doi:10.1000/prune_1"
    assert shown["authors"] == ["Ada King Lovelace", "José van der Berg"]


def test_show_what_is_not_there(filled: Path, run: Run) -> None:
    result = run("papers", "show", "Nothing Like It", "--json")
    assert (result.code, result.out) == (1, "")
    assert "Nothing Like It" in result.err


def test_remove_needs_a_yes(filled: Path, run: Run) -> None:
    result = run("papers", "remove", TITLES[0], stdin="y\n")
    assert result.code == 2
    assert "--yes" in result.err
    assert len(run("papers", "list").out.splitlines()) == 3
    result = run("papers", "remove", TITLES[0], "2301.00001", "--yes", "--json")
    assert result.code == 0
    assert [paper["title"] for paper in result.json["removed"]] == TITLES[:2]
    assert run("papers", "list").out.startswith(TITLES[2])


def test_remove_all_or_nothing(filled: Path, run: Run) -> None:
    result = run("papers", "remove", TITLES[0], "Nothing Like It", "--yes")
    assert result.code == 1
    assert len(run("papers", "list").out.splitlines()) == 3


def test_remove_asks_a_person(filled: Path, run: Run, on_terminal: Run) -> None:
    for answer in ("n\n", "\n", ""):
        result = on_terminal("papers", "remove", TITLES[0], keys=[answer])
        assert result.code == 0
        assert "Remove this paper? [y/N]" in result.err
        assert "Nothing was removed." in result.err
    assert on_terminal("papers", "remove", TITLES[0], keys=[KeyboardInterrupt]).code == 130
    assert len(run("papers", "list").out.splitlines()) == 3


def test_remove_on_a_yes(filled: Path, run: Run, on_terminal: Run) -> None:
    result = on_terminal("papers", "remove", TITLES[0], TITLES[1], keys=["y\n"])
    assert "Remove these 2 papers?" in result.err
    assert run("papers", "list").out.count("\n") == 1


@pytest.mark.parametrize("form", ["jsonl", "csv", "bibtex"])
def test_an_export_is_unchanged_when_it_is_read_again(
    form: str, tmp_path: Path, filled: Path, run: Run
) -> None:
    file = tmp_path / f"library.{form}"
    result = run("papers", "export", "--format", form, "-o", str(file))
    assert (result.code, result.out) == (0, "")
    assert result.err == f"3 papers written to {file}.\n"
    assert run("papers", "export", "--format", form).out == file.read_text(encoding="utf-8")
    report = run("ingest", str(file), "--json").json
    assert (report["unchanged"], report["rejected"]) == (3, [])


@pytest.mark.parametrize("form", ["jsonl", "bibtex", "csv"])
def test_what_is_exported_is_read_as_it_was(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"tricky.{form}"
    file.write_text("".join(FORMATS[form](TRICKY)), encoding="utf-8")
    found = list(read(file))
    for before, after in zip(TRICKY, found, strict=True):
        assert isinstance(after, Paper)
        for field in ("title", "abstract", "authors", "year", "venue", "doi", "arxiv_id"):
            assert getattr(after, field) == getattr(before, field)


def test_jsonl_keeps_a_digest_a_digest_and_tells_namesakes_apart(tmp_path: Path) -> None:
    digest = Paper(title="Same", abstract="One text of it.", kind="digest")
    other = Paper(title="Same", abstract="Quite another matter here.", key="title:1:2")
    file = tmp_path / "two.jsonl"
    file.write_text("".join(FORMATS["jsonl"]([digest, other])), encoding="utf-8")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == [digest.id, "title:1:2"]
    first, second = read(file)
    assert isinstance(first, Paper)
    assert isinstance(second, Paper)
    assert (first.kind, second.kind) == ("digest", "abstract")
    assert first.source_id != second.source_id


def test_csv_has_a_header_and_a_row_a_paper(filled: Path, run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("papers", "export", "--format", "csv").out)))
    assert [row["title"] for row in rows] == TITLES
    assert rows[0]["authors"] == "Ada King Lovelace; José van der Berg"


def test_ris_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "library.ris"
    file.write_text("".join(FORMATS["ris"](TRICKY)), encoding="utf-8")
    for before, after in zip(TRICKY, read(file), strict=True):
        assert isinstance(after, Paper)
        assert (after.authors, after.year, after.doi) == (before.authors, before.year, before.doi)
        assert (after.link or "") == (before.link or "")
        assert after.title_key == before.title_key


def test_ris_names_and_ends() -> None:
    text = "".join(FORMATS["ris"]([Paper.model_validate(PAPERS[0])]))
    assert text.startswith("TY  - JOUR\n")
    assert "AU  - Lovelace, Ada King\n" in text
    assert text.endswith("ER  -\n\n")


def test_export_to_where_nothing_can_be_written(filled: Path, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "no-such-folder" / "x.jsonl"
    result = run("papers", "export", "-o", str(target))
    assert result.code == 1
    assert result.err.startswith(f"{target} cannot be written: No such file or directory.")


def test_remove_undoes_an_ingest_by_its_source(filled: Path, tmp_path: Path, run: Run) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text('{"title": "Snails"}\n{"title": "Slugs"}\n', encoding="utf-8")
    assert run("ingest", str(more)).code == 0
    assert len(run("papers", "list", "--json").json) == len(PAPERS) + 2
    result = run("papers", "remove", "--source", "more.jsonl", "--yes", "--json")
    assert [paper["title"] for paper in result.json["removed"]] == ["Snails", "Slugs"]
    assert [paper["title"] for paper in run("papers", "list", "--json").json] == TITLES
    gone = run("papers", "remove", "--source", "more.jsonl", "--yes")
    assert gone.code == 1
    assert "No paper of the library was brought in by more.jsonl." in gone.err
    assert "Papers came from: " in gone.err


def test_remove_wants_papers_or_a_source(filled: Path, run: Run) -> None:
    assert run("papers", "remove", "--yes").code == 2


def test_a_file_that_is_there_is_kept_unless_forced(filled: Path, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "mine.jsonl"
    target.write_text("years of work", encoding="utf-8")
    target.chmod(0o640)
    refused = run("papers", "export", "-o", str(target))
    assert refused.code == 1
    assert "--force" in refused.err
    assert target.read_text(encoding="utf-8") == "years of work"
    done = run("papers", "export", "-o", str(target), "--force")
    assert done.code == 0
    assert len(target.read_text(encoding="utf-8").splitlines()) == 3
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.glob("mine*")) == [target]


def test_nothing_is_written_into_a_library(filled: Path, run: Run, tmp_path: Path) -> None:
    before = {path for path in filled.rglob("*") if "sqlite" not in path.suffix}
    link = tmp_path / "innocent"
    link.symlink_to(filled, target_is_directory=True)
    names = ["library.json", "new.csv", "chroma/chroma.sqlite3", "chroma/new.bib"]
    for folder in (filled, link):
        for name in names:
            for command in (["papers", "export"], ["review", "experts"]):
                suffix = "" if command[0] == "papers" else ".md"
                target = folder / (name if name == "library.json" else name + suffix)
                result = run(*command, "-o", str(target), "--force")
                assert result.code == 1, target
                assert "library at" in result.err
    after = {path for path in filled.rglob("*") if "sqlite" not in path.suffix}
    assert after == before
    assert run("papers", "list").out.count("\n") == 3


def test_what_is_no_file_is_written_to(filled: Path, run: Run) -> None:
    assert run("papers", "export", "-o", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_a_file_that_came_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "late.csv"

    def pieces() -> Iterator[str]:
        yield "ours"
        target.write_text("theirs", encoding="utf-8")

    with pytest.raises(LibraryError, match="by now"):
        write_file(target, pieces())
    assert target.read_text(encoding="utf-8") == "theirs"
    assert [path.name for path in tmp_path.iterdir() if "late" in path.name] == ["late.csv"]
