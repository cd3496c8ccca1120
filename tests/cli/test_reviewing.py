"""``assistant review``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    path = tmp_path / "papers.jsonl"
    lines = [
        {
            "title": f"{name}: Expert Pruning",
            "abstract": f"Experts fill the memory. We propose {name}, a way of expert pruning. "
            f"{name} reduces memory by {n}1%.",
        }
        for n, name in enumerate(("Cutter", "Trimmer", "Shears", "Scythe", "Sickle"), 1)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_to_standard_output(run: Run, papers: Path) -> None:
    assert run("ingest", str(papers)).code == 0
    result = run("review", "expert pruning")
    assert result.code == 0, result.err
    assert result.out.startswith("# Literature review: expert pruning\n")
    assert "## References" in result.out


def test_to_files_of_every_kind(run: Run, papers: Path, tmp_path: Path) -> None:
    run("ingest", str(papers))
    names = [tmp_path / f"review.{kind}" for kind in ("md", "html", "bib", "ris", "csv", "json")]
    options: list[Any] = [part for name in names for part in ("-o", str(name))]
    result = run("review", "expert pruning", *options)
    assert result.code == 0
    assert result.out == ""
    assert "5 papers" in result.err
    assert all(name.stat().st_size for name in names)
    assert not list(tmp_path.glob("*.part"))


def test_as_json(run: Run, papers: Path) -> None:
    run("ingest", str(papers))
    result = run("review", "expert pruning", "--papers", "3", "--json")
    assert result.json["counts"]["used"] == 3
    assert {"themes", "table", "references", "plan", "verdicts"} <= set(result.json)


def test_chosen_by_hand(run: Run, papers: Path) -> None:
    run("ingest", str(papers))
    result = run("review", "expert pruning", "--exclude", "Cutter: Expert Pruning", "--json")
    titles = [reference["paper"]["title"] for reference in result.json["references"]]
    assert len(titles) == 4
    assert "Cutter: Expert Pruning" not in titles


def test_what_is_not_held(run: Run, papers: Path) -> None:
    run("ingest", str(papers))
    result = run("review", "glaciers of Patagonia")
    assert result.code == 0
    assert "holds nothing on" in result.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["review", ""], 1, "no word"),
        (["review", "the"], 1, "no word that tells"),
        (["review", "expert pruning", "-o", "review.odt"], 1, "review.odt"),
        (["review", "expert pruning", "--include", "No Such Paper"], 1, "No Such Paper"),
        (["review", "expert pruning", "--papers", "0"], 2, "--papers"),
        (["review", "expert pruning", "-o", "no-such-folder/review.md"], 1, "cannot be written"),
        (["review"], 2, "TOPIC"),
    ],
)
def test_bad_input(run: Run, papers: Path, arguments: list[str], code: int, said: str) -> None:
    run("ingest", str(papers))
    result = run(*arguments)
    assert result.code == code
    assert said in result.err
    assert result.out == ""


def test_a_preview_without_a_model(run: Run, papers: Path) -> None:
    run("ingest", str(papers))
    result = run("review", "expert pruning", "--preview")
    assert result.code == 0
    assert "costs nothing" in result.err
    assert result.out == ""


def test_a_model_can_be_named_left_out_and_capped(run: Run, papers: Path) -> None:
    run("ingest", str(papers))
    url = "http://127.0.0.1:9/v1"
    named = ["--llm", "some-model", "--base-url", url]
    result = run("review", "expert pruning", *named, "--preview", "--json")
    assert result.json["calls"] > 1
    result = run("review", "expert pruning", *named)
    assert (result.code, result.out) == (1, "")
    assert url in result.err
    result = run("review", "expert pruning", "--llm", "", "--json")
    assert result.json["mode"] == "extractive"
    result = run("review", "expert pruning", "--max-cost", "1")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("--max-cost is for what a language model writes")


def test_a_screening_goes_on_by_its_file_and_by_its_name(
    run: Run, papers: Path, tmp_path: Path
) -> None:
    run("ingest", str(papers))
    file, past = tmp_path / "mine.json", tmp_path / "past.csv"
    past.write_text("title,included\nCutter: Expert Pruning,1\nShears: Expert Pruning,0\n", "utf-8")
    criteria = tmp_path / "criteria.txt"
    criteria.write_text("exclude: no memory\n", "utf-8")
    told = run(
        "screen", "expert pruning", "--file", str(file), "--import", str(past),
        "--criteria", str(criteria), "--reviewer", "ada", "--json",
    )  # fmt: skip
    assert told.json["estimate"]["included"] == 1
    assert told.json["prisma"]["screened"] == 2
    assert "Decisions taken: 2" in told.err
    names = [tmp_path / f"out.{form}" for form in ("csv", "bib", "ris", "svg", "json")]
    made = run("screen", "expert pruning", "--file", str(file),
               *(part for name in names for part in ("-o", str(name))))  # fmt: skip
    assert made.code == 0, made.err
    assert "Cutter" in names[1].read_text("utf-8")
    assert "Shears" not in names[2].read_text("utf-8")
    assert json.loads(names[4].read_text("utf-8"))["criteria"]["exclude"] == ["no memory"]
    wrong = run("screen", "expert pruning", "--file", str(file), "-o", str(tmp_path / "out.doc"))
    assert wrong.code == 1
    assert "cannot be written" in wrong.err
    silent = run("screen", "expert pruning", "--file", str(file))
    assert "keys are read from a terminal" in silent.err
    status = run("screen", "expert pruning", "--file", str(file), "--status")
    assert "keys are read" not in status.err
    lost = run("screen", "expert pruning", "--name", "nowhere", "--status")
    assert lost.code == 1
    assert "not here" in lost.err
