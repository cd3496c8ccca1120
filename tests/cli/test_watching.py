from __future__ import annotations

import json
from pathlib import Path

from .conftest import Run

NEW = {"title": "Pruning Experts Once More", "abstract": "Experts are pruned once more, by half."}


def more(tmp_path: Path) -> str:
    path = tmp_path / "more.jsonl"
    path.write_text(json.dumps(NEW))
    return str(path)


def test_from_watch_to_digest(run: Run, filled: Path, tmp_path: Path) -> None:
    assert run("digest").code == 1
    added = run(
        "watch", "add", "pruning", "--query", "pruning experts", "--like", "10.1000/prune_1"
    )
    assert added.code == 0, added.err
    assert run("watch", "list", "--json").json[0]["like"] == ["doi:10.1000/prune_1"]
    assert "no new paper since" in run("digest").out
    run("ingest", more(tmp_path), "--quiet")
    first = run("digest", "pruning", "--json").json["watches"][0]
    assert [paper["title"] for paper in first["papers"]] == [NEW["title"]]
    assert first["papers"][0]["sentence"] == NEW["abstract"]
    assert run("digest", "--json").json["watches"][0]["new"] == 0
    out = tmp_path / "digest.html"
    again = run("digest", "--since", "2000-01-01", "-o", str(out))
    assert (again.code, again.out) == (0, "")
    assert NEW["title"] in out.read_text()
    assert run("watch", "remove", "pruning").code == 0
    assert run("watch", "list", "--json").json == []


def test_digest_as_lines(run: Run, filled: Path, tmp_path: Path) -> None:
    run("watch", "add", "pruning", "--query", "pruning experts")
    run("ingest", more(tmp_path), "--quiet")
    shown = run("digest").out
    assert shown.startswith("pruning: 1 new since ")
    assert f"“{NEW['abstract']}”" in shown
    assert "resembles: " in shown


def test_likes_and_interests(run: Run, filled: Path) -> None:
    assert run("watch", "like", "10.1000/prune_1", "2301.00001").out.count("liked: ") == 2
    assert run("watch", "like", "--undo", "2301.00001").out.startswith("neither")
    assert run("watch", "dislike", "2301.00001").code == 0
    kept = json.loads((filled / "likes.json").read_text())["liked"]
    assert kept == {"doi:10.1000/prune_1": True, "arxiv:2301.00001": False}
    assert run("watch", "like", "nothing like it").code == 1
    assert run("watch", "interests", "--add", "gaze", "--json").json == ["gaze"]
    listed = run("watch", "interests")
    assert listed.out == "gaze\n"
    assert "not used until" in listed.err
    assert run("watch", "interests", "--remove", "cats").code == 1


def test_similar(run: Run, filled: Path) -> None:
    found = run("similar", "2301.00001", "-k", "2", "--json").json
    assert [result["rank"] for result in found] == [1, 2]
    assert "arxiv:2301.00001" not in [result["paper_id"] for result in found]
    assert run("similar", "2301.00001").out.startswith("1. ")


def test_what_cannot_be_written_or_read(run: Run, filled: Path) -> None:
    run("watch", "add", "x", "--query", "gaze")
    assert "ends neither in .md nor in .html" in run("digest", "-o", "digest.pdf").err
    assert "is no date" in run("digest", "--since", "monday").err
