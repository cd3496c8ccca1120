"""The report: saved runs as one HTML page that loads nothing, and a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from eval import plots, tables
from eval.bench import GROWING

HEADINGS = {
    "retrieval": "Retrieval",
    "answers": "Answers",
    "checker": "Support checker",
    "sweep": "Sweeps",
    "bench": "Speed and scale",
    "reviews": "Reviews",
    "compare": "Two runs compared",
}
_STARTER = ("search_ms", "memory_mb", "disk_mb", "page_start_s", "page_ms")


@dataclass
class Plot:
    """A caption and a drawing."""

    title: str
    svg: str


@dataclass
class Section:
    """One run on the page."""

    verb: str
    heading: str
    where: dict[str, Any]
    tables: list[tables.Table]
    plots: list[Plot] = field(default_factory=list)


def page(runs: Sequence[dict[str, Any]], title: str = "How good is it?") -> str:
    """The HTML page of ``runs``, in the order of `HEADINGS`."""
    order = list(HEADINGS)
    sections = [
        Section(
            run["verb"],
            HEADINGS[run["verb"]],
            run["environment"],
            tables.of_run(run),
            [Plot(name, svg) for name, svg in _plots(run)],
        )
        for run in sorted(runs, key=lambda run: order.index(run["verb"]))
    ]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True
    )
    return environment.get_template("report.html.jinja").render(title=title, sections=sections)


def _plots(run: dict[str, Any]) -> list[tuple[str, str]]:
    drawer = {
        "retrieval": _of_retrieval,
        "answers": _of_answers,
        "checker": _of_checker,
        "bench": _of_bench,
        "sweep": _of_sweep,
        "compare": _of_compare,
    }.get(run["verb"])
    return drawer(run["results"]) if drawer else []


def _of_retrieval(results: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            f"{name}: every stage",
            plots.bars(
                [(s["stage"], s["measures"]["nDCG@10"]) for s in result["stages"]],
                "nDCG@10, points, 95% interval",
            ),
        )
        for name, result in results.items()
    ]


def _of_answers(results: dict[str, Any]) -> list[tuple[str, str]]:
    drawn = []
    for name, result in results.items():
        found = result["abstention"]
        curves = [
            (label, found[key]["curve"])
            for label, key in (
                ("absent", "confidence"),
                ("its papers left out", "confidence_left_out"),
            )
            if found[key]["curve"]
        ]
        if curves:
            title = f"{name}: refusals by threshold of the confidence"
            drawn.append((title, plots.refusals(curves)))
        rag = [(key.replace("_", " "), row) for key, row in result.get("rag", {}).items()
               if row["mean"] is not None]  # fmt: skip
        if rag:
            drawn.append((f"{name}: the six measures", plots.bars(rag, "percent, 95% interval")))
    return drawn


def _of_checker(results: dict[str, Any]) -> list[tuple[str, str]]:
    drawn = []
    if results.get("kinds"):
        rows = [(kind, {"mean": row["auroc"], "low": row["low"], "high": row["high"]})
                for kind, row in results["kinds"].items()]  # fmt: skip
        drawn.append(("AUROC by kind of error", plots.bars(rows, "AUROC, %")))
    if results.get("calibration"):
        drawn.append(("Calibration", plots.calibration(results["calibration"])))
    return drawn


def _of_bench(results: dict[str, Any]) -> list[tuple[str, str]]:
    drawn = []
    rows = results["sizes"]
    for key, label in GROWING:
        ours = [(row["papers"], row[key]) for row in rows if row.get(key)]
        starter = [
            (row["papers"], row["starter"][key])
            for row in rows
            if key in _STARTER and row.get("starter", {}).get(key)
        ]
        fitted = results["growth"].get(key)
        if len(ours) > 1:
            power = (fitted or {}).get("exponent")
            drawn.append((label, plots.growth(ours, starter, _unit(key), power)))
    return drawn


def _unit(key: str) -> str:
    return {"ms": "ms", "s": "seconds", "mb": "MB"}[key.rpartition("_")[2]]


def _of_sweep(results: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["parameter"], plots.sweep(row)) for row in results["parameters"]]


def _of_compare(results: dict[str, Any]) -> list[tuple[str, str]]:
    tests = [row for row in results["tests"] if row["mean"] is not None]
    return [("Paired differences", plots.differences(tests))] if tests else []
