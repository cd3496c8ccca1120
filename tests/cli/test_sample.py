"""demo, and ``--library sample``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.cli.showcase import QUESTION
from assistant.sample import SAMPLE_PAPERS

from .conftest import Run, Script
from .fakes import FakeEmbedder, made_answer


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample of five papers in place of the whole one."""
    lines = SAMPLE_PAPERS.read_text(encoding="utf-8").splitlines()[:5]
    path = tmp_path / "sample.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr("assistant.samples.SAMPLE_PAPERS", path)
    return path


def test_demo_answers_and_says_where_to_go(sample: Path, run: Run, script: Script) -> None:
    script.turns = [made_answer(), made_answer()]
    result = run("demo")
    assert result.code == 0
    assert result.out.startswith(f"{QUESTION}\n\nMagnitude pruning works [1].")
    assert result.out.splitlines()[-4:] == [
        'Ask another:      assistant ask --library sample "…"',
        "Open the page:    assistant ui --library sample",
        "Your own papers:  assistant ingest FILE",
        "A conversation:   assistant chat",
    ]
    assert run("demo", "Something else?").code == 0
    assert [question for question, _ in script.asked] == [QUESTION, "Something else?"]


def test_the_sample_is_made_once(
    sample: Path, run: Run, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    assert run("demo").code == 0
    embedded = embedder.embedded
    assert embedded > 0
    result = run("papers", "list", "--library", "sample")
    assert len(result.out.splitlines()) == 5
    assert run("search", "pruning", "--library", "sample", "--json").code == 0
    assert embedder.embedded == embedded
    assert (tmp_path / "cache" / "sample-library").is_dir()
    assert not (tmp_path / "library").exists()


def test_a_sample_that_changed_is_made_again(sample: Path, run: Run) -> None:
    run("papers", "list", "--library", "sample")
    lines = [json.loads(line) for line in sample.read_text(encoding="utf-8").splitlines()]
    lines[0]["abstract"] = "Quite another text."
    lines[1]["title"] = "Quite another title"
    sample.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    shown = run("papers", "list", "--library", "sample", "--json").json
    assert {paper["title"] for paper in shown} == {line["title"] for line in lines}
    assert "Quite another text." in {paper["abstract"] for paper in shown}


def test_the_sample_follows_the_embedding_model(
    sample: Path, run: Run, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("search", "pruning", "--library", "sample").code == 0
    embedder.name = "another"
    monkeypatch.setenv("ASSISTANT_EMBEDDING__PRECISION", "fp32")
    assert run("search", "pruning", "--library", "sample").code == 0


def test_the_sample_is_not_written_to(sample: Path, source: Path, run: Run) -> None:
    for command in (["ingest", str(source)], ["papers", "remove", "x", "--yes"]):
        result = run(*command, "--library", "sample")
        assert result.code == 1
        assert "belongs to the program" in result.err


def test_a_folder_that_is_called_sample(sample: Path, source: Path, run: Run) -> None:
    assert run("ingest", str(source), "--library", "./sample").code == 0
    assert len(run("papers", "list", "--library", "./sample").out.splitlines()) == 3


def test_the_settings_may_say_sample(
    sample: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_LIBRARY", "sample")
    assert len(run("papers", "list").out.splitlines()) == 5


def test_interrupted_while_it_is_made(sample: Path, run: Run, embedder: FakeEmbedder) -> None:
    embedder.interrupt_after = 0
    result = run("demo")
    assert result.code == 130
    assert "the next command goes on" in result.err
    embedder.interrupt_after = None
    assert len(run("papers", "list", "--library", "sample").out.splitlines()) == 5
