"""The benchmark: that it goes on where it stopped, and what it sums up. No seconds are judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM

from assistant.embedding import Embedder
from assistant.library import Library
from assistant.paper import Paper
from assistant.settings import Settings
from eval import bench, figures, runs, tables
from eval.bench import Plan
from eval.bench_page import page
from eval.bench_worker import papers_up_to
from eval.data import EvalError

PERCENTILES = {"p50": 4.0, "p95": 8.0}


def _worked(task: dict[str, Any]) -> dict[str, Any]:
    """What a worker would tell; ours takes twice as long as the starter, the disk grows."""
    size, twice = int(task.get("size", 0)), 2 if task.get("of") == "ours" else 1
    results: dict[str, Callable[[], dict[str, Any]]] = {
        "ingest": lambda: {
            "done": min(size, task["start"] + 30), "seconds": 3.0 * twice,
            "seconds_embedding": 1.0, "computed": False, "memory_mb": 100, "disk_mb": size,
        },
        "embed": lambda: {"abstracts_per_second": 20.0, "query_ms": PERCENTILES},
        "ask": lambda: {"first_ms": 9.0, "memory_mb": 150 * twice, "own_memory_mb": 100 * twice},
        "again": lambda: {"seconds": 0.5},
        "page": lambda: {
            "ours": {"start_s": 3.0, "page_ms": 1000.0},
            "starter": {"start_s": 6.0, "page_ms": None},
        },
        "quality": lambda: {"questions": 3, "ours": 1.0, "starter": 0.5},
        "turns": lambda: {
            "embed": PERCENTILES,
            **{f"{kind}-{n}": {"p50": 2.0, "p95": 3.0} if kind == "ours" else PERCENTILES
               for n in task["ours"] for kind in ("ours", "ask", "starter")},
        },
    }  # fmt: skip
    return results[task["step"]]()


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were run, by a worker that does nothing."""
    steps: list[str] = []

    def work(task: dict[str, Any]) -> dict[str, Any]:
        steps.append(f"{task['step']}-{task.get('of', '')}")
        return _worked(task)

    monkeypatch.setattr(bench, "run_worker", work)
    monkeypatch.setattr(
        bench, "cold_start", lambda *_: {"ask_s": 2.0, "stack_imports_s": 1.0, "ask_over_stack": 2}
    )
    return steps


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    def make(minutes: float = 5.0) -> Plan:
        made = Plan(["papers"], tmp_path / "questions", (20, 80), tmp_path, minutes, lambda _: None)
        made.load()
        return made

    return make


def test_every_step_runs_once_and_an_ingest_goes_on_where_it_was(
    worked: list[str], plan: Callable[..., Plan]
) -> None:
    found = bench.measure(plan())
    assert found["finished"]
    assert worked.count("ingest-ours") == 1 + 3  # 20 in one slice, 80 in three
    first = list(worked)
    assert bench.measure(plan()) == found
    assert worked == first


def test_it_stops_when_its_time_is_up_and_goes_on_later(
    worked: list[str], plan: Callable[..., Plan]
) -> None:
    stopped = bench.measure(plan(minutes=0))
    assert not stopped["finished"]
    assert stopped["sizes"] == []
    assert worked == []
    assert bench.measure(plan())["finished"]


def test_ratios_growth_and_tables(worked: list[str], plan: Callable[..., Plan]) -> None:
    found = bench.measure(plan())
    small, large = found["sizes"]
    assert (small["papers"], large["papers"]) == (20, 80)
    assert large["ingest_s"] == 18.0  # three slices
    assert large["ratio"]["ingest_s"] == 2.0
    assert large["ratio"]["search_ms"] == 0.5  # out of the turns, not of the processes
    assert large["ratio"]["page_start_s"] == 0.5
    assert "page_ms" not in large["ratio"]  # the starter's was not measured
    assert found["growth"]["disk_mb"] == pytest.approx(1.0)
    assert found["growth"]["page_ms"] == pytest.approx(0.0)
    ours, starter, once = tables.of_run({"verb": "bench", "results": found})
    page = "page: load in a browser, ms"
    assert ours.rows[-1] == [page, "1,000", "1,000", "0.00"]
    assert page not in {row[0] for row in starter.rows}
    assert ["disk, MB", "20 (1.00×)", "80 (1.00×)"] in starter.rows
    assert ["ask divided by those", "2.00"] in once.rows


def test_copies_are_papers_of_their_own() -> None:
    real = [
        Paper(title="One", abstract="It is red. It is round. It is small."),
        Paper(title="Two", abstract="They fly. They sing. They sleep."),
    ]
    papers = list(papers_up_to(real, 9))
    assert len({paper.id for paper in papers}) == 9
    assert papers[:2] == real
    assert list(papers_up_to(real, 9, start=5)) == papers[5:]


@pytest.mark.browser
@pytest.mark.slow
def test_both_pages_load(
    tmp_path: Path, real_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there; apt-get install chromium")
    monkeypatch.setenv("EVAL_CHROMIUM", str(CHROMIUM))
    monkeypatch.setattr("eval.bench_page.VISITS", 2)  # how precise the median is, nobody asks here
    library = Library(Settings.load(library=tmp_path / "ours"), lambda: real_embedder)
    library.ingest([Paper(title="Beetles", abstract="Beetles eat wood.")])
    found = page({"ours": str(tmp_path / "ours"), "starter": str(tmp_path / "starter")})
    for name in ("ours", "starter"):
        assert found[name]["start_s"] > 0
        assert found[name]["page_ms"] > 0


def test_the_short_tables_go_between_the_marks(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n")
    figures.put_between_marks(file, "new\n")
    assert file.read_text() == f"before\n{figures.BEGIN}\nnew\n{figures.END}\nafter\n"
    file.write_text("nothing\n")
    with pytest.raises(EvalError, match="no lines"):
        figures.put_between_marks(file, "new\n")
    assert file.read_text() == "nothing\n"


def test_an_older_run_keeps_only_what_no_newer_one_tells(tmp_path: Path) -> None:
    for day, results in (("20260101", {"a": 1, "b": 1}), ("20260102", {"b": 2})):
        where = {"time": f"{day}T000000", "command": ""}
        runs.save({"verb": "answers", "environment": where, "results": results}, tmp_path)
    assert [run["results"] for run in runs.newest("answers", tmp_path)] == [{"b": 2}, {"a": 1}]
