"""ingest: the report, what is rejected, what an interrupt keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.cli.progress import duration

from .conftest import PAPERS, Run
from .fakes import FakeEmbedder


def _write(path: Path, *lines: object) -> Path:
    text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)
    path.write_text(text, encoding="utf-8")
    return path


def _many(path: Path, count: int) -> Path:
    return _write(
        path, *({"title": f"Paper {n}", "abstract": f"It is number {n}."} for n in range(count))
    )


def test_report_json(source: Path, run: Run, embedder: FakeEmbedder) -> None:
    first = run("ingest", str(source), "--json")
    assert first.code == 0
    assert first.json["read"] == first.json["added"] == len(PAPERS)
    contract = {"read", "added", "updated", "unchanged", "duplicates", "rejected"}
    assert contract <= set(first.json)
    assert "reindexed" not in first.json
    embedded = embedder.embedded
    again = run("ingest", str(source), "--json")
    assert again.json["unchanged"] == len(PAPERS)
    assert again.json["added"] == again.json["updated"] == 0
    assert embedder.embedded == embedded


def test_report_text(source: Path, run: Run) -> None:
    result = run("ingest", str(source), str(source))
    assert result.out.splitlines() == [
        "read\t6",
        "added\t3",
        "updated\t0",
        "unchanged\t0",
        "duplicates\t3",
        "rejected\t0",
    ]


def test_report_on_a_terminal(source: Path, on_terminal: Run) -> None:
    result = on_terminal("ingest", str(source))
    assert result.code == 0
    assert "duplicates" in result.out
    assert "\t" not in result.out
    assert "read 3 · stored 3 · " in result.err


def test_the_first_ten_rejections_are_shown_and_all_are_in_json(tmp_path: Path, run: Run) -> None:
    bad = _write(tmp_path / "bad.jsonl", PAPERS[0], *({"no": "title"} for _ in range(13)))
    result = run("ingest", "--force", str(bad), "--json")
    assert result.code == 0
    assert len(result.json["rejected"]) == 13
    assert set(result.json["rejected"][0]) == {"source", "where", "reason"}
    shown = [
        line for line in run("ingest", "--force", str(bad)).out.splitlines() if "rejected " in line
    ]
    assert len(shown) == 10
    assert all(line.startswith(f"rejected {bad}, line ") for line in shown)
    assert "… and 3 more (3 times: neither a title" in run("ingest", "--force", str(bad)).out


def test_nothing_taken_in_is_a_failure(tmp_path: Path, run: Run) -> None:
    bad = _write(tmp_path / "bad.jsonl", *({"title": ""} for _ in range(2)))
    result = run("ingest", str(bad), "--json")
    assert result.code == 1
    assert len(result.json["rejected"]) == 2
    assert result.err.startswith("Nothing was taken in: 2 rejected, the first because: neither")


def test_a_missing_source_makes_no_library_and_opens_no_model(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the model was opened")

    monkeypatch.setattr("assistant.embedding.open_embedder", fail)
    result = run("ingest", "no-such-file.bib")
    assert result.code == 1
    assert "no-such-file.bib" in result.err
    assert not (tmp_path / "library").exists()


def test_one_missing_among_several_is_reported(source: Path, run: Run) -> None:
    result = run("ingest", "no-such-file.bib", str(source), "--json")
    assert result.code == 0
    assert result.json["added"] == len(PAPERS)
    assert [r["source"] for r in result.json["rejected"]] == ["no-such-file.bib"]


def test_standard_input(source: Path, run: Run) -> None:
    result = run("ingest", "-", "--json", stdin=source.read_bytes())
    assert result.json["added"] == len(PAPERS)


def test_quiet_says_nothing(source: Path, run: Run, on_terminal: Run) -> None:
    assert run("ingest", str(source), "--quiet").err == ""
    assert on_terminal("ingest", str(source), "-q").err == ""


def test_lines_of_progress_where_nobody_looks(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.cli.progress._EVERY", 0.0)
    result = run("ingest", str(_many(tmp_path / "many.jsonl", 300)))
    lines = result.err.splitlines()
    assert len(lines) >= 2
    assert lines[0].startswith("read 128 · stored 128 · ")
    assert lines[0].endswith(" left")


def test_interrupted_it_keeps_whole_papers_and_the_same_command_finishes(
    tmp_path: Path, run: Run, embedder: FakeEmbedder
) -> None:
    many = str(_many(tmp_path / "many.jsonl", 200))
    embedder.interrupt_after = 100  # texts: in the second batch of papers
    result = run("ingest", many)
    assert result.code == 130
    assert result.out == ""
    assert result.err.endswith("papers are stored and kept; the same command again finishes.\n")
    kept = int(result.err.split("Interrupted: ")[1].split()[0])
    assert 0 < kept < 200
    embedder.interrupt_after = None
    report = run("ingest", many, "--json").json
    assert report["unchanged"] == kept
    assert report["added"] == 200 - kept


def test_reindex_alone(filled: Path, run: Run, embedder: FakeEmbedder) -> None:
    embedder.name = "another"
    result = run("search", "pruning")
    assert result.code == 1
    assert "assistant ingest --reindex" in result.err
    result = run("ingest", "--reindex", "--json")
    assert result.code == 0
    assert (result.json["reindexed"], result.json["read"]) == (3, 0)
    assert run("search", "pruning").code == 0
    assert run("ingest", "--reindex").out == "3 papers embedded anew.\n"


def test_reindex_interrupted(filled: Path, run: Run, embedder: FakeEmbedder) -> None:
    embedder.name, embedder.interrupt_after = "another", 0
    result = run("ingest", "--reindex")
    assert result.code == 130
    assert "the library is as it was" in result.err
    embedder.name, embedder.interrupt_after = "fake", None
    assert run("search", "pruning").code == 0


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (89, "89 s"), (150, "2 min"), (3000, "50 min"), (9000, "2.5 h")],
)
def testduration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_a_dry_run_shows_and_adds_nothing(tmp_path: Path, run: Run) -> None:
    lines = [{"title": f"Snail {n}", "abstract": "It is slow.", "year": 2020} for n in range(5)]
    source = _write(tmp_path / "snails.jsonl", *lines, {"x": 1}, {"x": 2})
    result = run("ingest", str(source), "--dry-run")
    assert result.code == 0
    assert result.out.startswith("5 papers would be read; nothing was added.\n")
    assert "Snail 2" in result.out
    assert "Snail 3" not in result.out
    assert "2 × neither a title nor an abstract (its fields: x)" in result.out
    shown = run("ingest", str(source), "--dry-run", "--json").json
    assert (shown["papers"], len(shown["examples"])) == (5, 3)
    assert [reason["count"] for reason in shown["rejected"]] == [2]
    assert run("papers", "list").code == 1  # there is no library yet


def test_a_dry_run_of_what_is_no_list_of_papers_fails(tmp_path: Path, run: Run) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("# Notes\n\nWe met, and it was long. Nobody spoke.\n", encoding="utf-8")
    result = run("ingest", str(notes), "--dry-run")
    assert (result.code, result.out) == (1, "")
    assert "holds no papers in a form that can be read" in result.err


def test_a_file_that_is_mostly_rejected_needs_force(tmp_path: Path, run: Run) -> None:
    source = _write(tmp_path / "odd.jsonl", {"title": "Snail"}, {"x": 1}, {"x": 2})
    refused = run("ingest", str(source), "--json")
    assert (refused.code, refused.json["read"]) == (1, 0)
    assert "--force takes the others" in refused.err
    forced = run("ingest", str(source), "--force", "--json")
    assert (forced.code, forced.json["added"], len(forced.json["rejected"])) == (0, 1, 2)


def test_a_record_that_comes_again_richer_is_counted_and_kept(tmp_path: Path, run: Run) -> None:
    bare = {"title": "Snails keep time", "year": 2020}
    whole = {"title": "Snails keep time", "abstract": "They do.", "authors": ["Ada Moss"]}
    source = _write(tmp_path / "twice.jsonl", bare, whole)
    report = run("ingest", str(source), "--json").json
    assert (report["read"], report["added"], report["updated"]) == (2, 1, 1)
    (paper,) = run("papers", "list", "--json").json
    assert (paper["abstract"], paper["year"], paper["authors"]) == ("They do.", 2020, ["Ada Moss"])
