"""Runs as tables: on the terminal and in Markdown, from the same rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from eval.answers import KINDS

Results = dict[str, Any]
Shown = Callable[[Any], str]


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


# ---------------------------------------------------------------------- values as text


def number(value: Any, digits: int = 3) -> str:
    """A number as tables show it; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def rounded(digits: int) -> Shown:
    """Shows numbers with so many decimals."""
    return lambda value: number(None if value is None else float(value), digits)


def percent(rate: Any) -> str:
    """A share as a percentage, with its interval where it has one."""
    if isinstance(rate, dict):
        if rate["mean"] is None:
            return "–"
        return f"{100 * rate['mean']:.1f} ({100 * rate['low']:.0f}–{100 * rate['high']:.0f})"
    return "–" if rate is None else f"{100 * rate:.1f}"


def mean(rate: dict[str, Any]) -> str:
    """A mean as a percentage without its interval."""
    return percent(rate["mean"])


def interval(found: dict[str, Any], key: str = "mean", digits: int = 2) -> str:
    """A value with its interval; a dash where there is none."""
    if found[key] is None:
        return "–"
    return f"{found[key]:.{digits}f} ({found['low']:.2f}–{found['high']:.2f})"


def auroc(found: dict[str, Any]) -> str:
    """An AUROC with its interval."""
    return interval(found, "auroc", 3)


def milliseconds(times: dict[str, float]) -> str:
    """p50 / p95 of times in seconds."""
    return f"{1000 * times['p50']:.0f} / {1000 * times['p95']:.0f}"


def at(result: Any, path: str) -> Any:
    """The value at a path such as ``"answerable.facts"``; None where there is none."""
    for key in path.split("."):
        if not isinstance(result, dict) or result.get(key) is None:
            return None
        result = result[key]
    return result


def beside(
    title: str, columns: Mapping[str, Any], lines: Sequence[tuple[str, str, Shown]], note: str = ""
) -> Table:
    """A column a result, a row a line: what is shown of each, by its path."""
    rows = [
        [name, *("–" if (v := at(r, path)) is None else show(v) for r in columns.values())]
        for name, path, show in lines
    ]
    kept = [row for row in rows if set(row[1:]) != {"–"}]
    return Table(title, ["measure", *columns], kept, note)


# ---------------------------------------------------------------------- a verb's tables


def of_run(run: dict[str, Any]) -> list[Table]:
    """The tables of a run."""
    return _TABLES[run["verb"]](run["results"]) if run["verb"] in _TABLES else []


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


def _retrieval(results: Results) -> list[Table]:
    names = ("nDCG@10", "Recall@5", "Recall@10", "Recall@100", "MRR@10")
    rows = []
    for name, result in results.items():
        for stage in result["stages"]:
            measures, against = stage["measures"], stage["against_bm25"]["nDCG@10"]
            rows.append(
                [
                    f"{name}: {stage['stage']}",
                    f"{result['papers']:,}",
                    percent(measures["nDCG@10"]),
                    *(mean(measures[m]) for m in names[1:]),
                    f"{100 * against['mean']:+.1f} ({against['p']:.4f})",
                ]
            )
    columns = ["retrieval, points", "papers", *names, "nDCG@10 to BM25 (p)"]
    return [Table("retrieval", columns, rows)]


_OF_A_KIND: list[tuple[str, str, Shown]] = [
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
    ("words, median", "words_median", rounded(1)),
    ("most", "words_most", number),
]
_OF_A_SET: list[tuple[str, str, Shown]] = [
    ("questions", "questions", number),
    ("gold paper in the top 8, fact and find, %", "fact_and_find.gold_in_top_8", percent),
    ("gold facts in the answer, %", "answerable.facts", percent),
    ("a gold fact in the first sentence, %", "answerable.fact_first", percent),
    ("citation recall by title, answerable, %", "answerable.citation_recall", percent),
    ("lists: recall on the first page, %", "lists.recall", percent),
    ("lists: precision, %", "lists.precision", percent),
    *((f"follow-ups understood: {name}, %", f"follow_ups.{name}", percent)
      for name in ("switch", "pronoun", "ordinal", "marker", "another", "compare")),
    ("words of an answer, median", "answerable.words_median", rounded(0)),
    ("refused when absent, %", "abstention.refused_when_absent", percent),
    *((f"refused, absent: {name}, %", f"abstention.types.{name.replace(' ', '_')}.refused", percent)
      for name in ("near", "detail", "false premise", "far")),
    ("refused when present, %", "abstention.refused_when_present", percent),
    ("called absent when present, %", "abstention.called_absent_when_present", percent),
    ("refused when its papers are left out, %", "abstention.refused_when_left_out", percent),
    ("AUROC of the confidence, absent", "abstention.confidence", auroc),
    ("AUROC of the confidence, left out", "abstention.confidence_left_out", auroc),
    ("absent refused at 5% false refusals, %", "abstention.confidence.refused_at_5", percent),
    ("calibration error of the confidence", "abstention.calibration.ece", number),
    ("good answers of those shown with .8 or more, %", "abstention.good_when_sure", percent),
    ("Brier score of the confidence", "abstention.brier", number),
    ("a question, ms, p50 / p95", "seconds", milliseconds),
    ("of that retrieval, ms, p50 / p95", "seconds_retrieval", milliseconds),
    ("tokens a question", "tokens_per_question", number),
    ("cost, USD", "cost_usd", rounded(4)),
]  # fmt: skip


def answers_of(results: Results) -> Table:
    """A column a set of questions: what is measured over all of its kinds."""
    return beside("answers", results, _OF_A_SET)


def _answers(results: Results) -> list[Table]:
    tables = []
    for name, result in results.items():
        groups = {
            **{kind: result["kinds"][kind] for kind in KINDS if kind in result["kinds"]},
            "all answerable": result["answerable"],
        }
        rows = [
            [kind.replace("_", " "), *(shown(measures[key]) for _, key, shown in _OF_A_KIND)]
            for kind, measures in groups.items()
        ]
        note = "In percent, but for n, facts not in the papers read, and words."
        columns = ["kind", *(title for title, _, _ in _OF_A_KIND)]
        tables.append(Table(f"{name}: answers", columns, rows, note))
        if judged := result.get("judged"):
            graded = [[key.replace("_", " "), percent(row), row["is"]]
                      for key, row in judged.items() if isinstance(row, dict)]  # fmt: skip
            note = f"Replies that could not be read: {judged['unreadable_replies']}."
            title = f"{name}: graded by a judge model"
            tables.append(Table(title, ["measure", "value, %", "how"], graded, note))
    return [*tables, answers_of(results)]


def pairs_of(results: Results) -> Table:
    """A column a file of labelled pairs."""
    return beside(
        "hand-labelled sentences",
        results,
        [
            ("sentences", "pairs", number),
            ("AUROC of the support score", "auroc", auroc),
            ("true flagged, %", "true_flagged", percent),
            ("true called unsupported, %", "true_called_unsupported", percent),
            ("false caught, %", "false_caught", percent),
            ("false called unsupported, %", "false_called_unsupported", percent),
        ],
        "Sentences that claim or cite nothing are left out.",
    )


def _pairs(results: Results) -> list[Table]:
    columns = ["kind", "true", "false", "called supported"]
    keys = ("true", "false", "called_supported")
    kinds = {
        name: [[kind, *(number(row[key]) for key in keys)] for kind, row in found["kinds"].items()]
        for name, found in results.items()
    }
    by_kind = [Table(f"{name}, by kind", columns, rows) for name, rows in kinds.items()]
    return [pairs_of(results), *by_kind]


def _blind(results: Results) -> list[Table]:
    if "sides" not in results:
        return []
    sides, difference = results["sides"], results["difference"]
    lines: list[tuple[str, str, Shown]] = [
        ("mean grade", "grade", interval),
        ("share of 3s, %", "threes", percent),
        ("share of 0s, %", "zeros", percent),
        ("words, median", "words", rounded(0)),
        ("calibration error of those answered", "calibration.ece", number),
    ]
    kinds = sorted({kind for side in sides.values() for kind in side["kinds"]})
    lines += [(kind.replace("_", " "), f"kinds.{kind}", interval) for kind in kinds]
    note = ""
    if difference["mean"] is not None:
        note = f"B - A: {difference['mean']:+.2f}, p = {difference['p']:.4f}."
    if agreement := results["agreement"]:
        note += (
            f" Two readers gave the same grade to {100 * agreement['equal']:.0f}% "
            f"(weighted kappa {agreement['kappa']:.2f})."
        )
    title = f"blind grades, 0 to 3: {results['answers']} answers, {results['readers']} readers"
    return [beside(title, sides, lines, note)]


def _checker(results: Results) -> list[Table]:
    lines: list[tuple[str, str, Shown]] = [
        ("pairs", "pairs", number),
        ("AUROC", "auroc", number),
        *((f"AUROC, {name}", f"styles.{style}", number)
          for name, style in (("copied", "copy"), ("reworded", "light"), ("retold", "digest"))),
        ("passed as supported, %", "passed_as_supported", percent),
    ]  # fmt: skip
    title = (f"support checker, against {results['true_pairs']:,} true sentences of papers that it "
             "was not fitted on")  # fmt: skip
    kinds = {kind.replace("_", " "): row for kind, row in results["kinds"].items()}
    note = f"True sentences called supported: {percent(results['true_supported'])}%."
    return [beside(title, kinds, lines, note)]


_OF_A_SIZE: list[tuple[str, str, Shown]] = [
    ("ingest, s", "ingest_s", rounded(1)),
    ("ingest without embedding, s", "ingest_rest_s", rounded(1)),
    ("re-ingest unchanged, s", "again_s", rounded(2)),
    ("ask, p50, ms", "ask_ms", rounded(1)),
    ("ask, p95, ms", "ask_p95_ms", rounded(1)),
    ("search, p50, ms", "search_ms", rounded(1)),
    ("search, p95, ms", "search_p95_ms", rounded(1)),
    ("share of it that embeds the question", "embedding_share", rounded(2)),
    ("memory of a process that asks, MB", "memory_mb", rounded(0)),
    ("of that its own (not mapped), MB", "own_memory_mb", rounded(0)),
    ("memory of an ingest, MB", "ingest_memory_mb", rounded(0)),
    ("disk, MB", "disk_mb", rounded(0)),
    ("page: server's start, s", "page_start_s", rounded(1)),
    ("page: load in a browser, ms", "page_ms", rounded(0)),
]


def _bench(results: Results) -> list[Table]:
    columns = {f"{row['papers']:,} papers": row for row in results["sizes"]}
    ours = beside("ours", columns, _OF_A_SIZE)
    key_of = {title: key for title, key, _ in _OF_A_SIZE}
    grown = [[*row, number(results["growth"].get(key_of[row[0]]), 2)] for row in ours.rows]
    note = "" if all(row["computed"] for row in columns.values()) else (
        "Sizes beyond the real papers: abstracts repeated with noise, their vectors reused with "
        "noise, so the ingest of those is without computing vectors."
    )  # fmt: skip
    theirs = {name: row["starter"] for name, row in columns.items()}
    starter = beside("plain LlamaIndex starter (and ours divided by it)", theirs, _OF_A_SIZE)
    divided = [
        [row[0], *(f"{value} ({at(of['ratio'], key_of[row[0]]):.2f}×)" if value != "–" else value
                   for value, of in zip(row[1:], columns.values(), strict=True))]
        for row in starter.rows
    ]  # fmt: skip
    lines: list[tuple[str, str, Shown]] = [
        ("abstracts embedded a second", "embed.abstracts_per_second", rounded(1)),
        ("a question embedded, p50, ms", "embed.query_ms.p50", rounded(1)),
        ("cold start: help, s", "cold.help_s", rounded(2)),
        ("cold start: ask, s", "cold.ask_s", rounded(2)),
        ("cold start: imports of the stack alone, s", "cold.stack_imports_s", rounded(2)),
        ("ask divided by those", "cold.ask_over_stack", rounded(2)),
        ("gold paper in the first 8: ours, %", "quality.ours", percent),
        ("the same, starter, %", "quality.starter", percent),
    ]
    return [
        Table(ours.title, [*ours.columns, "growth exponent"], grown, note),
        Table(starter.title, starter.columns, divided),
        beside("measured once", {"value": results}, lines),
    ]


def _reviews(results: Results) -> list[Table]:
    lines: list[tuple[str, str, Shown]] = [
        ("status", "status", str),
        ("is that right", "right", lambda right: "yes" if right else "no"),
        ("papers", "papers", rounded(0)),
        ("coverage, %", "coverage", percent),
        ("precision (cited papers that are labelled), %", "precision", percent),
        ("citations that the checker supports, %", "citation_precision", percent),
        ("repetition, %", "repetition", percent),
        ("themes", "themes", rounded(0)),
        ("purity of the themes, %", "purity.same", percent),
        ("purity by chance, %", "purity.chance", percent),
        ("seconds", "seconds", rounded(1)),
    ]
    tables = []
    for size, result in results.items():
        mean_of = result["mean"]
        purity = {"same": mean_of["purity_same"], "chance": mean_of["purity_chance"]}
        columns = {row["topic"]: row for row in result["topics"]}
        columns["mean of those held"] = {**mean_of, "purity": purity}
        title = (
            f"reviews of at most {size} papers; {result['memory_mb']:,.0f} MB at most; "
            f"{result['forced']['papers']} by hand take {result['forced']['seconds']:.1f} s"
        )
        tables.append(beside(title, columns, lines))
    return tables


def _compare(results: Results) -> list[Table]:
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
    title = f"{results['b']} (B) against {results['a']} (A), paired, points"
    note = f"Settings that differ: {settings}"
    all_title = f"all that differs ({results['same']} numbers are equal)"
    return [
        Table(title, ["test", "B - A (95%)", "p", "questions"], tests, note),
        Table(all_title, ["measure", "A", "B", "B - A"], other),
    ]


_TABLES: dict[str, Callable[[Results], list[Table]]] = {
    "retrieval": _retrieval,
    "answers": _answers,
    "pairs": _pairs,
    "blind": _blind,
    "checker": _checker,
    "bench": _bench,
    "reviews": _reviews,
    "compare": _compare,
}
