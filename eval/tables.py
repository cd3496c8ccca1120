"""Runs as tables: on the terminal, in Markdown and in the report, from the same rows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from eval.answers import KINDS


@dataclass(frozen=True)
class Table:
    """A title, a heading a column, and rows of text."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""

    def markdown(self, *, numeric: bool = True) -> str:
        """GitHub's table, the first column to the left, the others right where ``numeric``."""
        rule = "---:" if numeric else "---"
        lines = [self.columns, ["---", *[rule] * (len(self.columns) - 1)], *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: Any, digits: int = 3) -> str:
    """A number as tables show it; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def tenth(value: float) -> str:
    """A mean with one decimal."""
    return f"{value:.1f}"


def percent(rate: Any) -> str:
    """A share as a percentage, with its interval where it has one."""
    if isinstance(rate, dict):
        if rate["mean"] is None:
            return "–"
        text = f"{100 * rate['mean']:.1f}"
        return f"{text} ({100 * rate['low']:.0f}–{100 * rate['high']:.0f})"
    return "–" if rate is None else f"{100 * rate:.1f}"


def mean(rate: dict[str, Any]) -> str:
    """A mean as a percentage without its interval."""
    return percent(rate["mean"])


def of_run(run: dict[str, Any]) -> list[Table]:
    """The tables of a run."""
    maker = {
        "retrieval": _retrieval,
        "answers": _answers,
        "pairs": _pairs,
        "checker": _checker,
        "bench": _bench,
        "compare": _compare,
        "reviews": _reviews,
        "blind": _blind,
    }.get(run["verb"])
    return maker(run["results"]) if maker else []


def show(run: dict[str, Any]) -> None:
    """Prints the tables of ``run`` on stdout."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 180)
    for table in of_run(run):
        shown = RichTable(title=table.title, title_justify="left", caption=table.note or None)
        for n, column in enumerate(table.columns):
            shown.add_column(column, justify="right" if n else "left")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)


def _retrieval(results: dict[str, Any]) -> list[Table]:
    tables = []
    for name, result in results.items():
        rows: list[list[str]] = []
        for stage in result["stages"]:
            measures, against = stage["measures"], stage["against_bm25"]["nDCG@10"]
            rows.append(
                [
                    f"{stage['stage']} ({stage['note']})",
                    percent(measures["nDCG@10"]),
                    *(mean(measures[m]) for m in ("Recall@5", "Recall@10", "Recall@100", "MRR@10")),
                    *(
                        [f"{100 * against['mean']:+.1f}", f"{against['p']:.4f}"]
                        if rows
                        else ["baseline", ""]
                    ),
                ]
            )
        tables.append(
            Table(
                f"{name}: {result['papers']:,} papers, {result['queries']} queries, in points",
                ["stage", "nDCG@10 (95%)", "Recall@5", "Recall@10", "Recall@100", "MRR@10",
                 "nDCG@10 to BM25", "p"],
                rows,
            )
        )  # fmt: skip
    return tables


def _answers(results: dict[str, Any]) -> list[Table]:
    lines: list[tuple[str, str, Any]] = [
        ("n", "n", number),
        ("gold in 8", "gold_in_top_8", mean),
        ("facts", "facts", percent),
        ("fact first", "fact_first", mean),
        ("not retrieved", "facts_not_retrieved", number),
        ("citation recall", "citation_recall", mean),
        ("precision", "citation_precision", mean),
        ("supported", "supported", mean),
        ("answered", "answered", mean),
        ("absent", "absent", mean),
        ("good", "good", mean),
        ("words, median", "words_median", tenth),
        ("most", "words_most", number),
    ]
    tables = []
    for name, result in results.items():
        groups = {
            **{kind: result["kinds"][kind] for kind in KINDS if kind in result["kinds"]},
            "fact and find": result["fact_and_find"],
            "all answerable": result["answerable"],
        }
        rows = [
            [kind.replace("_", " "), *(shown(measures[key]) for _, key, shown in lines)]
            for kind, measures in groups.items()
            if measures["n"]
        ]
        note = "In percent, but for n, facts not in the papers read, and words."
        tables.append(Table(f"{name}: answers", ["kind", *(t for t, _, _ in lines)], rows, note))
        tables.append(_abstention(name, result))
        if "judged" in result:
            tables.append(_judged(f"{name}: graded by a judge model", result["judged"]))
    return tables


def _judged(title: str, measures: dict[str, Any]) -> Table:
    rows = [
        [key.replace("_", " "), percent(row), row["is"]]
        for key, row in measures.items()
        if isinstance(row, dict)
    ]
    lost = measures.get("unreadable_replies")
    note = f"Replies of the judge that could not be read: {lost}." if lost else ""
    return Table(title, ["measure", "value, %", "how"], rows, note)


def _pairs(results: dict[str, Any]) -> list[Table]:
    tables = []
    for name, result in results.items():
        rows = [
            ["AUROC of the score", auroc(result["auroc"])],
            ["true flagged, %", percent(result["true_flagged"])],
            ["true called unsupported, %", percent(result["true_called_unsupported"])],
            ["false caught, %", percent(result["false_caught"])],
            ["false called unsupported, %", percent(result["false_called_unsupported"])],
        ]
        note = f"{result['left_out']} that claim or cite nothing are left out."
        tables.append(Table(f"{name}: {result['pairs']} pairs", ["measure", "value"], rows, note))
        kinds = [
            [kind, number(row["true"]), number(row["false"]), number(row["called_supported"])]
            for kind, row in result["kinds"].items()
        ]
        tables.append(
            Table(f"{name}, by kind", ["kind", "true", "false", "called supported"], kinds)
        )
    return tables


def _blind(results: dict[str, Any]) -> list[Table]:
    if "sides" not in results:
        return []
    sides = results["sides"]
    rows = [
        ["mean grade", *(grade(side["grade"]) for side in sides.values())],
        ["share of 3s, %", *(percent(side["threes"]) for side in sides.values())],
        ["share of 0s, %", *(percent(side["zeros"]) for side in sides.values())],
        ["words, median", *(tenth(side["words"]) for side in sides.values())],
        ["calibration error of those answered",
         *(number(side["calibration"]["ece"]) for side in sides.values())],
    ]  # fmt: skip
    for kind in sorted({kind for side in sides.values() for kind in side["kinds"]}):
        cells = (side["kinds"].get(kind, {"mean": None}) for side in sides.values())
        rows.append([kind.replace("_", " "), *(number(cell["mean"], 2) for cell in cells)])
    difference, agreement = results["difference"], results["agreement"]
    note = ""
    if difference["mean"] is not None:
        note = f"B - A: {difference['mean']:+.2f}, p = {difference['p']:.4f}."
    if agreement:
        note += (
            f" Two readers gave the same grade to {100 * agreement['equal']:.0f}% "
            f"(weighted kappa {agreement['kappa']:.2f})."
        )
    title = f"blind grades, 0 to 3: {results['answers']} answers, {results['readers']} readers"
    return [Table(title, ["measure", *sides], rows, note)]


def grade(found: dict[str, Any]) -> str:
    """A mean grade with its interval."""
    if found["mean"] is None:
        return "–"
    return f"{found['mean']:.2f} ({found['low']:.2f}–{found['high']:.2f})"


def _checker(results: dict[str, Any]) -> list[Table]:
    rows = []
    for kind, row in results["kinds"].items():
        styles = (number(row["styles"][style]) for style in ("copy", "light", "digest"))
        passed = percent(row["passed_as_supported"])
        rows.append([kind.replace("_", " "), number(row["pairs"]), auroc(row), *styles, passed])
    return [
        Table(
            f"support checker, against {results['true_pairs']:,} true sentences of papers that it "
            "was not fitted on",
            ["kind of error", "pairs", "AUROC (95%)", "copied", "reworded", "retold",
             "passed as supported, %"],
            rows,
            f"True sentences called supported: {percent(results['true_supported'])}%.",
        )
    ]  # fmt: skip


def _bench(results: dict[str, Any]) -> list[Table]:
    lines: list[tuple[str, str, int]] = [
        ("ingest, s", "ingest_s", 1),
        ("ingest without embedding, s", "ingest_rest_s", 1),
        ("re-ingest unchanged, s", "again_s", 2),
        ("ask, p50, ms", "ask_ms", 1),
        ("ask, p95, ms", "ask_p95_ms", 1),
        ("search, p50, ms", "search_ms", 1),
        ("search, p95, ms", "search_p95_ms", 1),
        ("share of it that embeds the question", "embedding_share", 2),
        ("memory of a process that asks, MB", "memory_mb", 0),
        ("of that its own (not mapped), MB", "own_memory_mb", 0),
        ("memory of an ingest, MB", "ingest_memory_mb", 0),
        ("disk, MB", "disk_mb", 0),
        ("page: server's start, s", "page_start_s", 1),
        ("page: load in a browser, ms", "page_ms", 0),
    ]
    sizes, growth = results["sizes"], results["growth"]
    names = {key: title for title, key, _ in lines}
    rows = [
        [
            title,
            *(number(_float(row[key]), digits) for row in sizes),
            number((growth.get(key) or {}).get("exponent"), 2),
        ]
        for title, key, digits in lines
    ]
    note = "" if all(row["computed"] for row in sizes) else (
        "Sizes beyond the real papers: abstracts repeated with noise, their vectors reused with "
        "noise, so the ingest of those is without computing vectors."
    )  # fmt: skip
    columns = [f"{row['papers']:,} papers" for row in sizes]
    starter = [
        [names[key], *(_against(row, key) for row in sizes)]
        for key in (sizes[0]["starter"] if sizes else ())
    ]
    title = "plain LlamaIndex starter (and ours divided by it)"
    return [
        Table("ours", ["measure", *columns, "growth exponent"], rows, note),
        *([Table(title, ["measure", *columns], starter)] if starter else []),
        _single(results),
    ]


def _against(row: dict[str, Any], key: str) -> str:
    """What the starter took, and ours divided by it; a dash where that was not measured."""
    if key not in row["ratio"]:
        return "–"
    return f"{number(_float(row['starter'][key]), 1)} ({row['ratio'][key]:.2f}×)"


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) else value


def _single(results: dict[str, Any]) -> Table:
    """What is measured once, not at every size."""
    rows = []
    embed, cold, quality = (results.get(name) for name in ("embed", "cold", "quality"))
    if embed:
        rows.append(["abstracts embedded a second", number(embed["abstracts_per_second"], 1)])
        rows.append(["a question embedded, p50, ms", number(embed["query_ms"]["p50"], 1)])
    for key, value in (cold or {}).items():
        if key != "code":
            name = key.removesuffix("_s").replace("_", " ")
            rows.append([f"cold start: {name}" + (", s" if key.endswith("_s") else ""),
                         number(value, 2)])  # fmt: skip
    if quality:
        rows.append([f"gold paper in the first 8 ({quality['questions']} questions): ours, %",
                     percent(quality["ours"])])  # fmt: skip
        rows.append(["the same, starter, %", percent(quality["starter"])])
    return Table("measured once", ["measure", "value"], rows)


def _reviews(results: dict[str, Any]) -> list[Table]:
    tables = []
    for size, result in results.items():
        rows = [
            [
                row["topic"],
                row["status"] if row["right"] else f"{row['status']} (wrong)",
                number(row["papers"]),
                percent(row["coverage"]),
                percent(row["precision"]),
                percent(row["citation_precision"]),
                percent(row["repetition"]),
                number(row["themes"]),
                _purity(row["purity"]),
                number(row["seconds"], 1),
            ]
            for row in result["topics"]
        ]
        average = result["mean"]
        rows.append(
            [
                "mean of those held",
                "",
                number(average["papers"], 1),
                percent(average["coverage"]),
                percent(average["precision"]),
                percent(average["citation_precision"]),
                percent(average["repetition"]),
                number(average["themes"], 1),
                _purity({"same": average["purity_same"], "chance": average["purity_chance"]}),
                number(average["seconds"], 1),
            ]
        )
        tables.append(
            Table(
                f"reviews of at most {size} papers; {result['memory_mb']:,.0f} MB at most; "
                f"{result['forced']['papers']} by hand take {result['forced']['seconds']:.1f} s",
                ["topic", "status", "papers", "coverage", "precision", "citations", "repetition",
                 "themes", "purity (chance)", "seconds"],
                rows,
                "In percent. Citations: supported by the checker; precision: cited papers that "
                "are labelled.",
            )
        )  # fmt: skip
    return tables


def _purity(found: dict[str, Any] | None) -> str:
    if found is None or found["same"] is None:
        return "–"
    return f"{100 * found['same']:.0f} ({100 * found['chance']:.0f})"


def _compare(results: dict[str, Any]) -> list[Table]:
    tests = [
        [
            row["test"],
            f"{100 * row['mean']:+.2f} ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})",
            f"{row['p']:.4f}",
            number(row["n"]),
        ]
        for row in results["tests"]
        if row["mean"] is not None
    ]
    other = [
        [row["measure"], number(row["a"]), number(row["b"]), f"{row['difference']:+.4g}"]
        for row in results["differences"]
    ]
    settings = "; ".join(results["changed_settings"]) or "none"
    return [
        Table(
            f"{results['b']} (B) against {results['a']} (A), paired, points",
            ["test", "B - A (95%)", "p", "questions"],
            tests,
            f"Settings that differ: {settings}",
        ),
        Table(
            f"all that differs ({results['same']} numbers are equal)",
            ["measure", "A", "B", "B - A"],
            other,
        ),
    ]


def _abstention(name: str, result: dict[str, Any]) -> Table:
    found = result["abstention"]
    signal, left_out = found["confidence"], found["confidence_left_out"]
    rows = [
        ["refused when absent, %", percent(found["refused_when_absent"])],
        ["refused when present, %", percent(found["refused_when_present"])],
        ["called absent when present, %", percent(found["called_absent_when_present"])],
        ["refused when its papers are left out, %", percent(found["refused_when_left_out"])],
        ["AUROC of confidence, absent", auroc(signal)],
        ["absent refused at 5% false refusals, %", percent(signal["refused_at_5"])],
        ["AUROC of confidence, left out", auroc(left_out)],
        ["Brier score of confidence", number(found["brier"])],
        ["calibration error of confidence", number(found["calibration"]["ece"])],
        ["good answers of those shown with .8 or more, %", percent(found["good_when_sure"])],
    ]
    for kind, measures in found["types"].items():
        rows.append([f"refused, absent: {kind}, % (AUROC)",
                     f"{percent(measures['refused'])} ({number(measures['auroc'])})"])  # fmt: skip
    refusing = {k: m for k, m in found["present_kinds"].items() if m["refused"]["mean"]}
    for kind, measures in refusing.items():
        rows.append([f"refused though present: {kind}, % (called absent)",
                     f"{percent(measures['refused'])} ({mean(measures['absent'])})"])  # fmt: skip
    if result["lists"]["recall"]["n"]:
        rows.append(["lists: recall on the first page, %", percent(result["lists"]["recall"])])
        rows.append(["lists: precision, %", percent(result["lists"]["precision"])])
    for kind, rate in result["follow_ups"].items():
        rows.append([f"follow-ups understood: {kind}, % (of {rate['n']})", percent(rate)])
    seconds, retrieval = result["seconds"], result["seconds_retrieval"]
    rows.append(["a question, ms, p50 / p95",
                 f"{1000 * seconds['p50']:.0f} / {1000 * seconds['p95']:.0f}"])  # fmt: skip
    rows.append(["of that retrieval, ms, p50 / p95",
                 f"{1000 * retrieval['p50']:.0f} / {1000 * retrieval['p95']:.0f}"])  # fmt: skip
    if result["tokens_per_question"]:
        rows.append(["tokens a question", number(result["tokens_per_question"])])
        rows.append(["cost, USD", number(result["cost_usd"], 4)])
    return Table(f"{name}: abstention, lists, follow-ups and speed", ["measure", "value"], rows)


def auroc(found: dict[str, Any]) -> str:
    """An AUROC with its interval; a dash where there is none."""
    if found["auroc"] is None:
        return "–"
    return f"{found['auroc']:.3f} ({found['low']:.2f}–{found['high']:.2f})"
