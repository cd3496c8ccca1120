"""``python -m eval`` end to end, on small sets and a model that is no model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_embedder import FakeEmbedder

from assistant.sample import SAMPLE_PAPERS
from eval import figures, runs
from eval.__main__ import main
from eval.data import QUESTIONS, EvalError, read_beir, read_questions

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    papers = {
        "1": ("Pruning experts", "We remove experts of a mixture without training it again."),
        "2": ("Weather by diffusion", "Forecast ensembles are sampled from a diffusion model."),
        "3": ("", "Beetles live in rotten wood and eat fungi."),
        "4": ("", ""),
    }
    (folder / "corpus.jsonl").write_text(
        "".join(
            json.dumps({"_id": i, "title": t, "text": x}) + "\n" for i, (t, x) in papers.items()
        )
    )
    (folder / "queries.jsonl").write_text(
        '{"_id": "a", "text": "prune experts of a mixture"}\n'
        '{"_id": "b", "text": "what do beetles eat"}\n{"_id": "c", "text": "not judged"}\n'
    )
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\na\t1\t2\na\t2\t0\nb\t3\t1\nb\t4\t1\n"
    )
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a verb with ``--json``; runs and libraries go to the test's own folder."""
    monkeypatch.setattr("eval.data.open_embedder", lambda *_, **__: FakeEmbedder())
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs")
    monkeypatch.setenv("ASSISTANT_EVAL_CACHE", str(tmp_path / "cache"))

    def run(*arguments: object) -> dict[str, Any]:
        assert main([*map(str, arguments), "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def test_reading_a_beir_folder(beir: Path) -> None:
    judged, papers = read_beir(beir)
    assert set(judged.queries) == {"a", "b"}
    assert [paper.id for paper in papers()] == ["id:1", "id:2", "id:3"]
    assert {paper.source for paper in papers()} == {"corpus.jsonl"}  # namesakes are told apart
    (beir / "queries.jsonl").unlink()
    with pytest.raises(EvalError, match=r"queries\.jsonl"):
        read_beir(beir)


def test_retrieval_shows_both_halves_and_a_perfect_ranking_is_perfect(beir: Path, run: Run) -> None:
    found = run("retrieval", beir)["results"]["tiny"]
    assert found["papers"] == 3
    stages = {stage["stage"]: stage for stage in found["stages"]}
    assert list(stages) == ["BM25 of the program", "dense of the program", "the program"]
    bm25 = stages["BM25 of the program"]
    assert bm25["measures"]["MRR@10"]["mean"] == 1.0
    assert bm25["measures"]["Recall@100"]["mean"] == 0.75  # one judged paper is empty
    assert bm25["against_bm25"]["nDCG@10"]["p"] == 1.0
    assert stages["dense of the program"]["measures"] != bm25["measures"]


def test_a_run_tells_where_it_comes_from_and_is_saved(beir: Path, run: Run) -> None:
    found = run("retrieval", beir, "--set", "retrieval.dense_weight=0.25")
    where = found["environment"]
    assert where["settings"]["retrieval"]["dense_weight"] == 0.25
    assert where["command"].startswith("python -m eval retrieval")
    assert where["machine"]["cores"]
    assert where["versions"]["llama-index-core"]
    assert [run["results"] for run in runs.newest("retrieval", runs.RUNS)] == [found["results"]]
    assert "key" not in json.dumps(where["settings"]["embedding"]).replace("api_key", "")


def test_answers_compare_and_report(tmp_path: Path, run: Run, beir: Path) -> None:
    questions = read_questions(QUESTIONS / "sample.jsonl")
    some = [q for q in questions if q.kind == "fact"][:3]
    some += [q for kind in ("find", "multi", "follow", "absent") for q in questions
             if q.kind == kind][::4][:6]  # fmt: skip
    file = tmp_path / "some.jsonl"
    file.write_text("".join(q.model_dump_json() + "\n" for q in some))
    details = tmp_path / "details.json"
    first = run("answers", file, "--papers", SAMPLE_PAPERS, "--leave-out", "--details", details)
    result = first["results"]["some"]
    assert result["questions"] == len(some)
    assert set(result["kinds"]) == {q.kind for q in some}
    assert 0 <= result["abstention"]["calibration"]["ece"] <= 1
    rows = json.loads(details.read_text())["some"]
    assert len(rows) == len(some) + sum(q.answerable for q in some)
    for row in rows:
        if row["left_out"]:
            assert not set(row["gold_titles"]) & set(row["cited_titles"])
    run("answers", file, "--papers", SAMPLE_PAPERS, "--set", "answer.max_sentences=1")
    names = sorted(path.stem for path in runs.RUNS.glob("answers-*.json"))
    compared = run("compare", *names)["results"]
    (changed,) = compared["changed_settings"]
    assert changed.startswith("answer.max_sentences: ")
    assert any(row["measure"].endswith("sentences") for row in compared["differences"])
    run("retrieval", beir)
    table, readme = tmp_path / "table.md", tmp_path / "README.md"
    readme.write_text(f"before\n{figures.BEGIN}\n{figures.END}\n")
    reported = run("report", "--markdown", table, "--readme", readme)["results"]
    assert len(reported["runs"]) == 2
    assert table.read_text() == reported["markdown"]
    for text in (table.read_text(), readme.read_text()):
        assert "calibration error of the confidence" in text
        assert "nDCG@10" in text


def test_follow_ups_are_asked_after_the_programs_own_answers(tmp_path: Path, run: Run) -> None:
    questions = [
        {"id": "a", "kind": "follow", "question": "How large is the error?",
         "follow_type": "pronoun", "turns": ["Which papers estimate gaze?"],
         "gold_titles": ["#1"]},
        {"id": "b", "kind": "library", "question": "how many papers", "gold_facts": ["{papers}"]},
        {"id": "c", "kind": "list", "question": "weather", "gold_titles": ["#1"]},
    ]  # fmt: skip
    file = tmp_path / "some.jsonl"
    file.write_text("".join(json.dumps(q) + "\n" for q in questions))
    details = tmp_path / "details.json"
    found = run("answers", file, "--papers", SAMPLE_PAPERS, "--details", details)["results"]["some"]
    follow, library, listed = json.loads(details.read_text())["some"]
    assert follow["history"][0] == "Which papers estimate gaze?"
    assert len(follow["history"]) == 2
    assert follow["resolved"] in (True, False)
    assert found["follow_ups"]["pronoun"]["n"] == 1
    assert library["facts_found"] + library["facts_missing"] == ["120"]
    assert listed["cited_gold"] == 0  # nothing was shown before it
    assert found["lists"]["recall"]["mean"] == 0.0


def test_labelled_pairs(tmp_path: Path, run: Run, beir: Path) -> None:
    cited = ["Weather by diffusion"]
    pairs = [
        {"id": "1", "kind": "honest", "label": "supported", "cited": cited,
         "sentence": "Forecast ensembles are sampled from a diffusion model."},
        {"id": "2", "kind": "negation", "label": "unsupported", "cited": cited,
         "sentence": "Beetles never eat 17 fungi."},
        {"id": "3", "kind": "meta", "label": "none", "cited": [], "sentence": "Two are known."},
    ]  # fmt: skip
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(p) + "\n" for p in pairs))
    found = run("pairs", file, "--papers", beir / "corpus.jsonl")["results"]["pairs"]
    assert (found["pairs"], found["left_out"]) == (2, 1)
    assert found["auroc"]["auroc"] == 1.0
    assert found["true_flagged"]["mean"] == 0.0
    assert found["false_caught"]["mean"] == 1.0
    assert found["kinds"]["negation"] == {"true": 0, "false": 1, "called_supported": 0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reviews"], "--papers"),
        (["answers", "nowhere.jsonl"], "nowhere.jsonl"),
        (["retrieval", "nowhere"], "nowhere"),
        (["compare", "nothing", "nothing"], "There is no run nothing"),
        (["report"], "no saved run"),
        (["checker"], "--papers"),
        (["pairs", "nowhere.jsonl"], "nowhere.jsonl"),
        (["blind"], "two runs"),
        (["blind", "--read", "nowhere.md"], "nowhere.key.json"),
        (["retrieval", ".", "--set", "retrieval"], "group.name=value"),
        (["retrieval", ".", "--set", "retrieval.dense_weight=7"], "dense_weight"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], said: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "retrieval" in capsys.readouterr().out
