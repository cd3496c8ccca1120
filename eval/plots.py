"""Plots as SVG text for the report: drawn by matplotlib, nothing loaded from elsewhere."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
INK, OURS, OTHER, GRID = "#1f2933", "#2457a6", "#c4632b", "#d9dee4"
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "eval",
}


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = _METADATA.sub("", out.getvalue())
    return text[text.index("<svg") :]


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        return figure, figure.add_subplot()


def bars(rows: Sequence[tuple[str, dict[str, Any]]], label: str) -> str:
    """Horizontal bars of means with their 95% intervals, in points."""
    figure, axes = _figure(6.4, 0.9 + 0.3 * len(rows))
    names = [name for name, _ in rows]
    means = [100 * row["mean"] for _, row in rows]
    spread = [
        [max(0.0, 100 * (row["mean"] - row["low"])) for _, row in rows],
        [max(0.0, 100 * (row["high"] - row["mean"])) for _, row in rows],
    ]
    axes.barh(names, means, xerr=spread, color=OURS, height=0.6, ecolor=INK,
              error_kw={"linewidth": 0.9, "capsize": 2})  # fmt: skip
    for n, (value, (_, row)) in enumerate(zip(means, rows, strict=True)):
        axes.annotate(f"{value:.1f}", (100 * row["high"], n), xytext=(4, 0),
                      textcoords="offset points", va="center")  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(min(0.0, *means), max(row["high"] for _, row in rows) * 112)
    axes.set_xlabel(label)
    return _svg(figure)


def refusals(curves: Sequence[tuple[str, list[dict[str, float]]]]) -> str:
    """Share refused of the absent questions against the share refused of the answerable."""
    figure, axes = _figure(4.6, 3.6)
    for n, (name, curve) in enumerate(curves):
        axes.plot(
            [100 * point["refused_positive"] for point in curve],
            [100 * point["refused_negative"] for point in curve],
            color=(OURS, OTHER, INK)[n % 3],
            label=name,
        )
    axes.plot([0, 100], [0, 100], color=GRID, linewidth=1)
    axes.axvline(5, color=INK, linewidth=0.7, linestyle=":")
    axes.set_xlabel("answerable questions refused, %")
    axes.set_ylabel("absent questions refused, %")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.legend(loc="lower right", frameon=False)
    return _svg(figure)


def calibration(bins: Sequence[dict[str, float]]) -> str:
    """Share of true pairs against the score that they were given."""
    figure, axes = _figure(4.2, 3.6)
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    axes.plot([b["score"] for b in bins], [b["true"] for b in bins], "o-", color=OURS)
    axes.set_xlabel("support score, mean of the bin")
    axes.set_ylabel("share of true pairs")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return _svg(figure)


def growth(
    ours: Sequence[tuple[float, float]],
    starter: Sequence[tuple[float, float]],
    label: str,
    exponent: float | None,
) -> str:
    """A quantity against the number of papers, both logarithmic."""
    figure, axes = _figure(3.4, 2.8)
    power = f", ∝ n^{exponent:.2f}" if exponent is not None else ""
    axes.loglog([x for x, _ in ours], [y for _, y in ours], "o-", color=OURS, label=f"ours{power}")
    if starter:
        axes.loglog([x for x, _ in starter], [y for _, y in starter], "s--", color=OTHER,
                    label="LlamaIndex starter")  # fmt: skip
    # plain numbers, and a decade at least: noise must not look like growth
    lowest, highest = axes.get_ylim()
    middle = math.sqrt(lowest * highest)
    axes.set_ylim(min(lowest, middle / math.sqrt(10)), max(highest, middle * math.sqrt(10)))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.set_xticks([x for x, _ in ours])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("papers")
    axes.set_ylabel(label)
    axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def sweep(row: dict[str, Any]) -> str:
    """The score of every value of a parameter, on both halves."""
    figure, axes = _figure(3.2, 2.4)
    values = [v["value"] for v in row["values"]]
    for key, colour, name in (("dev", OURS, "dev"), ("held_out", OTHER, "held out")):
        axes.plot(values, [100 * v[key] for v in row["values"]], "o-", color=colour, label=name)
    axes.axvline(row["default"]["value"], color=INK, linewidth=0.7, linestyle=":")
    axes.set_xlabel(row["parameter"])
    axes.set_ylabel("points")
    axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def differences(rows: Sequence[dict[str, Any]]) -> str:
    """Differences of two runs with their intervals, in points."""
    figure, axes = _figure(6.4, 0.9 + 0.3 * len(rows))
    for n, row in enumerate(rows):
        sure = row["p"] < 0.05
        axes.plot([100 * row["low"], 100 * row["high"]], [n, n], color=OURS if sure else INK)
        axes.plot(100 * row["mean"], n, "o", color=OURS if sure else INK)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [row["test"] for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("B minus A, points, 95% interval")
    return _svg(figure)
